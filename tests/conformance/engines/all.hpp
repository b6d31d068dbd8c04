// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "conformance/engine.hpp"

#include <memory>
#include <span>

namespace hadr::test {

std::unique_ptr<engine_under_test> make_scripted();
std::unique_ptr<engine_under_test> make_libpq();
std::unique_ptr<engine_under_test> make_psqlodbc();
std::unique_ptr<engine_under_test> make_free_tds();
std::unique_ptr<engine_under_test> make_sqlite();
std::unique_ptr<engine_under_test> make_mariadb();

/// Of each engine of the suite.
std::span<std::unique_ptr<engine_under_test> (*const)()> engine_makers();

}
