// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

namespace hadr::inline v0 {

/// How well an epoch is proved; more is better.
enum class proof {
    none,         ///< Remembered or hearsay.
    own_word,     ///< The member's own session said so, and nothing else does.
    both_members, ///< Every configured member has answered and none contradicts.
    engine_named, ///< The engine's own deciding part (witness, listener) names the member.
    fork_row,     ///< engine_named, and the fork row of the timeline was read (rulings 11).
};

/// Which reign a primary belongs to. A part that is unknown is empty, never zero.
struct epoch {
    std::string lineage = {};               ///< System identifier, group guid or mirroring guid.
    std::optional<std::uint64_t> term = {}; ///< Timeline, or role sequence.
    std::optional<std::string> fork = {};   ///< Fork identity of the timeline.
    std::optional<std::uint64_t> revision = {}; ///< The engine's own counter.
    proof strength = proof::none;

    friend bool operator==(const epoch&, const epoch&) = default;
};

/// How one epoch stands to another.
enum class epoch_order {
    same,
    older,
    newer,
    unordered, ///< Cannot be ordered: no write session (E3).
    foreign,   ///< Another lineage: always refused (E9).
};

HADR_EXPORT std::string to_string(const epoch& which);
HADR_EXPORT std::ostream& operator<<(std::ostream& out, const epoch& which);
HADR_EXPORT std::string_view to_string(epoch_order order) noexcept;
HADR_EXPORT std::string_view to_string(proof strength) noexcept;

}
