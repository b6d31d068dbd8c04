// SPDX-License-Identifier: Apache-2.0
#include "platform/descriptors.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

namespace hadr::test {

BOOST_AUTO_TEST_SUITE(a_set_of_descriptors)

BOOST_AUTO_TEST_CASE(tells_which_is_ready_by_its_token) {
    const auto set = platform::make_descriptor_set();
    const int ready = eventfd(1, EFD_CLOEXEC);
    const int other = eventfd(0, EFD_CLOEXEC);
    set->watch(ready, readiness::readable, 7);
    set->watch(other, readiness::readable, 8);
    descriptor_set::event found[4];
    BOOST_TEST_REQUIRE(set->wait(found, time_point::max()) == 1U);
    BOOST_TEST(found[0].token == 7U);
    BOOST_TEST((found[0].what == readiness::readable));
    set->forget(ready);
    BOOST_TEST(set->wait(found, time_point()) == 0U);
    close(ready);
    close(other);
}

BOOST_AUTO_TEST_SUITE_END()

}
