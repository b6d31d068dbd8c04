// SPDX-License-Identifier: Apache-2.0
#include "support/clients.hpp"
#include "support/postgres.hpp"

#include <hadr/libpq.hpp>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <fstream>
#include <future>
#include <thread>

#include <libpq-fe.h>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

std::string string_of(postgres_pair& pair, std::string_view more = {}) {
    return mirroring_string(pair.first().port(), pair.second().port(), more);
}

endpoint at(const postgres_server& server) {
    return {"127.0.0.1", static_cast<std::uint16_t>(server.port()), {}};
}

std::size_t occurrences(const std::string& text, std::string_view what) {
    std::size_t count = 0;
    for (auto from = text.find(what); from != std::string::npos; from = text.find(what, from + 1))
        ++count;
    return count;
}

/// An ordinary user with a password that both servers demand.
void demand_password(postgres_pair& pair) {
    must(pair.primary().port(), "create role app login password 'right'");
    for (auto* one : {&pair.first(), &pair.second()}) {
        one->prepend_access("host all app 127.0.0.0/8 scram-sha-256");
        one->reload();
    }
    wait_until("the mirror to know the role", 10s, [&] {
        return ask(pair.mirror().port(), "select count(*) from pg_roles where rolname = 'app'") ==
               "1";
    });
}

}

// Through libpq alone: of an ODBC handle no bound is promised (rulings 8).
BOOST_AUTO_TEST_SUITE(native_calls)

BOOST_AUTO_TEST_CASE(are_cut_when_their_server_is_demoted, *utf::label("F3")) {
    postgres_pair pair;
    const observed_store store(string_of(pair));
    auto held = store.write();
    BOOST_TEST_REQUIRE(held.has_value());
    auto* const on = libpq::native(*held);
    auto blocked = std::async(std::launch::async, [on] {
        PGresult* const lost = PQexec(on, "select pg_sleep(120)");
        const auto how = PQresultStatus(lost);
        PQclear(lost);
        return how;
    });
    BOOST_TEST((blocked.wait_for(500ms) == std::future_status::timeout));
    pair.promote_mirror(); // The old primary lives on, and so does the session's wire.
    BOOST_TEST_REQUIRE((blocked.wait_for(20s) == std::future_status::ready));
    BOOST_TEST(blocked.get() == PGRES_FATAL_ERROR);
    BOOST_TEST(!held->current());
}

