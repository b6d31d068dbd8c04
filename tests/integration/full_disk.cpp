// SPDX-License-Identifier: Apache-2.0
#include "support/clients.hpp"
#include "support/postgres.hpp"
#include "support/privileged.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

}

BOOST_AUTO_TEST_SUITE(a_full_disk)

BOOST_AUTO_TEST_CASE(is_the_callers_error_and_no_failover, *utf::label("F36")) {
    const temporary_folder folder("hadr-disk");
    const auto place = folder.path() + "/small";
    run({"mkdir", place}, 5s);
    const small_disk disk(place, 4);
    postgres_server server(folder, "n1");
    server.start();
    must(server.port(), fmt::format("create tablespace small location '{}'", place));
    must(server.port(), "create table fat (x text) tablespace small");
    must(server.port(), "alter table fat alter x set storage external");
    must(server.port(), "create table thin (x int)");
    const observed_store store(standalone_string(server.port()) + ";Cold_Start=alone");
    auto held = store.write();
    BOOST_TEST_REQUIRE(held.has_value());
    const auto full =
        held->execute("insert into fat select repeat('x', 8000) from generate_series(1, 2000)");
    BOOST_TEST_REQUIRE(!full.has_value());
    BOOST_TEST(full.error().sqlstate == "53100");
    BOOST_TEST((full.error().code == errc::rejected_by_server));
    BOOST_TEST(held->current());
    BOOST_TEST(held->execute("insert into thin values (1)").has_value()); // The session lives.
    held->release();
    for (int i = 0; i < 20; ++i) {
        auto again = store.write(1s);
        BOOST_TEST_REQUIRE(again.has_value());
        BOOST_TEST(again->execute("insert into thin values (2)").has_value());
    }
    BOOST_TEST(store.count(event_kind::primary_lost) == 0U);
    BOOST_TEST(store.count(event_kind::member_lost) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}
