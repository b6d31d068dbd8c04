// SPDX-License-Identifier: Apache-2.0
#include "conformance/engines/all.hpp"

namespace hadr::test {

std::span<std::unique_ptr<engine_under_test> (*const)()> engine_makers() {
    static constexpr std::unique_ptr<engine_under_test> (*all[]
    )() = {make_scripted, make_libpq, make_psqlodbc, make_free_tds, make_sqlite, make_mariadb};
    return all;
}

}
