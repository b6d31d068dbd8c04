// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/time.hpp>

#include <string_view>

namespace hadr::inline v0::mirroring {

enum class link {
    unknown,
    up,
    cut,
};

/// A link between two of a mirrored pair and its witness, as one of its ends saw it.
struct aged_link {
    link is = link::unknown;
    time_point seen = time_point::min(); ///< When the end that says so was asked.

    friend bool operator==(const aged_link&, const aged_link&) = default;
};

/// The later of two words about one link; what is unknown says nothing.
constexpr aged_link later(const aged_link& a, const aged_link& b) noexcept {
    if (a.is == link::unknown)
        return b;
    return b.is != link::unknown && b.seen > a.seen ? b : a;
}

/// C29: over three links, never over three servers.
struct links {
    bool witness = false; ///< One is configured (C32).
    aged_link partners;
    aged_link principal_witness;
    aged_link mirror_witness;
};

enum class quorum {
    full,               ///< All three see each other.
    partner_to_partner, ///< The witness is lost (C32).
    principal_witness,  ///< The mirror is lost, or its link: exposed (C30, C31).
    mirror_witness,     ///< The principal is lost (C28).
    none,               ///< Nobody may serve (C20, C33).
    not_needed,         ///< No witness: the principal serves by itself (C32).
    unknown,
};

/// The quorum that holds, or unknown while a link that decides is.
quorum evaluate(const links& over) noexcept;

/// Known to see neither partner nor witness: it stops serving, whatever its port answers (C20).
bool principal_isolated(const links& over) noexcept;

std::string_view to_string(quorum which) noexcept;

}
