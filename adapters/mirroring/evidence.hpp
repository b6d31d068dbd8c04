// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mirroring/postgresql.hpp"
#include "mirroring/vigilance.hpp"

#include <hadr/ha_adapter.hpp>

#include <optional>
#include <string>
#include <vector>

namespace hadr::inline v0::mirroring {

/// What was last learned of one member.
struct member_evidence : member_watch {
    std::optional<member_facts>
        facts; ///< Kept through a silence; gone once the server is known to be down.
};

struct witness_evidence {
    std::uint64_t sequence = 0;
    time_point asked = time_point::min();
    std::vector<witness_row> rows; ///< Of the last good answer; meaningful while connected.
    bool connected = false;
    bool heard_of = false; ///< Answered or failed at least once.
    std::optional<failure> trouble;
    bool hinted = false; ///< A push came after the last question.
};

/// The mode's private memory.
struct evidence final : belief::memory, vigilance {
    /// Where the members are: those of the specification, then partners learned from the witness or
    /// remembered (C43, C47). An index never changes its meaning.
    std::vector<endpoint> places;
    std::vector<member_evidence> members; ///< By place.
    witness_evidence witness;
    std::optional<std::size_t> overruled; ///< Member whose epoch an operator accepts.
    std::optional<std::size_t>
        proven;             ///< The last writer, while its facts have not been lost since.
    bool forgetful = false; ///< What a former process accepted cannot be read.
    bool recalled = false;  ///< The epoch accepted was remembered by an earlier process.
};

}
