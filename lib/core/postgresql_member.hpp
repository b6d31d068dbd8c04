// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/answer.hpp>
#include <hadr/epoch.hpp>
#include <hadr/expected.hpp>
#include <hadr/ha_adapter.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::inline v0::core {

/// What one server says of itself in answer to member_question.
struct member_facts {
    bool in_recovery = false;
    bool read_only = true;
    std::string lineage; ///< System identifier.
    std::optional<std::uint64_t>
        timeline;               ///< Of its own log; on a standby of what it last replayed.
    std::uint64_t position = 0; ///< Bytes of log written or replayed.
    bool commits_wait = false;  ///< synchronous_standby_names is set.
    std::optional<std::uint64_t> standbys; ///< Connected; primary only.
    std::optional<std::uint64_t>
        synchronous; ///< Of those, synchronous and streaming; none if not visible.

    /// The newest rows of the fork table (rulings 11), by timeline; none if it was not asked for or
    /// may not be read.
    std::optional<std::map<std::uint64_t, std::string>> forks = {};

    bool claims() const noexcept { return !in_recovery; }

    friend bool operator==(const member_facts&, const member_facts&) = default;
};

/// Left by an explicit BEGIN READ WRITE, as the server has no stronger one for an ordinary role.
inline constexpr restraint read_only_session{
    "SET default_transaction_read_only = on", "RESET default_transaction_read_only"};

/// One row, on a primary and on a standby, for an ordinary role.
extern const std::string_view member_question;

/// The same, and the rows of the fork table. A table that is missing or may not be read is no
/// error. The table's name is made of identifiers.
std::string member_question_with_forks(std::string_view table);

/// What creates the table, for an operator.
std::string fork_table_text(std::string_view table);

/// What writes the row of a timeline, unless there is one: a row once written is never replaced.
std::string fork_row_text(std::string_view table, std::uint64_t timeline, std::uint64_t chance);

/// Errors: unreachable (an answer that makes no sense, F51).
expected<member_facts> read_member(const answer& from);

/// The epoch that a server of these facts shows, with the fork of its timeline where that is known.
epoch reign_of(const member_facts& facts, proof strength);

}
