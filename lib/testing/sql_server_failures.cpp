// SPDX-License-Identifier: Apache-2.0
#include "testing/sql_server_failures.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace hadr::inline v0::testing {

failure sql_server_failure(int native, std::string message) {
    const auto known = std::find_if(
        sql_server_failures.begin(),
        sql_server_failures.end(),
        [native](const known_failure& one) { return one.native == native; }
    );
    assert(known != sql_server_failures.end());
    auto made = make_failure(known->code, known->next, std::move(message));
    made.native = native;
    made.sqlstate = native == 3906 ? "25000" : native == 2627 ? "23000" : "42000";
    return made;
}

}
