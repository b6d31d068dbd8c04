// SPDX-License-Identifier: Apache-2.0
// An application's own test: its primary dies in the middle of a commit. No server, no sleep.
#define BOOST_TEST_MODULE test_your_failover
#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using hadr::testing::commit_step;
using hadr::testing::site;

// The application: an order is placed once, whatever happens.
bool place_order(hadr::connection_manager& store, const std::string& order) {
    const auto ended = store.transact(
        {.until = hadr::deadline::in(10s)},
        [&](hadr::lease& on) -> hadr::expected<void> {
            const auto done = on.execute("append " + order);
            return done ? hadr::expected<void>() : hadr::expected<void>(done.error());
        }
    );
    if (ended.ended != hadr::outcome::in_doubt)
        return ended.ended == hadr::outcome::committed;
    // The answer was lost: whoever is the primary by now knows whether it was done.
    auto held = store.acquire({.until = hadr::deadline::in(10s)});
    if (!held)
        return false;
    const auto there = held->execute("contains " + order);
    held->release();
    return there && (there->at(0, 0) == "t" || place_order(store, order));
}

BOOST_AUTO_TEST_CASE(an_order_is_placed_once_though_the_primary_dies_while_it_commits) {
    const auto world = std::make_shared<hadr::testing::manual_world>();
    hadr::testing::simulated_store servers(*world);
    const auto store =
        hadr::open(servers.connection_string(), {.drivers = {servers.through()}, .world = world})
            .value();

    // Logged by the primary, and neither replicated nor answered: a moment to die at.
    servers.when(commit_step::logged, [&] { servers.kill(site::one); });
    BOOST_TEST(place_order(*store, "order-1"));
    BOOST_TEST(place_order(*store, "order-2"));
    BOOST_TEST((store->view()->writer == 1U));

    servers.heal();
    BOOST_TEST(world->eventually([&] { return servers.protected_now(); }));
    const std::vector<std::string> once = {"order-1", "order-2"};
    BOOST_TEST(servers.ledger(site::two) == once, boost::test_tools::per_element());
}
