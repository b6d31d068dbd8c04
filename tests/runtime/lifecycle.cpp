// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

#include <stdexcept>

namespace hadr::test {

namespace utf = boost::unit_test;

BOOST_AUTO_TEST_SUITE(the_life_of_a_store)

BOOST_AUTO_TEST_CASE(names_process_and_store_to_the_server_unless_told_otherwise) {
    for (const auto& [keys, name] :
         {std::pair{"Store_Name=orders", "hadr test:1 orders"},
          std::pair{"Application_Name=mine", "mine"}}) {
        std::vector<std::string> told;
        simulated_pair pair;
        pair.reopen(keys, {.login = [&](target& to) {
                        told.push_back(to.with->application_name);
                    }});
        BOOST_TEST(pair.write().has_value());
        BOOST_TEST_REQUIRE(!told.empty());
        for (const auto& one : told)
            BOOST_TEST(one == name);
        pair.store.reset();
    }
}

BOOST_AUTO_TEST_CASE(begins_without_a_server_in_reach, *utf::label("F33")) {
    simulated_pair pair;
    pair.a.is = pair.b.is = testing::fake_server::condition::down;
    BOOST_TEST(!pair.store->explain().available);
    pair.world.advance(1min);
    pair.a.is = pair.b.is = testing::fake_server::condition::starting;
    pair.world.advance(1s);
    pair.a.is = pair.b.is = testing::fake_server::condition::up;
    BOOST_TEST(pair.write(2s).has_value());
}

BOOST_AUTO_TEST_CASE(
    watches_a_server_by_its_socket_once_there_is_a_thread, *utf::label("F48") * utf::label("P9")
) {
    const auto world = std::make_shared<testing::manual_world>();
    testing::fake_server server{{"/there", 0, {}}};
    const auto store = hadr::open(
        "Server=/there;Database=d;UID=u",
        {.drivers = {std::make_shared<testing::scripted_driver>(*world, std::vector{&server})},
         .world = world}
    );
    BOOST_TEST_REQUIRE(store.has_value());
    world->allow_agents(false); // But for the reactor, none can be had from now on.
    world->advance(3s);
    BOOST_TEST(server.logins == 0U);
    world->allow_agents(true);
    BOOST_TEST((*store)->acquire({.until = deadline::in(2s)}).has_value());
}

BOOST_AUTO_TEST_CASE(is_not_opened_where_nothing_could_watch_it, *utf::label("F48")) {
    const auto world = std::make_shared<testing::manual_world>();
    testing::fake_server server{{"/there", 0, {}}};
    const auto open = [&] {
        return hadr::open(
            "Server=/there;Database=d;UID=u",
            {.drivers = {std::make_shared<testing::scripted_driver>(*world, std::vector{&server})},
             .world = world}
        );
    };
    world->allow_agents(false);
    const auto none = open();
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().native == local_cause);
    BOOST_TEST((none.error().next == advice::retry));
    world->allow_agents(true);
    const auto store = open();
    BOOST_TEST_REQUIRE(store.has_value());
    BOOST_TEST((*store)->acquire({.until = deadline::in(2s)}).has_value());
}

BOOST_AUTO_TEST_CASE(needs_proof_for_its_first_writer, *utf::label("E4")) {
    {
        simulated_pair pair;
        pair.b.is = testing::fake_server::condition::down;
        BOOST_TEST(!pair.write(2s).has_value()); // The partner might have been promoted.
        pair.b.is = testing::fake_server::condition::up;
        BOOST_TEST(pair.write(2s).has_value());
    }
    simulated_pair pair("Cold_Start=alone");
    pair.b.is = testing::fake_server::condition::down;
    BOOST_TEST(pair.write(2s).has_value());
}

