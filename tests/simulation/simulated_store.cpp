// SPDX-License-Identifier: Apache-2.0
#include "simulation/marks.hpp"

#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <stdexcept>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using testing::commit_step;
using testing::site;

namespace {

/// An application on a simulated store.
struct simulated {
    explicit simulated(const std::string& more = {}) {
        auto made = hadr::open(
            servers.connection_string() + more, {.drivers = {servers.through()}, .world = world}
        );
        BOOST_REQUIRE(made.has_value());
        store = std::move(*made);
    }

    ~simulated() { store.reset(); }

    commit_result write(const std::string& token, duration within = 10s) {
        return store->transact({.until = deadline::in(within)}, [&](lease& on) -> expected<void> {
            const auto done = on.execute("append " + token);
            return done ? expected<void>() : expected<void>(done.error());
        });
    }

    bool committed(const std::string& token) { return write(token).ended == outcome::committed; }

    bool whole(duration within = 30s) {
        return world->eventually([this] { return servers.protected_now(); }, within);
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    testing::simulated_store servers{*world};
    std::unique_ptr<connection_manager> store;
};

bool is_bug(const std::function<void()>& request) {
    try {
        request();
    } catch (const std::logic_error& why) {
        return std::string_view(why.what()).starts_with("bug in test: ");
    }
    return false;
}

}

BOOST_AUTO_TEST_SUITE(the_simulated_store)

BOOST_AUTO_TEST_CASE(refuses_what_no_store_could_meet) {
    simulated on;
    auto& servers = on.servers;
    BOOST_TEST(is_bug([&] { servers.kill(site::client); }));
    BOOST_TEST(is_bug([&] { servers.thaw(site::one); }));
    BOOST_TEST(is_bug([&] { servers.mend(site::one, site::two); }));
    BOOST_TEST(is_bug([&] { servers.cut(site::one, site::one); }));
    BOOST_TEST(is_bug([&] { servers.restart(site::one); }));
    BOOST_TEST(is_bug([&] { servers.set_loss(site::one, site::two, 101); }));
    BOOST_TEST(is_bug([&] { servers.set_delay(site::one, site::two, -1ms); }));
    BOOST_TEST(is_bug([&] { servers.reset(site::one, site::two); }));
    servers.kill(site::one);
    BOOST_TEST(is_bug([&] { servers.kill(site::one); }));
    BOOST_TEST(is_bug([&] { servers.freeze(site::one); }));
    BOOST_TEST(is_bug([&] { static_cast<void>(servers.cancel_waiting(site::one)); }));
    servers.kill(site::witness);
    BOOST_TEST(is_bug([&] { static_cast<void>(servers.switch_over()); }));
}

BOOST_AUTO_TEST_CASE(
    whose_name_leads_to_another_cluster_for_a_while_is_found_again,
    *utf::label("F10") * utf::label("E9")
) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.rebind(site::one, true);
    on.servers.reset(site::client, site::one);
    on.world->advance(5s);
    BOOST_TEST(!on.store->view()->writer.has_value());
    BOOST_TEST(on.store->view()->members[0].refused);
    BOOST_TEST(!on.committed("meanwhile"));
    on.servers.rebind(site::one, false);
    BOOST_TEST(on.world->eventually([&] { return on.store->view()->writer == 0U; }, 5s));
    BOOST_TEST(on.committed("after"));
    BOOST_TEST(on.servers.strays() == 0U);
}

BOOST_AUTO_TEST_CASE(
    that_was_promoted_beside_the_engine_is_refused_and_taken_back,
    *utf::label("F13") * utf::label("F14") * utf::label("E1")
) {
    simulated on;
    on.servers.kill(site::one);
    BOOST_TEST(on.world->eventually([&] { return on.store->view()->writer == 1U; }, 30s));
    on.servers.promote_apart(site::one);
    on.world->advance(1s);
    BOOST_TEST(on.servers.state(site::one).writable);
    BOOST_TEST(on.servers.state(site::one).timeline == on.servers.state(site::two).timeline);
    BOOST_TEST((on.store->view()->writer == 1U));
    BOOST_TEST(on.store->view()->members[0].refused);
    BOOST_TEST(on.committed("there"));
    BOOST_TEST(on.servers.ledger(site::one).empty());
    on.servers.restart(site::one);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.servers.state(site::one).in_recovery);
}

