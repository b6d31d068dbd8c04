// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// Stores of one process: they share workers and watchers.
struct crowd {
    std::vector<event> told;
    std::shared_ptr<testing::manual_world> world_owner = std::make_shared<testing::manual_world>(1);
    testing::manual_world& world = *world_owner;
    std::shared_ptr<runtime_handle> runtime = make_runtime(world_owner);
    testing::fake_server a{{"a", 1, {}}};
    testing::fake_server b{{"b", 2, {}}};
    testing::fake_server c{{"c", 3, {}}};
    testing::fake_server d{{"d", 4, {}}};

    crowd() {
        for (const auto* name : {"a", "b", "c", "d"})
            world.set_name(name, {{"10.0.0.1"}, 1ms});
        b.follow(a);
        d.follow(c);
    }

    // Logins that still hang come to their end, and let go of what they own.
    ~crowd() {
        runtime.reset();
        world.advance(2h);
    }

    std::unique_ptr<connection_manager>
    open(std::string_view servers, std::string_view database = "d", taps with = {}) {
        auto scripted =
            std::make_shared<testing::scripted_driver>(world, std::vector{&a, &b, &c, &d});
        auto made = hadr::open(
            "Mode=mirroring;UID=u;Encrypt=disable;Database=" + std::string(database) + ";" +
                std::string(servers),
            {.drivers = {std::make_shared<tapped_driver>(std::move(scripted), std::move(with))},
             .world = world_owner,
             .runtime = runtime,
             .on_event = [this](const event& what) { told.push_back(what); }}
        );
        if (!made)
            BOOST_FAIL(to_string(made.error()));
        return std::move(*made);
    }

    std::size_t count(event_kind kind) const {
        return static_cast<std::size_t>(std::count_if(
            told.begin(), told.end(), [&](const event& one) { return one.what == kind; }
        ));
    }
};

constexpr std::string_view on_a_and_b = "Server=a:1;Failover_Partner=b:2";
constexpr std::string_view on_c_and_d = "Server=c:3;Failover_Partner=d:4";

}

BOOST_AUTO_TEST_SUITE(a_crowd_of_logins)

BOOST_AUTO_TEST_CASE(
    waits_for_workers_without_being_called_late,
    *utf::label("F56") * utf::label("P9") * utf::label("T2")
) {
    crowd all;
    all.a.login_time = all.b.login_time = 500ms;
    std::vector<std::unique_ptr<connection_manager>> stores;
    for (int i = 0; i < 100; ++i)
        stores.push_back(all.open(on_a_and_b));
    // 300 sessions by 16 workers take 10 s, twice the time that one login has.
    std::uint64_t failed = 0;
    for (const auto& one : stores) {
        BOOST_TEST_REQUIRE(one->acquire({.until = deadline::in(20s)}).has_value());
        failed += one->counters().logins_failed;
    }
    BOOST_TEST(failed == 0U);
    BOOST_TEST(all.count(event_kind::member_lost) == 0U);
    all.world.advance(20s);
    BOOST_TEST(all.a.sessions() == 100U + 1U); // And no more than were wanted.
    BOOST_TEST(all.b.sessions() == 200U + 1U);
    BOOST_TEST(all.a.logins + all.b.logins == 300U + 2U);
}

BOOST_AUTO_TEST_CASE(that_hang_keeps_no_watcher_waiting, *utf::label("F5") * utf::label("F46")) {
    crowd all;
    const auto first = all.open(on_a_and_b);
    BOOST_TEST(first->acquire({.until = deadline::in(5s)}).has_value());
    all.a.login_time = all.b.login_time = 1h;
    std::vector<std::unique_ptr<connection_manager>> stores;
    for (int i = 0; i < 20; ++i)
        stores.push_back(all.open(on_a_and_b));
    all.world.advance(1s);
    const auto other = all.open(on_c_and_d);
    all.world.advance(500ms);
    BOOST_TEST((other->view()->writer == 0U));
}

BOOST_AUTO_TEST_CASE(that_hang_leave_the_queue_to_others, *utf::label("F50") * utf::label("P9")) {
    crowd all;
    const auto first = all.open(on_a_and_b);
    BOOST_TEST(first->acquire({.until = deadline::in(5s)}).has_value());
    all.a.login_time = all.b.login_time = 1h;
    std::vector<std::unique_ptr<connection_manager>> stores;
    for (int i = 0; i < 6; ++i)
        stores.push_back(all.open(on_a_and_b));
    all.world.advance(1s);
    const auto other = all.open(on_c_and_d);
    BOOST_TEST(other->acquire({.until = deadline::in(15s)}).has_value());
}

BOOST_AUTO_TEST_CASE(
    to_another_database_of_the_same_servers_may_be_refused_alone,
    *utf::label("F26") * utf::label("P2")
) {
    const auto runs = [](const char* sqlstate, duration after) {
        crowd all;
        const auto refused = [&](const target& to) -> std::optional<failure> {
            if ((to.database.empty() ? to.with->database : to.database) != "wrong")
                return std::nullopt;
            auto why = make_failure(errc::rejected_by_server, advice::give_up, "no");
            why.sqlstate = sqlstate;
            return why;
        };
        const auto wrong = all.open(on_a_and_b, "wrong", {.refused = refused});
        all.world.advance(after);
        const auto right = all.open(on_a_and_b, "d", {.refused = refused});
        const auto none = wrong->acquire({.until = deadline::in(5s)});
        BOOST_TEST_REQUIRE(!none.has_value());
        BOOST_TEST(none.error().sqlstate == sqlstate);
        BOOST_TEST(right->acquire({.until = deadline::in(5s)}).has_value());
        for (int i = 0; i < 10; ++i) {
            all.world.advance(10s);
            const auto begun = all.world.now();
            BOOST_TEST(right->acquire({.until = deadline::in(5s)}).has_value());
            BOOST_TEST((all.world.now() == begun)); // The view is fresh.
        }
        all.a.kill(); // The watch sessions too.
        all.world.advance(1s);
        all.a.is = testing::fake_server::condition::up;
        all.world.advance(1s);
        BOOST_TEST(right->acquire({.until = deadline::in(1s)}).has_value());
    };
    for (const auto* sqlstate : {"3D000", "28000", "42501"})
        for (const duration after :
             {duration::zero(), duration(1s)}) // While the watcher logs in, and long after.
            runs(sqlstate, after);
}

BOOST_AUTO_TEST_CASE(
    grows_under_statements_that_are_all_slower_than_a_suspicion, *utf::label("P9")
) {
    simulated_pair pair("Pool_Max=10;Pool_Warm=0");
    pair.world.advance(1s);
    pair.a.answer_time = 30ms;
    bool stopping = false;
    for (int i = 0; i < 20; ++i) {
        pair.world.start("caller", [&] {
            while (!stopping) {
                auto held = pair.write(1h);
                if (held)
                    static_cast<void>(held->execute("select 1"));
            }
        });
        pair.world.advance(40ms);
    }
    pair.world.advance(2s);
    BOOST_TEST(pair.a.sessions() == 10U + 1U);
    stopping = true;
    pair.world.advance(5s);
}

BOOST_AUTO_TEST_SUITE_END()

}
