// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mirroring/pair.hpp"
#include "mirroring/postgresql.hpp"

#include <hadr/ha_adapter.hpp>

#include <optional>
#include <string>
#include <vector>

namespace hadr::inline v0::mirroring {

/// What was last learned of one member.
struct member_evidence : member_watch {
    std::optional<member_facts>
        facts; ///< Kept through a silence; gone once the server is known to be down.
    std::optional<epoch> claimed; ///< While it claims to be primary.
    time_point claimed_since{};   ///< When it was first heard to.
    /// Claimed, and the witness went on naming another: promoted behind the engine's back.
    std::optional<epoch> contradicted;
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
struct evidence final : pair_evidence<member_evidence> {
    witness_evidence witness;
};

}
