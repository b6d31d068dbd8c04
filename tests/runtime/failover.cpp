// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

#include <map>

namespace hadr::test {

namespace utf = boost::unit_test;

BOOST_AUTO_TEST_SUITE(a_failover)

BOOST_AUTO_TEST_CASE(
    is_followed_within_milliseconds_of_the_promotion,
    *utf::label("F1") * utf::label("C18") * utf::label("C48")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    pair.world.advance(1s);
    pair.a.kill();
    pair.world.advance(5s);
    BOOST_TEST((pair.store->view()->writer == std::nullopt));
    pair.b.promote();
    const auto promoted = pair.world.now();
    const auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(held->server() == pair.b.at);
    BOOST_TEST(((pair.world.now() - promoted) <= 30ms));
    BOOST_TEST(pair.count(event_kind::primary_lost) == 1U);
    BOOST_TEST(pair.count(event_kind::primary_changed) == 2U);
}

BOOST_AUTO_TEST_CASE(
    sends_no_login_to_a_server_that_may_be_dead, *utf::label("F1") * utf::label("F34")
) {
    simulated_pair pair("Pool_Min=4");
    BOOST_TEST(pair.write().has_value());
    pair.world.advance(1s);
    pair.a.kill();
    pair.world.advance(10s);
    BOOST_TEST(pair.store->counters().logins_failed == 0U);
    pair.a.is = testing::fake_server::condition::up; // Started again in place.
    BOOST_TEST(pair.write(2s).has_value());
    pair.world.advance(1s);
    BOOST_TEST(pair.a.sessions() == 4U + 1U);
    BOOST_TEST(pair.store->counters().logins_failed == 0U);
}

BOOST_AUTO_TEST_CASE(
    of_a_frozen_primary_is_followed_and_its_calls_are_cut_at_once,
    *utf::label("F2") * utf::label("F3") * utf::label("C46")
) {
    simulated_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.a.freeze();
    std::optional<failure> why;
    std::optional<time_point> back;
    pair.world.start("caller", [&] {
        const auto how = held->execute("append x", {}, deadline::in(1h));
        why = how.error();
        back = pair.world.now();
    });
    pair.world.advance(5s);
    BOOST_TEST(!back.has_value());
    pair.b.promote();
    const auto promoted = pair.world.now();
    pair.world.advance(1s);
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST(why->code == errc::outcome_unknown);
    BOOST_TEST((why->next == advice::verify));
    BOOST_TEST(((*back - promoted) <= 50ms));
    // Its late answers change nothing.
    pair.a.thaw();
    pair.world.advance(5s);
    BOOST_TEST((pair.store->view()->writer == 1U));
    BOOST_TEST(pair.store->view()->members[0].refused);
    BOOST_TEST(pair.count(event_kind::old_primary_refused) == 1U);
    BOOST_TEST(pair.write()->server() == pair.b.at);
}

BOOST_AUTO_TEST_CASE(
    never_lends_an_old_primary_that_comes_back_read_write,
    *utf::label("E1") * utf::label("F15") * utf::label("C34")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s); // An idle session shows nothing of a death until it is used or watched.
    BOOST_TEST(pair.write()->server() == pair.b.at);
    pair.a.is = testing::fake_server::condition::up;
    for (int i = 0; i < 200; ++i) {
        const auto held = pair.write();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == pair.b.at);
        pair.world.advance(10ms);
    }
    pair.b.kill();
    pair.world.advance(1s);
    BOOST_TEST(!pair.write(3s).has_value()); // Not even when it is the only one left.
}

BOOST_AUTO_TEST_CASE(
    gives_no_writer_where_two_claim_the_same_epoch, *utf::label("E3") * utf::label("F14")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    pair.b.plays = role::primary;
    pair.world.advance(1s);
    BOOST_TEST((pair.store->view()->writer == std::nullopt));
    BOOST_TEST(!pair.write(1s).has_value());
    BOOST_TEST(pair.count(event_kind::two_claimants) == 1U);
    BOOST_TEST(pair.store->accept_lineage(pair.b.at).has_value());
    pair.a.kill();
    BOOST_TEST(pair.write(5s).has_value());
}

BOOST_AUTO_TEST_CASE(lends_the_sessions_that_were_kept_warm, *utf::label("E4") * utf::label("E5")) {
    simulated_pair pair("Pool_Warm=3");
    pair.world.advance(1s);
    BOOST_TEST(pair.store->counters().sessions_warm_now == 3U);
    pair.a.kill();
    pair.world.advance(1s);
    const auto logins = pair.b.logins;
    pair.b.promote();
    std::vector<lease> held;
    for (int i = 0; i < 3; ++i) {
        auto one = pair.write();
        BOOST_TEST_REQUIRE(one.has_value());
        held.push_back(std::move(*one));
    }
    BOOST_TEST(pair.b.logins == logins);
}