BOOST_AUTO_TEST_CASE(
    remembers_its_highest_epoch_over_a_restart,
    *utf::label("E1") * utf::label("E2") * utf::label("F15")
) {
    simulated_pair pair("State_File=/state");
    BOOST_TEST(pair.write().has_value());
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s);
    BOOST_TEST(pair.write()->server() == pair.b.at);
    BOOST_TEST(pair.world.file("/state").find("term 2") != std::string::npos);
    pair.store.reset();
    pair.b.kill();
    pair.a.is = testing::fake_server::condition::up; // Timeline 1, read-write, alone.
    pair.open("State_File=/state;Cold_Start=alone");
    BOOST_TEST(!pair.write(3s).has_value());
    BOOST_TEST(pair.store->view()->members[0].refused);
}

BOOST_AUTO_TEST_CASE(
    leaves_the_latest_epoch_in_its_file_however_slow_the_disk, *utf::label("E1") * utf::label("E2")
) {
    simulated_pair pair("State_File=/state");
    pair.world.set_disk({.save_time = 500ms});
    BOOST_TEST(pair.write().has_value());
    pair.world.set_disk({});
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(100ms);
    BOOST_TEST((pair.store->view()->writer == 1U));
    pair.store.reset(); // Even now.
    pair.world.advance(1s);
    BOOST_TEST(pair.world.file("/state").find("term 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    writes_its_file_again_until_it_succeeds, *utf::label("E1") * utf::label("E2")
) {
    simulated_pair pair("State_File=/state");
    BOOST_TEST(pair.write().has_value());
    pair.world.set_disk({.broken = true});
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(5s);
    BOOST_TEST(pair.world.file("/state").find("term 1") != std::string::npos);
    pair.world.set_disk({});
    pair.world.advance(2s);
    BOOST_TEST(pair.world.file("/state").find("term 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    that_cannot_read_its_file_trusts_no_single_word, *utf::label("E1") * utf::label("F17")
) {
    for (const bool broken : {false, true}) {
        simulated_pair pair;
        pair.store.reset();
        pair.told.clear();
        pair.world.set_file("/state", "hadr-state 1\nlineage 1\nterm");
        pair.world.set_disk({.broken = broken});
        pair.b.is = testing::fake_server::condition::down;
        pair.open("State_File=/state;Cold_Start=alone");
        BOOST_TEST(!pair.write(2s).has_value());
        BOOST_TEST(pair.count(event_kind::advice) == 1U);
        pair.b.is = testing::fake_server::condition::up;
        BOOST_TEST(pair.write(2s).has_value());
        pair.world.set_disk({});
        pair.world.advance(2s);
        BOOST_TEST(pair.world.file("/state").ends_with("end\n"));
    }
}

BOOST_AUTO_TEST_CASE(
    reads_and_writes_another_file_once_it_is_told_to, *utf::label("E1") * utf::label("C12")
) {
    const std::string keys = "Mode=mirroring;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;"
                             "Encrypt=disable";
    simulated_pair pair("State_File=/state");
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.store->reconfigure(keys + ";State_File=/second").has_value());
    pair.world.advance(1s);
    BOOST_TEST(pair.world.file("/second") == pair.world.file("/state"));
    pair.world.set_file("/third", "hadr-state 1\nlineage 1\nterm 5\nend\n");
    BOOST_TEST(pair.store->reconfigure(keys + ";State_File=/third").has_value());
    pair.world.advance(1s);
    BOOST_TEST(pair.store->view()->members[0].refused); // Of an epoch that is older by now.
    BOOST_TEST(pair.store->reconfigure(keys).has_value());
    pair.world.advance(1s);
    BOOST_TEST((pair.store->view()->writer == std::nullopt));
}

BOOST_AUTO_TEST_CASE(
    ends_while_callers_wait_and_leases_are_out, *utf::label("P8") * utf::label("F55")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    std::optional<failure> why;
    pair.world.start("waiter", [&] {
        const auto none = pair.write(1h);
        why = none.error();
    });
    pair.world.advance(10ms);
    BOOST_TEST(pair.store->close() == 0U);
    pair.world.advance(1ms);
    BOOST_TEST_REQUIRE(why.has_value());
    BOOST_TEST(why->code == errc::closed);
    BOOST_TEST(pair.store->close() == 0U); // Idempotent.
    BOOST_TEST(pair.write().error().code == errc::closed);
    pair.store.reset();
    BOOST_TEST(!held->current());
    held->release();
    BOOST_TEST(pair.a.sessions() == 0U);
    BOOST_TEST(pair.b.sessions() == 0U);
    BOOST_TEST(pair.world.agents() == 0U);
}

BOOST_AUTO_TEST_CASE(
    tells_whoever_waits_that_it_ends_and_is_back_at_once, *utf::label("P8") * utf::label("F55")
) {
    simulated_pair pair;
    pair.a.is = pair.b.is = testing::fake_server::condition::down;
    std::vector<std::error_code> told;
    for (const auto wanted : {intent::write, intent::read})
        pair.world.start("waiter", [&, wanted] {
            const auto none = pair.store->acquire({.intent = wanted, .until = deadline::in(1h)});
            told.push_back(none.error().code);
        });
    pair.world.advance(1s);
    BOOST_TEST(told.empty());
    const auto begun = pair.world.now();
    BOOST_TEST(pair.store->close() == 0U);
    BOOST_TEST((pair.world.now() - begun <= 10ms));
    pair.world.advance(1ms);
    BOOST_TEST_REQUIRE(told.size() == 2U);
    BOOST_TEST(told[0] == errc::closed);
    BOOST_TEST(told[1] == errc::closed);
}

BOOST_AUTO_TEST_CASE(drains_before_it_closes) {
    simulated_pair pair;
    auto held = pair.write();
    pair.world.later(500ms, [&] { held->release(); });
    const auto begun = pair.world.now();
    BOOST_TEST(pair.store->drain(deadline::in(5s)).has_value());
    BOOST_TEST(((pair.world.now() - begun) >= 500ms));
    BOOST_TEST(pair.write().error().code == errc::closed);
}

BOOST_AUTO_TEST_CASE(gives_nothing_in_the_child_of_a_fork, *utf::label("F43") * utf::label("P10")) {
    simulated_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST_REQUIRE(pair.write().has_value()); // Idle from now on, and not for the child.
    pair.world.fork_child();
    BOOST_TEST(pair.write().error().code == errc::closed);
    BOOST_TEST(held->execute("append x").error().code == errc::closed);
    held->release();
    BOOST_TEST(pair.a.severed == 0U);
}

BOOST_AUTO_TEST_CASE(waits_for_nobody_in_the_child_of_a_fork, *utf::label("F43")) {
    simulated_pair pair;
    const auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    auto listening = pair.store->subscribe([](const event&) {});
    pair.world.fork_child();
    const auto begun = pair.world.now();
    const auto spec = "Server=a:1;Database=d;UID=u;Encrypt=disable";
    listening.reset();
    BOOST_TEST(pair.store->drain(deadline::in(5s)).error().code == errc::closed);
    BOOST_TEST(pair.store->execute({}).error().code == errc::closed);
    BOOST_TEST(pair.store->offline(pair.a.at).error().code == errc::closed);
    BOOST_TEST(pair.store->reconfigure(spec).error().code == errc::closed);
    BOOST_TEST(pair.store->close() == 0U);
    const auto own =
        hadr::open(spec, {.drivers = {pair.scripted({&pair.a})}, .world = pair.world_owner});
    BOOST_TEST_REQUIRE(!own.has_value());
    BOOST_TEST(own.error().message.find("child of a fork") != std::string::npos);
    BOOST_TEST((pair.world.now() == begun));
    BOOST_TEST(pair.a.severed == 0U);
}

BOOST_AUTO_TEST_CASE(
    survives_listeners_that_throw_and_that_call_it, *utf::label("F44") * utf::label("F45")
) {
    simulated_pair pair;
    int calls = 0;
    const auto throwing =
        pair.store->subscribe([&](const event&) -> void { throw std::runtime_error("no"); });
    const auto calling = pair.store->subscribe([&](const event&) {
        ++calls;
        static_cast<void>(pair.store->view());
        static_cast<void>(pair.store->explain());
        static_cast<void>(pair.write(1s));
    });
    BOOST_TEST(pair.write().has_value());
    pair.a.kill();
    pair.b.promote();
    BOOST_TEST(pair.write().has_value());
    pair.world.advance(5s);
    BOOST_TEST(calls >= 3);
    BOOST_TEST(pair.store->counters().listener_failures >= 3U);
}

BOOST_AUTO_TEST_CASE(reports_a_lease_that_is_out_for_too_long, *utf::label("F42")) {
    simulated_pair pair("Lease_Limit=10s");
    auto held = pair.write();
    pair.world.advance(9s);
    BOOST_TEST(pair.count(event_kind::lease_leaked) == 0U);
    pair.world.advance(1min);
    BOOST_TEST(pair.count(event_kind::lease_leaked) == 1U);
    BOOST_TEST(held->current());
}

BOOST_AUTO_TEST_CASE(cuts_a_lease_that_is_held_longer_than_asked) {
    simulated_pair pair;
    auto held = pair.store->acquire({.until = deadline::in(5s), .hold = 2s});
    BOOST_TEST_REQUIRE(held.has_value());
    pair.world.advance(1900ms);
    BOOST_TEST(held->current());
    pair.world.advance(200ms);
    BOOST_TEST(!held->current());
}

BOOST_AUTO_TEST_CASE(keeps_one_timer_for_many_short_leases) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    BOOST_TEST(pair.write().has_value());
    const auto events_of_a_second = [&] {
        const auto before = pair.world.counted().events;
        pair.world.advance(1s);
        return pair.world.counted().events - before;
    };
    pair.world.advance(1s);
    const auto calm = events_of_a_second();
    for (int i = 0; i < 900; ++i) {
        BOOST_TEST(pair.store->acquire({.until = deadline::in(1s), .hold = 3s}).has_value());
        pair.world.advance(1ms);
    }
    pair.world.advance(2100ms);
    BOOST_TEST(events_of_a_second() <= calm + 50U);
}

BOOST_AUTO_TEST_CASE(
    leaves_the_next_lease_of_a_session_alone, *utf::label("P1") * utf::label("E5")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    auto first = pair.store->acquire({.until = deadline::in(5s), .hold = 2s});
    BOOST_TEST_REQUIRE(first.has_value());
    pair.world.advance(1s);
    first->release();
    const auto next = pair.write();
    BOOST_TEST_REQUIRE(next.has_value());
    pair.world.advance(5s);
    BOOST_TEST(next->current());
}

BOOST_AUTO_TEST_CASE(closes_idle_and_old_sessions) {
    simulated_pair pair("Pool_Min=1;Pool_Max=5;Pool_Warm=0;Idle_Limit=30s;Lifetime=10min");
    {
        std::vector<lease> held;
        for (int i = 0; i < 5; ++i)
            held.push_back(std::move(*pair.write()));
    }
    BOOST_TEST(pair.a.sessions() == 6U);
    pair.world.advance(35s);
    BOOST_TEST(pair.a.sessions() == 2U);
    const auto logins = pair.a.logins;
    pair.world.advance(12min);
    BOOST_TEST(pair.a.logins > logins);
    BOOST_TEST(pair.a.sessions() == 2U);
}

BOOST_AUTO_TEST_CASE(takes_a_member_offline_and_online_again, *utf::label("B11")) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.store->offline(pair.a.at).has_value());
    pair.world.advance(100ms);
    BOOST_TEST(!pair.write(1s).has_value());
    BOOST_TEST(pair.store->online(pair.a.at).has_value());
    BOOST_TEST(pair.write(1s).has_value());
    BOOST_TEST(!pair.store->offline({"nobody", 1, {}}).has_value());
}

