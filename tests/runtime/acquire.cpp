// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

namespace hadr::test {

namespace utf = boost::unit_test;

BOOST_AUTO_TEST_SUITE(acquiring)

BOOST_AUTO_TEST_CASE(gives_the_primary_to_a_writer_and_the_standby_to_a_reader, *utf::label("E7")) {
    simulated_pair pair;
    const auto writer = pair.write();
    BOOST_TEST_REQUIRE(writer.has_value());
    BOOST_TEST(writer->server() == pair.a.at);
    const auto reader = pair.read();
    BOOST_TEST_REQUIRE(reader.has_value());
    BOOST_TEST(reader->server() == pair.b.at);
}

BOOST_AUTO_TEST_CASE(
    ends_at_its_deadline_to_the_tick_whatever_the_servers_do,
    *utf::label("P4") * utf::label("F5") * utf::label("F3")
) {
    using condition = testing::fake_server::condition;
    for (const auto is : {condition::down, condition::mute, condition::full, condition::starting}) {
        simulated_pair pair;
        pair.a.is = pair.b.is = is;
        const auto begun = pair.world.now();
        const auto none = pair.write(3s);
        BOOST_TEST_REQUIRE(!none);
        BOOST_TEST(none.error().code == errc::deadline_exceeded);
        BOOST_TEST((pair.world.now() - begun == 3s));
        BOOST_TEST(none.error().message.find("a:1") != std::string::npos);
        BOOST_TEST(none.error().message.find("b:2") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(with_a_deadline_already_past_gives_only_what_is_idle, *utf::label("P4")) {
    simulated_pair pair;
    const auto begun = pair.world.now();
    const auto none = pair.write(-1s);
    BOOST_TEST_REQUIRE(!none);
    BOOST_TEST((pair.world.now() == begun));
    pair.world.advance(1s);
    BOOST_TEST(pair.write(-1s).has_value());
}

BOOST_AUTO_TEST_CASE(
    leaves_a_session_unharmed_that_it_has_no_time_to_ask, *utf::label("P4") * utf::label("F53")
) {
    simulated_pair pair("Proxy=pgbouncer_session;Pool_Max=1;Pool_Warm=0");
    BOOST_TEST(pair.write().has_value());
    pair.world.advance(10ms);
    const auto before = pair.store->counters().sessions_opened;
    const auto asked = pair.a.statements;
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(pair.write(0s).error().code == errc::deadline_exceeded);
    BOOST_TEST(pair.a.statements == asked);
    BOOST_TEST(pair.a.severed == 0U);
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.store->counters().sessions_opened == before);
}

BOOST_AUTO_TEST_CASE(without_an_intent_has_the_one_of_the_connection_string) {
    for (const auto* const keys :
         {"", "ApplicationIntent=ReadWrite", "ApplicationIntent=ReadOnly"}) {
        simulated_pair pair(keys);
        BOOST_TEST_CONTEXT(keys) {
            const auto held =
                pair.store->acquire({.until = deadline::in(5s), .primary_fallback = false});
            BOOST_TEST_REQUIRE(held.has_value());
            const bool reads = std::string(keys).ends_with("ReadOnly");
            BOOST_TEST(to_string(held->server()) == (reads ? "b:2" : "a:1"));
            BOOST_TEST(pair.write().has_value());
        }
        pair.store.reset();
        pair.world.advance(10s); // Logins under way come to their end.
    }
}

BOOST_AUTO_TEST_CASE(serves_those_who_wait_in_their_order, *utf::label("P5")) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    auto first = pair.write();
    BOOST_TEST_REQUIRE(first.has_value());
    std::vector<int> order;
    for (int i = 0; i < 5; ++i) {
        pair.world.start("waiter", [&, i] {
            const auto mine = pair.write(1min);
            BOOST_TEST(mine.has_value());
            order.push_back(i);
            pair.world.park(pair.world.self(), pair.world.now() + 10ms);
        });
        pair.world.advance(1ms);
    }
    first->release();
    pair.world.advance(1s);
    BOOST_TEST((order == std::vector{0, 1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(never_opens_more_than_the_maximum, *utf::label("P2") * utf::label("P3")) {
    simulated_pair pair("Pool_Max=3;Pool_Warm=1");
    int served = 0;
    for (int i = 0; i < 20; ++i)
        pair.world.start("caller", [&] {
            for (int n = 0; n < 10; ++n) {
                auto mine = pair.write(1min);
                BOOST_TEST(mine.has_value());
                // Its watcher counts apart.
                BOOST_TEST(pair.a.sessions() <= 4U);
                pair.world.park(pair.world.self(), pair.world.now() + 5ms);
                ++served;
            }
        });
    pair.world.advance(10s);
    BOOST_TEST(served == 200);
    BOOST_TEST(pair.store->counters().sessions_lent_now == 0U);
}

BOOST_AUTO_TEST_CASE(attempts_nothing_when_nobody_waits_and_the_minimum_is_met, *utf::label("P7")) {
    simulated_pair pair("Pool_Min=2;Pool_Warm=1");
    pair.world.advance(2s);
    const auto logins = pair.a.logins;
    BOOST_TEST(pair.store->counters().sessions_now == 3U);
    pair.world.advance(1min);
    BOOST_TEST(pair.a.logins == logins);
}

BOOST_AUTO_TEST_CASE(opens_sessions_no_faster_than_the_limit, *utf::label("F56")) {
    simulated_pair pair("Pool_Max=100;Pool_Warm=0;Connects_Per_Second=10");
    pair.world.advance(100ms);
    for (int i = 0; i < 100; ++i)
        pair.world.start("caller", [&] {
            const auto mine = pair.write(1min);
            pair.world.park(pair.world.self(), pair.world.now() + 1min);
        });
    const auto before = pair.a.logins;
    pair.world.advance(2s);
    BOOST_TEST(pair.a.logins - before <= 8U + 20U);
    BOOST_TEST(pair.a.logins - before >= 18U);
    pair.world.advance(3min);
}

BOOST_AUTO_TEST_CASE(stops_waiting_when_the_caller_says_so) {
    simulated_pair pair;
    pair.a.is = pair.b.is = testing::fake_server::condition::down;
    std::stop_source stop;
    std::optional<failure> why;
    pair.world.start("caller", [&] {
        const auto none =
            pair.store->acquire({.until = deadline::in(1h), .stop = stop.get_token()});
        why = none.error();
    });
    pair.world.advance(1s);
    BOOST_TEST(!why.has_value());
    stop.request_stop();
    pair.world.advance(1ms);
    BOOST_TEST_REQUIRE(why.has_value());
    BOOST_TEST(why->code == errc::stopped);
}

BOOST_AUTO_TEST_CASE(
    says_at_once_that_the_password_is_wrong_and_does_not_try_again, *utf::label("F26")
) {
    simulated_pair pair;
    pair.a.is = pair.b.is = testing::fake_server::condition::locked;
    const auto none = pair.write(30s);
    BOOST_TEST_REQUIRE(!none);
    BOOST_TEST(none.error().code == errc::rejected_by_server);
    BOOST_TEST(none.error().sqlstate == "28P01");
    pair.world.advance(1s);
    const auto tries = pair.a.logins + pair.b.logins;
    for (int i = 0; i < 50; ++i)
        BOOST_TEST(!pair.write(30s).has_value());
    BOOST_TEST(pair.a.logins + pair.b.logins == tries);
    pair.world.advance(30s);
    BOOST_TEST(pair.a.logins + pair.b.logins <= 2U);
    BOOST_TEST(pair.count(event_kind::login_refused) == 2U);
}

BOOST_AUTO_TEST_CASE(counts_a_full_server_as_full_and_not_as_down, *utf::label("F25")) {
    simulated_pair pair("Pool_Max=5");
    const auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.a.is = testing::fake_server::condition::full;
    const auto second = pair.write(2s);
    BOOST_TEST(!second.has_value());
    BOOST_TEST(held->current());
    BOOST_TEST((pair.store->view()->writer == 0U));
    BOOST_TEST(pair.count(event_kind::primary_lost) == 0U);
}

BOOST_AUTO_TEST_CASE(
    resets_what_was_returned_dirty_and_nothing_else, *utf::label("P6") * utf::label("F52")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    {
        auto clean = pair.write();
        BOOST_TEST_REQUIRE(clean.has_value());
        BOOST_TEST(clean->execute("select 1").has_value());
    }
    pair.world.advance(10ms);
    BOOST_TEST(pair.a.resets == 0U);
    {
        auto dirty = pair.write();
        BOOST_TEST(dirty->execute("SET search_path = x").has_value());
    }
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.a.resets == 1U);
    {
        auto open = pair.write();
        BOOST_TEST(open->execute("BEGIN").has_value());
    }
    BOOST_TEST((pair.write()->transaction() == transaction_status::idle));
    BOOST_TEST(pair.a.resets == 2U);
    static_cast<void>(pair.write()->native());
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.a.resets == 3U);
}

BOOST_AUTO_TEST_CASE(
    leaves_nothing_of_a_waiter_that_gave_up, *utf::label("P3") * utf::label("P5")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(!pair.write(100ms).has_value());
    BOOST_TEST(pair.store->counters().waiters_now == 0U);
    held->release();
    const auto waited = pair.store->counters().acquire_waited;
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.store->counters().acquire_waited == waited);
}

BOOST_AUTO_TEST_CASE(
    backs_off_from_a_full_server_and_keeps_no_place_for_what_failed,
    *utf::label("P3") * utf::label("P7") * utf::label("F25")
) {
    simulated_pair pair("Pool_Max=2;Pool_Warm=0");
    const auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.a.is = testing::fake_server::condition::full;
    const auto before = pair.a.logins;
    BOOST_TEST(!pair.write(10s).has_value());
    BOOST_TEST(pair.a.logins - before >= 10U);
    BOOST_TEST(pair.a.logins - before <= 40U);
    pair.a.is = testing::fake_server::condition::up;
    BOOST_TEST(pair.write(3s).has_value());
}

BOOST_AUTO_TEST_CASE(
    tries_refused_credentials_again_after_a_while, *utf::label("P9") * utf::label("F26")
) {
    simulated_pair pair;
    pair.a.is = pair.b.is = testing::fake_server::condition::locked;
    BOOST_TEST(!pair.write(1s).has_value());
    pair.a.is = pair.b.is = testing::fake_server::condition::up;
    pair.world.advance(2min);
    BOOST_TEST(pair.write(1s).has_value());
}

BOOST_AUTO_TEST_CASE(
    goes_on_beside_logins_that_are_refused, *utf::label("F26") * utf::label("E10")
) {
    simulated_pair pair("Pool_Max=2;Pool_Warm=0");
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.world.advance(1s);
    pair.a.is = testing::fake_server::condition::locked; // As while a password is changed.
    const auto logins = pair.a.logins;
    BOOST_TEST((pair.write(2s).error().code == errc::deadline_exceeded)
    ); // One is out, and will be back.
    held->release();
    BOOST_TEST(pair.count(event_kind::login_refused) == 1U);
    for (int i = 0; i < 5; ++i) {
        pair.world.advance(10s);
        const auto begun = pair.world.now();
        BOOST_TEST(pair.write().has_value());
        BOOST_TEST((pair.world.now() == begun));
    }
    BOOST_TEST(pair.a.logins == logins + 1);
    BOOST_TEST(pair.count(event_kind::primary_lost) == 0U);
    pair.a.is = testing::fake_server::condition::up;
    pair.world.advance(30s);
    held = pair.write();
    BOOST_TEST(pair.write(1s).has_value());
}

BOOST_AUTO_TEST_CASE(
    takes_an_accepted_login_for_the_end_of_refusals, *utf::label("F26") * utf::label("P9")
) {
    int lent = 0;
    simulated_pair pair;
    pair.reopen(
        "Pool_Min=2;Pool_Max=2;Pool_Warm=0",
        {.refused = [&](const target& to) -> std::optional<failure> {
            if (to.why != purpose::lend || ++lent > 1)
                return std::nullopt;
            return make_failure(errc::rejected_by_server, advice::give_up, "no");
        }}
    );
    pair.world.advance(1s);
    BOOST_TEST(pair.store->counters().logins_failed == 1U);
    BOOST_TEST(pair.a.sessions() == 2U + 1U);
}

BOOST_AUTO_TEST_CASE(
    names_a_standby_without_the_login_when_it_is_promoted, *utf::label("C41") * utf::label("F26")
) {
    simulated_pair pair;
    pair.reopen("Pool_Warm=1", {.refused = [&](const target& to) -> std::optional<failure> {
                    if (to.why == purpose::watch || to.at.host != "b")
                        return std::nullopt;
                    return make_failure(errc::rejected_by_server, advice::give_up, "no such user");
                }});
    BOOST_TEST(pair.write().has_value());
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s);
    BOOST_TEST((pair.store->view()->writer == 1U)); // No outage of the server.
    const auto none = pair.write(5s);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::standby_not_provisioned);
    BOOST_TEST(pair.store->explain().candidates[1].why.find("C41") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(fails_where_no_thread_can_be_had_and_recovers, *utf::label("F48")) {
    simulated_pair pair;
    pair.world.allow_agents(false);
    const auto none = pair.write(1s);
    BOOST_TEST(!none.has_value());
    pair.world.allow_agents(true);
    BOOST_TEST(pair.write(5s).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
