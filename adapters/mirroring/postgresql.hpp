// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/postgresql_member.hpp"

#include <hadr/answer.hpp>
#include <hadr/expected.hpp>
#include <hadr/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::mirroring {

using core::member_facts;
using core::member_question;
using core::read_member;
using core::reign_of;

/// One node as the monitor of pg_auto_failover sees it.
struct witness_row {
    endpoint at;
    std::string name;
    std::string lineage; ///< Empty where the monitor does not know.
    std::string state;   ///< Reported by the keeper.
    std::string goal;    ///< Assigned by the monitor: the decision.
    int health = -1;     ///< 1 good, 0 bad, -1 unknown.

    /// Assigned a state in which it takes writes: what get_primary() goes by.
    bool named() const noexcept;

    friend bool operator==(const witness_row&, const witness_row&) = default;
};

std::string witness_question(const witness_server& of);
inline constexpr std::string_view witness_listens = "LISTEN state";

/// Errors: unreachable (no sense), configuration_invalid (another formation, or none; E9).
expected<std::vector<witness_row>> read_witness(const answer& from, const witness_server& of);

/// True if a message on the channel is of this formation and group.
bool concerns(std::string_view channel, std::string_view payload, const witness_server& of);

/// What asks the monitor for a planned failover; what promotes a standby that nobody else may.
std::string planned_failover_text(const witness_server& of);
inline constexpr std::string_view promote_text = "SELECT pg_promote(true, 60)";

}
