// SPDX-License-Identifier: Apache-2.0
// What takes minutes, and so is played on virtual time alone.
#include "scenarios/partners.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(a_sql_server_pair)

BOOST_AUTO_TEST_CASE(
    is_left_alone_by_whoever_has_no_right_to_it, *utf::label("F26") * utf::label("P4")
) {
    partners pair;
    for (const auto which : {site::one, site::two})
        pair.set_door(which, simulated_store::door::locked);
    const auto none = pair.acquire(5s);
    BOOST_TEST_REQUIRE(!none.has_value());
    pair.pass(10s);
    BOOST_TEST(pair.counted().logins <= 8U); // Each counts towards a lock-out.
    for (const auto which : {site::one, site::two})
        pair.set_door(which, simulated_store::door::open);
    pair.pass(2min);
    BOOST_TEST(pair.acquire().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
