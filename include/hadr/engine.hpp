// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>

#include <string_view>

namespace hadr::inline v0 {

enum class engine {
    postgresql,
    sql_server,
    other,
};

/// ODBC drivers that understand the same connection strings and behave alike.
enum class odbc_family {
    freetds,
    microsoft_17, ///< And older ones.
    microsoft_18,
    psqlodbc,
    mariadb,
    sqlite,
    other,
};

/// By the driver's name as in Driver=, or by its library's; case does not matter.
HADR_EXPORT odbc_family family_of(std::string_view driver);

/// The engine that its drivers speak to.
constexpr engine engine_of(odbc_family which) noexcept {
    switch (which) {
    case odbc_family::freetds:
    case odbc_family::microsoft_17:
    case odbc_family::microsoft_18: return engine::sql_server;
    case odbc_family::psqlodbc: return engine::postgresql;
    case odbc_family::mariadb:
    case odbc_family::sqlite:
    case odbc_family::other: break;
    }
    return engine::other;
}

/// Whether the database is a file of this machine's: there is no server, and no wire.
constexpr bool embedded(odbc_family which) noexcept {
    return which == odbc_family::sqlite;
}

/// Whether a key of the driver's own may stand in a connection string: it says nothing of where a
/// session goes, how it is secured, or what file is written (X5). Case does not matter.
HADR_EXPORT bool passes(odbc_family which, std::string_view key);

}