BOOST_AUTO_TEST_CASE(refuses_an_engine_that_could_not_be) {
    testing::manual_world world;
    using settings = testing::simulated_store::settings;
    const auto refused = [&](const settings& how) {
        return is_bug([&] { const testing::simulated_store made(world, how); });
    };
    BOOST_TEST(refused({.keeper_period = 0s}));
    BOOST_TEST(refused({.health_period = -1ms}));
    BOOST_TEST(refused({.link_delay = -1ms}));
    BOOST_TEST(refused({.sessions_max = 0}));
}

BOOST_AUTO_TEST_CASE(
    commits_what_an_application_s_own_statement_writes, *utf::label("F22") * utf::label("E7")
) {
    simulated on;
    on.servers.answer_others([](std::string_view text, answer& into) -> expected<void> {
        if (text == "INSERT INTO orders VALUES ('bad')")
            return make_failure(errc::rejected_by_server, advice::give_up, "check violated");
        into.add_column("id");
        into.add_value("7");
        return {};
    });
    std::size_t steps = 0;
    on.servers.watch_commits([&](commit_step, site, std::string_view) { ++steps; });
    {
        auto held = on.store->acquire({.until = deadline::in(10s)});
        BOOST_REQUIRE(held.has_value());
        const std::array<parameter, 1> values = {"'x'"};
        const auto made = held->execute("INSERT INTO orders VALUES ($1) RETURNING id", values);
        BOOST_REQUIRE(made.has_value());
        BOOST_TEST(made->at(0, 0).value_or("") == "7");
        BOOST_TEST(!held->execute("INSERT INTO orders VALUES ('bad')").has_value());
        BOOST_TEST(held->execute("SELECT id FROM orders").has_value());
    }
    BOOST_TEST(steps == 7U + 2U); // The one refused was sent and received.
    const std::vector<std::string> there = {"INSERT INTO orders VALUES ('x') RETURNING id"};
    BOOST_TEST(on.servers.ledger(site::one) == there, boost::test_tools::per_element());
    auto reader = on.store->acquire(
        {.intent = intent::read, .until = deadline::in(10s), .primary_fallback = false}
    );
    BOOST_REQUIRE(reader.has_value());
    const auto refused = reader->execute("UPDATE orders SET id = 8");
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().sqlstate == "25006");
}

BOOST_AUTO_TEST_CASE(runs_what_was_to_happen_at_the_commit_of_any_write, *utf::label("F22")) {
    simulated on;
    on.servers.when(commit_step::logged, [&] { on.servers.kill(site::one); });
    on.servers.when(commit_step::answered, [] {});
    BOOST_TEST(on.servers.hooks_left() == 2U);
    auto held = on.store->acquire({.until = deadline::in(10s)});
    BOOST_REQUIRE(held.has_value());
    const auto how = held->execute("UPDATE orders SET id = 8");
    BOOST_REQUIRE(!how.has_value());
    BOOST_TEST((how.error().code == errc::outcome_unknown));
    BOOST_TEST(on.servers.hooks_left() == 1U);
}

BOOST_AUTO_TEST_CASE(takes_a_unique_key_once, *utf::label("M8")) {
    simulated on;
    auto first = on.store->acquire({.until = deadline::in(10s)});
    auto second = on.store->acquire({.until = deadline::in(10s)});
    BOOST_REQUIRE((first.has_value() && second.has_value()));
    BOOST_TEST(first->execute("BEGIN").has_value());
    BOOST_TEST(first->execute("append once k").has_value());
    on.world->later(50ms, [&] { BOOST_TEST(on.servers.ledger(site::one).empty()); });
    on.world->start("first", [&] {
        const auto until = on.world->now() + 100ms;
        while (on.world->now() < until)
            on.world->park(on.world->self(), until);
        BOOST_TEST((first->commit().ended == outcome::committed));
    });
    const auto how = second->execute("append once k"); // Waits for the other's transaction.
    BOOST_REQUIRE(!how.has_value());
    BOOST_TEST(how.error().sqlstate == "23505");
    BOOST_TEST(on.servers.ledger(site::one).size() == 1U);
}

