// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::test {

// The last of the suite: what the cases before it have held against each driver and engine.
BOOST_AUTO_TEST_SUITE(every_driver)

BOOST_AUTO_TEST_CASE(was_held_against_the_same_claims) {
    std::size_t conforming = 0;
    std::size_t all = 0;
    for (const auto& one : engines()) {
        const auto [held, declared] = claims_on(*one);
        fmt::print("{}: {} claims held, {} declared impossible\n", one->name(), held, declared);
        all = std::max(all, held + declared);
        BOOST_TEST(held + declared == all);
        BOOST_TEST(held > 2 * declared, one->name() << " is excused from too much");
        conforming += held + declared == all && held > 2 * declared ? 1U : 0U;
    }
    BOOST_TEST_REQUIRE(all > 20U, "run the whole suite");
    fmt::print("figure conformance_drivers {}\n", conforming);
    BOOST_TEST(conforming == engines().size());
}

BOOST_AUTO_TEST_SUITE_END()

}