BOOST_AUTO_TEST_CASE(
    leaves_what_is_under_way_alone_when_the_same_reign_returns,
    *utf::label("B11") * utf::label("E5") * utf::label("C35")
) {
    simulated_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.a.answer_time = 500ms;
    std::optional<expected<answer>> ended;
    pair.world.start("writer", [&] { ended = held->execute("append kept"); });
    pair.world.advance(1ms);
    pair.a.answer_time = 1ms;
    BOOST_TEST(pair.store->offline(pair.a.at).has_value());
    pair.world.advance(100ms);
    BOOST_TEST(!held->current()); // Nobody begins anything new there.
    BOOST_TEST(pair.store->online(pair.a.at).has_value());
    pair.world.advance(1s);
    BOOST_TEST_REQUIRE(ended.has_value());
    BOOST_TEST(ended->has_value());
    BOOST_TEST(held->current());
    BOOST_TEST(pair.write()->acceptance() == held->acceptance());
    BOOST_TEST(pair.store->counters().failovers == 0U);
}

BOOST_AUTO_TEST_CASE(
    gives_a_number_anew_to_a_reign_whose_server_was_down, *utf::label("E1") * utf::label("E5")
) {
    simulated_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    const auto number = held->acceptance();
    pair.a.kill();
    pair.a.is = testing::fake_server::condition::starting;
    pair.world.advance(1s);
    BOOST_TEST((pair.store->view()->writer == std::nullopt));
    pair.a.is = testing::fake_server::condition::up;
    pair.world.advance(1s);
    BOOST_TEST(pair.write()->acceptance() > number);
    BOOST_TEST(!held->current());
}

