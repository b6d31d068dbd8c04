// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"
#include "runtime/watched_world.hpp"

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr const char* to_a = "Server=a:1;Database=d;UID=u;Encrypt=disable;Store_Name=x";

}

BOOST_AUTO_TEST_SUITE(a_closing_store)

BOOST_AUTO_TEST_CASE(
    wakes_a_caller_at_whatever_moment_it_closes, *utf::label("P8") * utf::label("F55")
) {
    for (int moment = 1; moment <= 3; ++moment) {
        auto in = std::make_shared<testing::manual_world>(1);
        testing::fake_server a{{"a", 1, {}}};
        a.is = testing::fake_server::condition::down;
        std::unique_ptr<connection_manager> store;
        agent* caller = nullptr;
        int left = moment;
        const auto asked = [&] {
            if (in->self() != caller || --left != 0)
                return;
            in->start("closes", [&] { store->close(); });
            in->advance(100ms);
        };
        auto made = hadr::open(
            to_a,
            {.drivers = {std::make_shared<testing::scripted_driver>(*in, std::vector{&a})},
             .world = std::make_shared<watched_world>(in, asked)}
        );
        BOOST_TEST_REQUIRE(made.has_value());
        store = std::move(*made);
        in->advance(1s);
        caller = in->self();
        const auto begun = in->now();
        const auto none = store->acquire({.until = deadline::in(10s)});
        caller = nullptr;
        BOOST_TEST_CONTEXT(moment) {
            BOOST_TEST_REQUIRE(!none);
            BOOST_TEST(none.error().code == errc::closed);
            BOOST_TEST((in->now() - begun < 1s));
        }
        store.reset(); // Before what its world asks is gone.
    }
}

BOOST_AUTO_TEST_CASE(says_which_leases_are_out_when_its_drain_takes_too_long) {
    simulated_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    const auto begun = pair.world.now();
    const auto how = pair.store->drain(deadline::in(1s));
    BOOST_TEST_REQUIRE(!how);
    BOOST_TEST((pair.world.now() - begun == 1s));
    BOOST_TEST(how.error().code == errc::deadline_exceeded);
    BOOST_TEST(how.error().message == "1 leases are still out");
    BOOST_TEST(held->execute("append x").has_value()); // Not closed: what is out goes on.
    BOOST_TEST(pair.write().error().code == errc::closed);
    held->release();
    BOOST_TEST(pair.store->drain(deadline::in(1s)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