BOOST_AUTO_TEST_CASE(are_cut_when_their_server_is_dead, *utf::label("F3")) {
    const temporary_folder folder("hadr-dying");
    postgres_server dying(folder, "dying");
    dying.start();
    const observed_store store(standalone_string(dying.port()));
    auto held = store.write();
    BOOST_TEST_REQUIRE(held.has_value());
    auto* const on = libpq::native(*held);
    auto blocked = std::async(std::launch::async, [on] {
        // Looks at nothing but its own work, so that it outlives the postmaster.
        PGresult* const lost =
            PQexec(on, "select count(*) from (select generate_series(1, 1e12)) s");
        const auto how = PQresultStatus(lost);
        PQclear(lost);
        return how;
    });
    wait_until("the statement to run", 20s, [&] {
        return ask(dying.port(),
                   "select count(*) from pg_stat_activity where query like '%1e12)) s' "
                   "and state = 'active' and pid <> pg_backend_pid()") == "1";
    });
    pid_t postmaster = 0;
    std::ifstream(dying.data() + "/postmaster.pid") >> postmaster;
    kill_hard({postmaster});
    BOOST_TEST_REQUIRE((blocked.wait_for(20s) == std::future_status::ready));
    BOOST_TEST(blocked.get() == PGRES_FATAL_ERROR);
    dying.kill_all();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(bad_luck)

BOOST_AUTO_TEST_CASE(a_wrong_password_is_tried_once_on_each_server, *utf::label("F26")) {
    postgres_pair pair;
    demand_password(pair);
    {
        const observed_store store(string_of(pair, "UID=app;PWD=wrong"));
        std::vector<std::jthread> callers;
        std::atomic<int> refused{0};
        for (int i = 0; i < 8; ++i)
            callers.emplace_back([&] {
                for (int n = 0; n < 20; ++n) {
                    const auto held = store.write(100ms);
                    refused += held ? 0 : 1;
                    std::this_thread::sleep_for(50ms);
                }
            });
        callers.clear();
        BOOST_TEST(refused == 160);
        BOOST_TEST(store.count(event_kind::login_refused) == 2U);
        const auto last = store.write(10s); // Does not wait for what cannot come.
        BOOST_TEST(last.error().sqlstate == "28P01");
        BOOST_TEST((last.error().next == advice::give_up));
    }
    constexpr auto line = "password authentication failed for user \"app\"";
    BOOST_TEST(occurrences(pair.first().log(), line) == 1U);
    BOOST_TEST(occurrences(pair.second().log(), line) == 1U);
    const observed_store store(string_of(pair, "UID=app;PWD=right"));
    BOOST_TEST(store.write().has_value());
}

BOOST_AUTO_TEST_CASE(a_full_server_is_not_a_dead_one, *utf::label("F25")) {
    postgres_pair pair(postgres_pair::replication::synchronous, {"max_connections = 20"});
    demand_password(pair);
    const observed_store calm(string_of(pair, "UID=app;PWD=right"));
    BOOST_TEST(calm.write().has_value());
    const observed_store greedy(string_of(pair, "UID=app;PWD=right;Pool_Max=40;Pool_Warm=0"));
    std::vector<lease> hoard;
    for (auto one = greedy.write(); one; one = greedy.write(1s))
        hoard.push_back(std::move(*one));
    BOOST_TEST(hoard.size() >= 10U);
    const observed_store newcomer(string_of(pair, "UID=app;PWD=right"));
    const auto late = newcomer.write(1s);
    BOOST_TEST(!late.has_value());
    BOOST_TEST((late.error().next == advice::retry));
    for (const auto* store : {&calm, &greedy}) {
        BOOST_TEST((*store)->view()->writer.has_value());
        BOOST_TEST((*store).count(event_kind::primary_lost) == 0U);
    }
    BOOST_TEST(newcomer.count(event_kind::login_refused) == 0U);
    hoard.clear();
    greedy->close();
    BOOST_TEST(newcomer.write().has_value());
}

BOOST_AUTO_TEST_CASE(a_killed_backend_restarts_the_server_in_place, *utf::label("F35")) {
    postgres_pair pair;
    const observed_store store(string_of(pair));
    auto held = store.write();
    BOOST_TEST_REQUIRE(held.has_value());
    const auto before = store->view()->accepted;
    const auto pid = held->execute("select pg_backend_pid()");
    BOOST_TEST_REQUIRE(pid.has_value());
    const auto started = must(pair.primary().port(), "select pg_postmaster_start_time()");
    kill_hard({std::stoi(std::string(pid->at(0, 0).value()))});
    BOOST_TEST(!held->execute("select 1", {}, deadline::in(5s)).has_value());
    held->release();
    const auto again = store.write(15s);
    BOOST_TEST_REQUIRE(again.has_value());
    BOOST_TEST(again->server() == at(pair.primary()));
    BOOST_TEST((store->view()->accepted == before));
    BOOST_TEST(store.count(event_kind::primary_changed) == 1U); // The first one.
    BOOST_TEST(must(pair.primary().port(), "select pg_postmaster_start_time()") == started);
}

BOOST_AUTO_TEST_CASE(a_server_that_starts_up_is_waited_for, *utf::label("F33")) {
    const temporary_folder folder("hadr-starting");
    postgres_server slow(folder, "slow");
    slow.append_setting("hot_standby = off"); // Recovery goes on, without logins, until promoted.
    std::ofstream(slow.data() + "/standby.signal");
    slow.begin();
    const observed_store store(standalone_string(slow.port()));
    failure why;
    wait_until("a login to be put off", 20s, [&] {
        const auto early = store.write(500ms);
        if (!early)
            why = early.error();
        return why.message.find("takes no logins now") != std::string::npos;
    });
    BOOST_TEST((why.next == advice::retry));
    auto patient = std::async(std::launch::async, [&] { return store.write(30s); });
    run({server_program("pg_ctl"), "promote", "-D", slow.data()}, 30s);
    BOOST_TEST(patient.get().has_value());
    BOOST_TEST(store.count(event_kind::login_refused) == 0U);
}

BOOST_AUTO_TEST_CASE(
    an_old_primary_stays_refused_when_the_client_restarts,
    *utf::label("E1") * utf::label("F15") * utf::label("C34")
) {
    postgres_pair pair;
    const temporary_folder folder("hadr-state");
    const auto remembering = fmt::format("State_File={}/state", folder.path());
    {
        const observed_store store(string_of(pair, remembering));
        BOOST_TEST(store.write().has_value());
        pair.primary().kill_all();
        pair.promote_mirror();
        // A session that was idle may be lent once more, where the driver shows no socket.
        wait_until("writes to have moved", 10s, [&] {
            const auto moved = store.write();
            return moved && moved->server() == at(pair.primary());
        });
    }
    pair.primary().kill_all();
    auto& old = pair.mirror();
    old.append_setting("synchronous_standby_names = ''");
    old.start();
    BOOST_TEST(must(old.port(), "select pg_is_in_recovery()") == "f");
    const observed_store restarted(string_of(pair, remembering + ";Cold_Start=alone"));
    BOOST_TEST(!restarted.write(2s).has_value());
    BOOST_TEST(restarted.count(event_kind::old_primary_refused) == 1U);
    BOOST_TEST(!restarted.read(1s).has_value()); // Of another history as well.
    // Who remembers nothing and takes its word is served: what the file is for.
    const observed_store forgetful(string_of(pair, "Cold_Start=alone"));
    const auto served = forgetful.write();
    BOOST_TEST_REQUIRE(served.has_value());
    BOOST_TEST(served->server() == at(old));
}

BOOST_AUTO_TEST_CASE(a_lone_primary_needs_more_than_its_word_at_a_cold_start, *utf::label("E8")) {
    postgres_pair pair(postgres_pair::replication::asynchronous);
    pair.mirror().kill_all();
    const observed_store careful(string_of(pair));
    const auto refused = careful.write(2s);
    BOOST_TEST(!refused.has_value());
    BOOST_TEST(refused.error().message.find("Cold_Start=alone") != std::string::npos);
    const observed_store bold(string_of(pair, "Cold_Start=alone"));
    BOOST_TEST(bold.write().has_value());
    pair.mirror().start(); // Both have answered.
    BOOST_TEST(careful.write().has_value());
}

BOOST_AUTO_TEST_CASE(
    two_standbys_promoted_by_mistake_take_no_writes_until_an_operator_rules,
    *utf::label("E2") * utf::label("E3") * utf::label("F14") * utf::label("M3")
) {
    postgres_pair pair(postgres_pair::replication::asynchronous);
    const auto third = postgres_server::standby_of(pair.folder(), pair.primary(), "n3");
    third->start();
    auto& second = pair.mirror();
    pair.primary().kill_all();
    second.promote();
    third->promote();
    const observed_store store(mirroring_string(second.port(), third->port()));
    const auto refused = store.write(2s);
    BOOST_TEST(!refused.has_value());
    BOOST_TEST(refused.error().message.find("F14") != std::string::npos);
    BOOST_TEST(store.count(event_kind::two_claimants) == 1U);
    BOOST_TEST(!store->view()->writer.has_value());
    BOOST_TEST(store->accept_lineage(at(*third)).has_value());
    for (int i = 0; i < 20; ++i) {
        const auto held = store.write();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == at(*third));
        std::this_thread::sleep_for(50ms);
    }
    BOOST_TEST(store->view()->members[0].refused);
}

