// SPDX-License-Identifier: Apache-2.0
#include "conformance/engines/all.hpp"

namespace hadr::test {

std::span<std::unique_ptr<engine_under_test> (*const)()> engine_makers() {
    using maker = std::unique_ptr<engine_under_test> (*)();
    static constexpr maker all[] = {
        make_scripted, make_libpq, make_psqlodbc, make_free_tds, make_sqlite, make_mariadb};
    static constexpr maker own[] = {make_own_sql_server};
    return own_sql_server_text().empty() ? std::span<const maker>(all)
                                         : std::span<const maker>(own);
}

}
