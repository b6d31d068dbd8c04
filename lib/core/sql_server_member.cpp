// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"

#include "core/cells.hpp"
#include "core/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hadr::inline v0::core::sql_server {

namespace {

constexpr std::size_t name_max = 128; // sysname
constexpr std::size_t guid_length = 36;

/// Empty for NULL; none if it is no guid.
std::optional<std::string> guid(cell text) {
    if (!text)
        return std::string();
    auto made = lower_case(escaped(*text, name_max));
    const bool like = made.size() == guid_length &&
                      made.find_first_not_of("0123456789abcdef-") == std::string::npos;
    return like ? std::optional(std::move(made)) : std::nullopt;
}

mirroring_state state_of(cell text) {
    constexpr std::pair<std::string_view, mirroring_state> words[] = {
        {"SUSPENDED", mirroring_state::suspended},
        {"DISCONNECTED", mirroring_state::disconnected},
        {"SYNCHRONIZING", mirroring_state::synchronizing},
        {"PENDING_FAILOVER", mirroring_state::pending_failover},
        {"SYNCHRONIZED", mirroring_state::synchronized}};
    for (const auto& [word, state] : words)
        if (text == word)
            return state;
    return mirroring_state::unknown; // C25: 5 and 6 contradict each other between the pages.
}

bool take_mirroring(member_facts& into, const answer& from) {
    const auto role = number(from.at(0, 9));
    if (!from.at(0, 9))
        return true; // A mirror without sysadmin shows the same as a database that has none.
    into.sequence = number(from.at(0, 14));
    if (into.guid.empty() || !role || *role < 1 || *role > 2 || !into.sequence)
        return false;
    into.plays = *role == 1 ? part::principal : part::mirror;
    into.mirroring = state_of(from.at(0, 10));
    const auto safety = number(from.at(0, 11)).value_or(0);
    into.safety = safety == 2   ? safety_level::full
                  : safety == 1 ? safety_level::off
                                : safety_level::unknown;
    if (from.at(0, 12)) {
        const auto witness = number(from.at(0, 12)).value_or(0);
        into.witness = witness == 1   ? witness_link::connected
                       : witness == 2 ? witness_link::disconnected
                                      : witness_link::unknown;
    }
    into.partner = lower_case(escaped(from.at(0, 13).value_or(""), name_max));
    return true;
}

std::string doubled(std::string_view text, char which) {
    std::string made;
    made.reserve(text.size() + 4);
    for (const char c : text) {
        made += c;
        if (c == which)
            made += c;
    }
    return made;
}

}

expected<member_facts> read_member(const answer& from) {
    if (from.rows() != 1 || from.columns() != member_columns.size())
        return senseless("the member");
    const auto here = from.at(0, 0);
    const auto server = from.at(0, 1);
    const auto name = from.at(0, 2);
    const auto broker = guid(from.at(0, 6));
    const auto fork = guid(from.at(0, 7));
    const auto session = guid(from.at(0, 8));
    if (!here || !server || server->empty() || !broker || !fork || !session)
        return senseless("the member");
    member_facts made;
    made.server_name = lower_case(escaped(*server, name_max));
    made.known = name.has_value();
    if (!made.known)
        return made;
    made.in_database = here == name;
    made.state = escaped(from.at(0, 3).value_or(""), name_max);
    made.read_write = from.at(0, 4) == "READ_WRITE";
    made.access = from.at(0, 5) == "1";
    made.broker = *broker;
    made.fork = *fork;
    made.guid = *session;
    if (!take_mirroring(made, from))
        return senseless("the member");
    return made;
}

epoch reign_of(const member_facts& facts, proof strength) {
    return {facts.guid, facts.sequence, std::nullopt, std::nullopt, strength};
}

std::string quoted_name(std::string_view name) {
    return "[" + doubled(name, ']') + "]";
}

std::string quoted_text(std::string_view text) {
    return "N'" + doubled(text, '\'') + "'";
}

std::string use_text(std::string_view database) {
    return "USE " + quoted_name(database);
}

// The outer joins always bring a row, so that a server which does not know the database, or hides
// it, still says who it is. sql_variant and uniqueidentifier are cast to text: drivers differ
// there.
std::string member_question(std::string_view database) {
    return fmt::format(
        "SELECT DB_NAME() AS current_database,"
        " CAST(SERVERPROPERTY('ServerName') AS nvarchar(128)) AS server_name,"
        " d.name AS database_name, d.state_desc AS database_state,"
        " CAST(DATABASEPROPERTYEX(d.name, 'Updateability') AS nvarchar(16)) AS updateability,"
        " HAS_DBACCESS(d.name) AS has_access,"
        " CAST(d.service_broker_guid AS nvarchar(36)) AS broker_guid,"
        " CAST(r.recovery_fork_guid AS nvarchar(36)) AS fork_guid,"
        " CAST(m.mirroring_guid AS nvarchar(36)) AS mirroring_guid, m.mirroring_role AS role,"
        " m.mirroring_state_desc AS state, m.mirroring_safety_level AS safety,"
        " m.mirroring_witness_state AS witness_state,"
        " m.mirroring_partner_instance AS partner_instance,"
        " m.mirroring_role_sequence AS role_sequence,"
        " CAST(m.mirroring_failover_lsn AS nvarchar(25)) AS failover_lsn"
        " FROM (SELECT 1 AS one) AS x LEFT JOIN sys.databases AS d ON d.name = {}"
        " LEFT JOIN sys.database_mirroring AS m ON m.database_id = d.database_id"
        " LEFT JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id",
        database.empty() ? "DB_NAME()" : quoted_text(database)
    );
}

std::string proof_text(std::string_view database) {
    return use_text(database) + "; " + member_question(database);
}

std::string planned_failover_text(std::string_view database) {
    return fmt::format("ALTER DATABASE {} SET PARTNER FAILOVER", quoted_name(database));
}

std::string forced_failover_text(std::string_view database) {
    return fmt::format(
        "ALTER DATABASE {} SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS", quoted_name(database)
    );
}

}