BOOST_AUTO_TEST_CASE(passes_the_steps_of_a_commit_in_order, *utf::label("F22")) {
    simulated on;
    std::vector<commit_step> passed;
    on.servers.watch_commits([&](commit_step step, site, std::string_view token) {
        BOOST_TEST(token == "x");
        passed.push_back(step);
    });
    BOOST_TEST(on.committed("x"));
    const std::vector<commit_step> all = {
        commit_step::sent,
        commit_step::received,
        commit_step::logged,
        commit_step::replicated,
        commit_step::visible,
        commit_step::answered,
        commit_step::answer_received};
    BOOST_TEST((passed == all));
}

BOOST_AUTO_TEST_CASE(fails_over_by_itself_once_the_primary_is_lost, *utf::label("F1")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.kill(site::one);
    BOOST_TEST(on.committed("after"));
    BOOST_TEST((on.servers.named() == site::two));
    BOOST_TEST(on.servers.state(site::two).timeline == 2U);
    BOOST_TEST(!on.servers.state(site::two).synchronous); // wait_primary: exposed.
    on.servers.restart(site::one);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.servers.state(site::one).in_recovery);
    BOOST_TEST(on.servers.ledger(site::one).size() == 2U);
}

BOOST_AUTO_TEST_CASE(does_not_fail_over_for_an_agent_or_a_server_process_alone) {
    simulated on;
    on.servers.kill_keeper(site::one);
    on.world->advance(20s);
    BOOST_TEST((on.servers.named() == site::one));
    on.servers.restart(site::one);
    on.servers.kill_server(site::one);
    on.world->advance(20s);
    BOOST_TEST((on.servers.named() == site::one));
    BOOST_TEST(on.servers.state(site::one).timeline == 1U);
    BOOST_TEST(on.committed("x"));
}

BOOST_AUTO_TEST_CASE(
    leaves_an_old_primary_writable_that_nobody_demotes, *utf::label("F13") * utf::label("F15")
) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.kill_keeper(site::one);
    on.servers.cut(site::one, site::witness); // The witness hears nothing of it any more.
    BOOST_TEST(on.world->eventually([&] { return on.servers.named() == site::two; }));
    BOOST_TEST(on.servers.state(site::one).writable);
    BOOST_TEST(on.committed("after"));
    BOOST_TEST((on.store->view()->writer == 1U));
    BOOST_TEST(on.store->view()->members[0].refused);
}

BOOST_AUTO_TEST_CASE(goes_exposed_when_the_mirror_is_lost_and_comes_back) {
    simulated on;
    on.servers.kill(site::two);
    BOOST_TEST(on.committed("alone"));
    BOOST_TEST(on.servers.state(site::one).assigned == "wait_primary");
    on.servers.restart(site::two);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.servers.ledger(site::two).size() == 1U);
}

BOOST_AUTO_TEST_CASE(holds_commits_back_until_they_are_replicated, *utf::label("F39")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.cut(site::one, site::two);
    const auto how = on.write("held", 100ms);
    BOOST_TEST((how.ended == outcome::in_doubt));
    BOOST_TEST(on.servers.ledger(site::one).size() == 1U);
    on.servers.mend(site::one, site::two);
    on.world->advance(1s);
    BOOST_TEST(on.servers.ledger(site::one).size() == 2U);
}

BOOST_AUTO_TEST_CASE(says_so_when_a_commit_is_local_only, *utf::label("F40")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.cut(site::one, site::two);
    on.world->later(200ms, [&] { BOOST_TEST(on.servers.cancel_waiting(site::one) == 1); });
    BOOST_TEST((on.write("local").ended == outcome::committed_local));
}

BOOST_AUTO_TEST_CASE(does_not_fail_over_without_its_witness, *utf::label("F18")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.kill(site::witness);
    on.world->advance(5s);
    BOOST_TEST(on.committed("still")); // E10
    on.servers.kill(site::one);
    BOOST_TEST(!on.committed("never"));
    on.servers.restart(site::witness);
    BOOST_TEST(on.committed("again"));
}