BOOST_AUTO_TEST_CASE(a_mirror_that_lags_beyond_the_bound_serves_no_read, *utf::label("F29")) {
    postgres_pair pair;
    must(pair.mirror().port(), "alter system set recovery_min_apply_delay = '1h'");
    pair.mirror().reload();
    const observed_store store(string_of(pair));
    const auto read_from = [&](std::optional<std::uint64_t> bound, bool fallback, duration within) {
        return store->acquire(
            {.intent = intent::read,
             .until = deadline::in(within),
             .lag_bytes_max = bound,
             .primary_fallback = fallback}
        );
    };
    BOOST_TEST_REQUIRE(store.write().has_value());
    // The delay holds commit records back, and what comes after the first of them.
    must(pair.primary().port(), "create table held_back ()");
    must(
        pair.primary().port(),
        "create table fat as select repeat('x', 500) from generate_series(1, 2000)"
    );
    wait_until("the lag to be seen", 10s, [&] {
        return store->view()->members[1].lag_bytes.value_or(0) > 100'000;
    });
    const auto bounded = read_from(100'000, true, 5s);
    BOOST_TEST_REQUIRE(bounded.has_value());
    BOOST_TEST(bounded->server() == at(pair.primary()));
    BOOST_TEST(!read_from(100'000, false, 500ms).has_value());
    const auto any = read_from(std::nullopt, false, 5s);
    BOOST_TEST_REQUIRE(any.has_value());
    BOOST_TEST(any->server() == at(pair.mirror()));
}

BOOST_AUTO_TEST_CASE(
    reads_go_on_at_the_mirror_while_there_is_no_primary,
    *utf::label("B6") * utf::label("B7") * utf::label("H8")
) {
    postgres_pair pair;
    const observed_store store(string_of(pair, "Ride_Out=2s"));
    BOOST_TEST(store.write().has_value());
    pair.primary().kill_all();
    wait_until("the level to fall", 10s, [&] {
        return store->view()->level == service_level::resiliency;
    });
    for (int i = 0; i < 10; ++i) {
        auto held = store.read();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == at(pair.mirror()));
        BOOST_TEST(held->execute("select 1").has_value());
    }
    const auto refused = store.write(10s);
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == errc::read_only_degraded));
    pair.promote_mirror();
    wait_until("writes to be back by themselves", 10s, [&] { return store.write().has_value(); });
}

BOOST_AUTO_TEST_SUITE_END()

}
