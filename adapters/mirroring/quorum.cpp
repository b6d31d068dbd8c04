// SPDX-License-Identifier: Apache-2.0
#include "mirroring/quorum.hpp"

namespace hadr::inline v0::mirroring {

quorum evaluate(const links& over) noexcept {
    if (!over.witness)
        return quorum::not_needed;
    const auto partners = over.partners.is;
    const auto principal = over.principal_witness.is;
    const auto mirror = over.mirror_witness.is;
    if (partners == link::up) {
        // Each partner reports its own link; the principal's is the one that is always visible.
        const bool lost = principal == link::cut || mirror == link::cut;
        const bool whole = principal == link::up && mirror != link::cut;
        return lost ? quorum::partner_to_partner : whole ? quorum::full : quorum::unknown;
    }
    if (principal == link::up)
        return partners == link::cut ? quorum::principal_witness : quorum::unknown;
    if (partners == link::unknown || principal == link::unknown)
        return quorum::unknown;
    return mirror == link::up    ? quorum::mirror_witness
           : mirror == link::cut ? quorum::none
                                 : quorum::unknown;
}

bool principal_isolated(const links& over) noexcept {
    return over.witness && over.partners.is == link::cut && over.principal_witness.is == link::cut;
}

std::string_view to_string(quorum which) noexcept {
    switch (which) {
    case quorum::full: return "full";
    case quorum::partner_to_partner: return "partner to partner";
    case quorum::principal_witness: return "principal and witness";
    case quorum::mirror_witness: return "mirror and witness";
    case quorum::none: return "none";
    case quorum::not_needed: return "not needed";
    case quorum::unknown: return "unknown";
    }
    return "unknown";
}

}