BOOST_AUTO_TEST_CASE(
    makes_no_writers_of_the_readers_on_the_new_primary, *utf::label("P9") * utf::label("E7")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    BOOST_TEST(pair.read()->server() == pair.b.at); // Takes the only place there.
    const auto logins = pair.b.logins;
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s);
    BOOST_TEST(pair.write(1s)->execute("append x").has_value());
    BOOST_TEST(pair.b.logins == logins + 1);
}

BOOST_AUTO_TEST_CASE(
    ends_sessions_on_the_old_primary_and_refuses_what_is_returned,
    *utf::label("E5") * utf::label("E6")
) {
    simulated_pair pair;
    auto old = pair.write();
    BOOST_TEST_REQUIRE(old.has_value());
    pair.b.promote(); // Nobody told the old primary.
    pair.world.advance(1s);
    BOOST_TEST(!old->current());
    BOOST_TEST(!old->execute("append lost").has_value());
    BOOST_TEST(pair.a.ledger.empty());
    old->release();
    BOOST_TEST(pair.write()->server() == pair.b.at);
}

BOOST_AUTO_TEST_CASE(
    ends_sessions_on_a_primary_that_became_the_mirror, *utf::label("E5") * utf::label("C35")
) {
    simulated_pair pair;
    auto old = pair.write();
    BOOST_TEST_REQUIRE(old.has_value());
    pair.a.plays = role::standby;
    pair.world.advance(1s);
    BOOST_TEST((pair.store->view()->writer == std::nullopt));
    pair.b.promote();
    pair.a.timeline = pair.b.timeline;
    pair.world.advance(1s);
    BOOST_TEST((pair.store->view()->writer == 1U));
    BOOST_TEST(!pair.store->view()->members[0].refused);
    BOOST_TEST(!old->current());
    BOOST_TEST(!old->execute("select 1").has_value());
}

BOOST_AUTO_TEST_CASE(gives_each_reign_a_number_of_its_own, *utf::label("E1") * utf::label("E5")) {
    simulated_pair pair;
    std::uint64_t highest = 0;
    for (auto* const next : {&pair.b, &pair.a, &pair.b}) {
        auto* const old = next == &pair.a ? &pair.b : &pair.a;
        const auto held = pair.write();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == old->at);
        BOOST_TEST(held->acceptance() > highest);
        highest = held->acceptance();
        old->kill();
        next->promote();
        pair.world.advance(1s);
        old->follow(*next);
        pair.world.advance(1s);
    }
}

BOOST_AUTO_TEST_CASE(
    asks_what_was_kept_warm_again_who_is_there,
    *utf::label("E4") * utf::label("E7") * utf::label("F20")
) {
    testing::fake_server other{{"c", 3, {}}}; // Behind a listener that moved.
    bool moved = true;
    simulated_pair pair;
    other.follow(pair.a);
    pair.reopen(
        "Pool_Warm=2",
        {.login =
             [&](target& to) {
                 if (moved && to.why == purpose::warm)
                     to.at = other.at;
             }},
        &other
    );
    pair.world.advance(1s);
    BOOST_TEST(other.sessions() == 2U);
    moved = false;
    other.lineage = "9";
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(10ms);
    for (int i = 0; i < 3; ++i) {
        auto held = pair.write();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->execute("append x").has_value());
    }
    BOOST_TEST(pair.b.ledger.size() == 3U);
}

BOOST_AUTO_TEST_CASE(
    is_not_doubted_for_a_late_error_of_an_earlier_reign, *utf::label("E6") * utf::label("T3")
) {
    simulated_pair pair("Watch_Interval=10s");
    auto old = pair.write();
    BOOST_TEST_REQUIRE(old.has_value());
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s);
    pair.a.follow(pair.b);
    pair.world.advance(30s);
    BOOST_TEST(!pair.store->view()->members[0].trouble.has_value());
    const auto probes = pair.store->counters().probes;
    BOOST_TEST(!old->execute("append lost").has_value());
    pair.world.advance(100ms);
    BOOST_TEST(pair.store->counters().probes == probes);
}

BOOST_AUTO_TEST_CASE(
    that_a_stalled_monitor_missed_is_seen_by_the_session_itself,
    *utf::label("T4") * utf::label("E1") * utf::label("E4") * utf::label("F12") * utf::label("F46")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    pair.world.advance(1s);
    pair.world.later(10s, [&] {
        pair.a.plays = role::standby;
        pair.b.promote();
    });
    pair.world.pause(1min);
    pair.world.advance(59s);
    const auto held = pair.write(10s);
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(held->server() == pair.b.at);
}