BOOST_AUTO_TEST_CASE(whose_witness_returns_after_a_reconfigure_is_told_so, *utf::label("S2")) {
    simulated on;
    std::vector<event_kind> told;
    const auto listening = on.store->subscribe([&](const event& what) {
        if (what.what == event_kind::witness_lost || what.what == event_kind::witness_returned)
            told.push_back(what.what);
    });
    BOOST_TEST(on.committed("before"));
    on.servers.kill(site::witness);
    on.world->advance(5s);
    BOOST_TEST(
        on.store->reconfigure(on.servers.connection_string() + ";Idle_Limit=9min").has_value()
    );
    on.servers.restart(site::witness);
    on.world->advance(5s);
    BOOST_TEST((on.store->view()->witness == witness_state::connected));
    const std::vector<event_kind> all = {event_kind::witness_lost, event_kind::witness_returned};
    BOOST_TEST((told == all));
}

// Between any two atomic operations of a hand-out.
BOOST_AUTO_TEST_CASE(
    whose_session_hangs_up_in_the_hands_of_a_taker_is_written_to_again,
    *utf::label("P9") * utf::label("P3")
) {
    for (int points = 0; points < 5; ++points) {
        simulated on(";Pool_Max=1;Pool_Min=0;Pool_Warm=0");
        BOOST_TEST(on.committed("before"));
        on.world->advance(100ms); // Its session is reset, and idle.
        on.world->start("taker", [&] {
            interrupt_after(points, [&] {
                on.servers.reset(site::client, site::one);
                on.world->preempt(20ms);
            });
            static_cast<void>(on.store->acquire({.until = deadline::in(1s)}));
            interrupt_after(0, nullptr);
        });
        on.world->advance(2s);
        BOOST_TEST(on.committed("after"), "after " << points << " points");
    }
}

BOOST_AUTO_TEST_CASE(is_not_given_to_who_comes_while_others_wait, *utf::label("P5")) {
    for (int points = 0; points < 5; ++points) {
        simulated on(";Pool_Max=1;Pool_Warm=0");
        BOOST_TEST(on.committed("before"));
        on.world->advance(100ms);
        std::vector<std::string> order;
        const auto take = [&](const char* who) {
            const auto mine = on.store->acquire({.until = deadline::in(5s)});
            if (mine)
                order.emplace_back(who);
            on.world->preempt(20ms);
        };
        on.world->start("holder", [&] {
            auto mine = on.store->acquire({.until = deadline::in(5s)});
            on.world->start("waiter", [&] { take("waiter"); });
            on.world->preempt(20ms);
            interrupt_after(points, [&] {
                on.world->start("newcomer", [&] { take("newcomer"); });
                on.world->preempt(5ms);
            });
            mine->release();
        });
        on.world->advance(2s);
        interrupt_after(0, nullptr);
        if (order.size() > 1) // The newcomer came: before the session was offered, or after.
            BOOST_TEST(order.front() == "waiter", "after " << points << " points");
    }
}

BOOST_AUTO_TEST_CASE(shows_another_lineage_after_a_restore, *utf::label("F17") * utf::label("E9")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.rebuild("8");
    BOOST_TEST(!on.committed("refused"));
    BOOST_TEST(on.store->accept_lineage(testing::simulated_store::at(site::one)).has_value());
    BOOST_TEST(on.committed("after"));
}

BOOST_AUTO_TEST_CASE(is_pushed_about_by_its_witness, *utf::label("C18")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    BOOST_TEST(on.servers.switch_over());
    BOOST_TEST(on.committed("after"));
    BOOST_TEST(on.store->counters().pushes != 0U);
    BOOST_TEST(on.whole());
    BOOST_TEST((on.servers.named() == site::two));
}

BOOST_AUTO_TEST_CASE(
    keeps_its_pools_with_one_timer_at_a_time, *utf::label("T3") * utf::label("F56")
) {
    simulated all(";Connects_Per_Second=1;Pool_Max=90;Pool_Min=90;Pool_Warm=45");
    const auto waits = [&] {
        unsigned long long times = 0;
        for (const auto& one : all_marks())
            if (one.name == "login waits for the storm limit")
                times += one.times;
        return times;
    };
    const auto in_five_seconds = [&] {
        const auto before = waits();
        all.world->advance(5s);
        return waits() - before;
    };
    all.world->advance(1s);
    const auto early = in_five_seconds();
    all.world->advance(15s);
    BOOST_TEST(in_five_seconds() <= 2 * early);
}

BOOST_AUTO_TEST_SUITE_END()

}