BOOST_AUTO_TEST_CASE(changes_its_servers_while_it_runs, *utf::label("C12") * utf::label("C47")) {
    simulated_pair pair;
    auto old = pair.write();
    BOOST_TEST_REQUIRE(old.has_value());
    const auto done = pair.store->reconfigure(
        "Mode=mirroring;Server=b:2;Failover_Partner=a:1;Database=d;UID=u;Encrypt=disable;Pool_Max=4"
    );
    BOOST_TEST_REQUIRE(done.has_value());
    pair.world.advance(100ms);
    BOOST_TEST(pair.store->specification().pool_max == 4);
    BOOST_TEST(old->execute("append x").has_value()); // What is out is drained, not cut.
    old->release();
    BOOST_TEST(pair.write()->server() == pair.a.at);
    BOOST_TEST(!pair.store->reconfigure("Mode=mirroring;Server=b").has_value());
    BOOST_TEST(pair.write().has_value());
}

BOOST_AUTO_TEST_CASE(
    keeps_its_highest_epoch_over_a_change_of_servers, *utf::label("E2") * utf::label("F15")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s);
    BOOST_TEST(pair.write()->server() == pair.b.at);
    pair.b.kill();
    pair.a.is = testing::fake_server::condition::up; // Timeline 1, read-write, alone.
    BOOST_TEST(pair.store
                   ->reconfigure("Mode=mirroring;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;"
                                 "Encrypt=disable;Cold_Start=alone")
                   .has_value());
    pair.world.advance(1s);
    BOOST_TEST(!pair.write(3s).has_value());
    BOOST_TEST(pair.store->view()->members[0].refused);
}

BOOST_AUTO_TEST_CASE(
    ends_what_comes_back_to_a_pool_that_was_replaced, *utf::label("E5") * utf::label("C12")
) {
    simulated_pair pair("Pool_Min=1;Pool_Max=3;Pool_Warm=0");
    auto old = pair.write();
    BOOST_TEST_REQUIRE(old.has_value());
    BOOST_TEST(pair.store
                   ->reconfigure("Mode=mirroring;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;"
                                 "Encrypt=disable;Pool_Min=1;Pool_Max=3;Pool_Warm=0")
                   .has_value());
    pair.world.advance(1s);
    BOOST_TEST(pair.a.sessions() == 3U); // The watcher's, the new pool's and the old one.
    old->release();
    pair.world.advance(50ms); // Before the next sweep, which would end it too.
    BOOST_TEST(pair.a.sessions() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}
