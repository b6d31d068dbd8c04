// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/answer.hpp>
#include <hadr/epoch.hpp>
#include <hadr/expected.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::inline v0::core::sql_server {

/// Where the library's own sessions log in to: a mirror refuses its database.
inline constexpr std::string_view neutral_database = "master";

/// Columns of the answer to member_question(), in their order: always one row, all NULL but the
/// first two where the server has no such database or does not show it.
inline constexpr std::array<std::string_view, 16> member_columns = {
    "current_database", ///< DB_NAME(): where the session that asks is.
    "server_name",      ///< SERVERPROPERTY('ServerName'): HOST or HOST\INSTANCE.
    "database_name",    ///< As the server writes it.
    "database_state",   ///< ONLINE, RESTORING, RECOVERING, ...
    "updateability",    ///< READ_WRITE or READ_ONLY.
    "has_access",       ///< 1 if this login may use the database now.
    "broker_guid",      ///< sys.databases.service_broker_guid: the database itself, on any server.
    "fork_guid",        ///< Recovery fork; NULL without the right to see it.
    "mirroring_guid",   ///< From here on NULL if not mirrored, or on a mirror without sysadmin.
    "role",             ///< 1 principal, 2 mirror.
    "state",            ///< mirroring_state_desc: SYNCHRONIZED, DISCONNECTED, ...
    "safety",           ///< 0 unknown, 1 off, 2 full.
    "witness_state",    ///< NULL none, 0 unknown, 1 connected, 2 disconnected.
    "partner_instance", ///< The partner's server_name.
    "role_sequence",    ///< Grows with each change of roles.
    "failover_lsn",
};

enum class part {
    unknown, ///< Not mirrored, or a mirror without sysadmin.
    principal,
    mirror,
};

enum class mirroring_state {
    unknown,
    suspended,
    disconnected,
    synchronizing,
    pending_failover,
    synchronized,
};

enum class safety_level {
    unknown,
    off,
    full,
};

/// As a partner sees it; none configured is an empty optional.
enum class witness_link {
    unknown,
    connected,
    disconnected,
};

/// What one server says of the database and of itself in answer to member_question().
struct member_facts {
    bool in_database = false; ///< The session that asked is in it.
    std::string server_name;  ///< Lower case (C49).
    bool known = false;       ///< The server shows the database.
    std::string state;        ///< Of the database, e.g. "ONLINE".
    bool read_write = false;
    bool access = false;
    std::string broker;
    std::string fork;
    std::string guid; ///< Of the mirroring session; empty: unknown.
    part plays = part::unknown;
    mirroring_state mirroring = mirroring_state::unknown;
    safety_level safety = safety_level::unknown;
    std::optional<witness_link> witness;
    std::string partner; ///< Its server_name.
    std::optional<std::uint64_t> sequence;

    bool online() const noexcept { return state == "ONLINE"; }
    bool claims() const noexcept { return plays == part::principal; }
    bool serves() const noexcept { return claims() && online() && read_write && access; }

    friend bool operator==(const member_facts&, const member_facts&) = default;
};

/// Errors: unreachable (an answer that makes no sense, F51).
expected<member_facts> read_member(const answer& from);

/// The epoch that a server of these facts shows: mirroring guid and role sequence (C26).
epoch reign_of(const member_facts& facts, proof strength);

/// "[name]", with ']' doubled: a name can never end there (X5).
std::string quoted_name(std::string_view name);

/// "N'text'", with quotes doubled.
std::string quoted_text(std::string_view text);

/// "USE [database]": moves a session there. Must not run prepared, or it ends with its statement.
std::string use_text(std::string_view database);

/// One SELECT, for an ordinary login and from any database; of none, of the session's own.
std::string member_question(std::string_view database);

/// use_text(), "; ", member_question(): moves the session, and its last answer proves where it is.
std::string proof_text(std::string_view database);

/// C36, on the principal, from neutral_database.
std::string planned_failover_text(std::string_view database);

/// C37, on the mirror, from neutral_database.
std::string forced_failover_text(std::string_view database);

}
