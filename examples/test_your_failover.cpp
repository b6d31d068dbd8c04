// SPDX-License-Identifier: Apache-2.0
// An application's own test: its primary dies in the middle of a commit. No server, no sleep.
#define BOOST_TEST_MODULE test_your_failover
#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using hadr::testing::commit_step;
using hadr::testing::site;

// The application. An order has a unique key, so that placing it again is harmless; a look whether
// it is there would prove nothing, since a commit whose answer was lost may still come.
enum class order_state {
    placed,
    refused,
    open
};

order_state place(hadr::connection_manager& store, const std::string& order) {
    const auto how = store.transact(
        {.until = hadr::deadline::in(10s)},
        [&](hadr::lease& on) -> hadr::expected<void> {
            const auto done = on.execute("append once " + order);
            return done ? hadr::expected<void>() : hadr::expected<void>(done.error());
        }
    );
    switch (how.ended) {
    case hadr::outcome::committed:
    case hadr::outcome::committed_local: return order_state::placed; // Perhaps not replicated yet.
    case hadr::outcome::in_doubt: return order_state::open; // To be placed again, with its key.
    case hadr::outcome::not_committed: break;
    }
    const bool there = how.cause->sqlstate == "23505"; // The key is taken: an earlier try did it.
    return there ? order_state::placed : order_state::refused;
}

BOOST_AUTO_TEST_CASE(an_order_is_placed_once_though_the_primary_dies_while_it_commits) {
    for (const auto moment : {commit_step::logged, commit_step::replicated}) {
        const auto world = std::make_shared<hadr::testing::manual_world>();
        hadr::testing::simulated_store servers(*world);
        const hadr::open_options options{.drivers = {servers.through()}, .world = world};
        const auto store = hadr::open(servers.connection_string(), options).value();

        servers.when(moment, [&] { servers.kill(site::one); });
        BOOST_TEST((place(*store, "order-1") == order_state::open));
        BOOST_TEST(servers.hooks_left() == 0U);
        BOOST_TEST((place(*store, "order-1") == order_state::placed)); // On the mirror by now.
        BOOST_TEST((store->view()->writer == 1U));

        servers.heal();
        BOOST_TEST(world->eventually([&] { return servers.protected_now(); }));
        const std::vector<std::string> once = {"order-1"};
        BOOST_TEST(servers.ledger(site::two) == once, boost::test_tools::per_element());
    }
}
