// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/diagnostics.hpp"
#include "drivers/odbc/sql_server_errors.hpp"
#include "drivers/odbc/ways.hpp"

#include <hadr/driver.hpp>

#include <span>
#include <string>

namespace hadr::inline v0::odbc {

/// Whether a driver refused a statement by itself, before anything was sent.
bool refused_by_the_driver(std::span<const diagnostic> all) noexcept;

/// What became of a statement that a driver calls failed (C7). Dead: the session is lost.
failure
statement_failure(const engine_ways& of, std::span<const diagnostic> all, phase during, bool dead);

/// Why a login failed, at that place. What a server says is shown escaped, and believed only as far
/// as it makes us wait longer.
failure
login_failure(const engine_ways& of, std::span<const diagnostic> all, const std::string& where);

/// The session was lost while a statement was under way.
failure lost();

/// Nothing of the statement was sent.
failure lost_before();

}
