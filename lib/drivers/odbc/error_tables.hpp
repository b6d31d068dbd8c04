// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/sql_server_errors.hpp"

#include <span>

namespace hadr::inline v0::odbc {

/// By SQLSTATE: the server's own list of what is definite (C7). Of logins the words count, as
/// psqlODBC keeps the SQLSTATE to itself.
verdict classify_by_sqlstate(std::span<const diagnostic> all, phase during, bool dead) noexcept;

/// What the server's SQLSTATE was, by the words of a login that psqlODBC tells of; else empty.
std::string_view login_sqlstate(std::span<const diagnostic> all) noexcept;

/// By MariaDB's and MySQL's numbers.
verdict classify_mysql(std::span<const diagnostic> all, phase during, bool dead) noexcept;

/// By SQLite's result codes.
verdict classify_sqlite(std::span<const diagnostic> all, phase during, bool dead) noexcept;

}