BOOST_AUTO_TEST_CASE(
    tells_the_truth_about_a_commit_that_it_cut,
    *utf::label("C4") * utf::label("C5") * utf::label("F22")
) {
    for (const bool logged : {false, true}) {
        simulated_pair pair;
        pair.a.logs_before_cut = logged;
        pair.a.answer_time = 20ms;
        pair.world.later(100ms, [&] { pair.a.kill(); });
        std::map<outcome, int> ends;
        for (int i = 0; i < 10; ++i) {
            const auto ended = pair.store->transact(
                {.until = deadline::in(50ms), .attempts_max = 1},
                [&](lease& on) -> expected<void> {
                    const auto how = on.execute("append " + std::to_string(i));
                    return how ? expected<void>() : expected<void>(how.error());
                }
            );
            ++ends[ended.ended];
            const auto there =
                std::count(pair.a.ledger.begin(), pair.a.ledger.end(), std::to_string(i));
            if (ended.ended == outcome::committed)
                BOOST_TEST(there == 1);
            if (ended.ended == outcome::not_committed)
                BOOST_TEST(there == 0);
        }
        BOOST_TEST(ends[outcome::in_doubt] <= 1);
    }
}

BOOST_AUTO_TEST_CASE(
    rides_out_then_refuses_writes_at_once_then_recovers_by_itself,
    *utf::label("B6") * utf::label("B7") * utf::label("H8")
) {
    simulated_pair pair("Ride_Out=10s;Recovery_Hold=2s");
    BOOST_TEST(pair.write().has_value());
    pair.a.kill();
    pair.world.advance(5s);
    BOOST_TEST((pair.store->view()->level == service_level::riding_out));
    std::optional<failure> waiting;
    pair.world.start("writer", [&] {
        const auto none = pair.write(1h);
        waiting = none.error();
    });
    pair.world.advance(6s);
    BOOST_TEST_REQUIRE(waiting.has_value()); // Those who waited are told too.
    BOOST_TEST(waiting->code == errc::read_only_degraded);
    const auto begun = pair.world.now();
    const auto refused = pair.write(1h);
    BOOST_TEST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == errc::read_only_degraded);
    BOOST_TEST((pair.world.now() == begun));
    BOOST_TEST(pair.read().has_value());
    pair.b.promote();
    BOOST_TEST(pair.world.eventually([&] {
        return pair.store->view()->level == service_level::full;
    }));
    BOOST_TEST(((pair.world.now() - begun) >= 2s));
    BOOST_TEST(pair.write().has_value());
}

BOOST_AUTO_TEST_CASE(leaves_reads_that_say_how_old_they_are, *utf::label("H7") * utf::label("B7")) {
    simulated_pair pair;
    pair.world.advance(1s);
    BOOST_TEST(!pair.read()->as_of().has_value());
    pair.a.kill();
    const auto killed = pair.world.now();
    pair.world.advance(1min);
    const auto held = pair.read();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST_REQUIRE(held->as_of().has_value());
    BOOST_TEST((*held->as_of() <= killed && *held->as_of() >= killed - 500ms));
    BOOST_TEST((pair.store->view()->as_of == held->as_of()));
    pair.b.promote();
    pair.world.advance(1s);
    BOOST_TEST(!pair.store->view()->as_of.has_value());
}

BOOST_AUTO_TEST_CASE(
    keeps_its_promises_over_many_seeds, *utf::label("E1") * utf::label("P1") * utf::label("C1")
) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        simulated_pair pair("Pool_Max=4;Pool_Warm=2", seed);
        std::vector<std::string> acknowledged;
        bool stopping = false;
        for (int writer = 0; writer < 6; ++writer)
            pair.world.start("writer", [&, writer] {
                int n = 0;
                while (!stopping) {
                    const auto token = std::to_string(writer) + "-" + std::to_string(n++);
                    auto held = pair.write(1s);
                    if (held && held->execute("append " + token, {}, deadline::in(1s)))
                        acknowledged.push_back(token);
                    pair.world.park(pair.world.self(), pair.world.now() + 1ms);
                }
            });
        auto* primary = &pair.a;
        auto* mirror = &pair.b;
        for (int round = 0; round < 4; ++round) {
            pair.world.advance(std::chrono::milliseconds(200 + pair.world.random() % 300));
            const bool frozen = pair.world.random() % 2 == 0;
            frozen ? primary->freeze() : primary->kill();
            mirror->ledger = primary->ledger; // Synchronous: whatever was acknowledged is there.
            pair.world.advance(std::chrono::milliseconds(pair.world.random() % 500));
            mirror->promote();
            pair.world.advance(300ms);
            const auto before = acknowledged.size();
            pair.world.advance(200ms);
            BOOST_TEST(
                acknowledged.size() > before, "writers go on after the failover, seed " << seed
            );
            primary->kill();
            primary->follow(*mirror);
            std::swap(primary, mirror);
        }
        stopping = true;
        pair.world.advance(3s);
        std::map<std::string, int> there;
        for (const auto& token : primary->ledger)
            ++there[token];
        for (const auto& token : acknowledged)
            if (there[token] != 1)
                BOOST_ERROR(
                    token << " acknowledged once, there " << there[token] << " times, seed " << seed
                );
        BOOST_TEST(!acknowledged.empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
