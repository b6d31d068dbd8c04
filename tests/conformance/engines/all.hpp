// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "conformance/engine.hpp"

#include <memory>
#include <span>
#include <string>

namespace hadr::test {

std::unique_ptr<engine_under_test> make_scripted();
std::unique_ptr<engine_under_test> make_libpq();
std::unique_ptr<engine_under_test> make_psqlodbc();
std::unique_ptr<engine_under_test> make_free_tds();
std::unique_ptr<engine_under_test> make_sqlite();
std::unique_ptr<engine_under_test> make_mariadb();

/// Where somebody points the suite at a server of their own; empty: nobody does.
std::string own_sql_server_text();
std::unique_ptr<engine_under_test> make_own_sql_server();

/// Of each engine of the suite, or of somebody's own alone.
std::span<std::unique_ptr<engine_under_test> (*const)()> engine_makers();

}
