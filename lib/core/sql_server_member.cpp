// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"

#include <fmt/format.h>

namespace hadr::inline v0::core::sql_server {

namespace {

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
        quoted_text(database)
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
