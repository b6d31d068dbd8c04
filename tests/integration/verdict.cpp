// SPDX-License-Identifier: Apache-2.0
#include "support/trial.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <thread>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

struct kind {
    const char* name;
    const char* what;
};

// clang-format off
constexpr kind kinds[] = {
    {"kill_node",                         "kill -9 of every process of the primary"},
    {"kill_postmaster",                   "kill -9 of its postmaster alone"},
    {"frozen",                            "SIGSTOP of all its processes; it wakes up later"},
    {"immediate_shutdown",                "SIGQUIT"},
    {"fast_shutdown",                     "SIGINT"},
    {"old_primary_returns",               "the old primary comes back read-write beside the new one"},
    {"forced_by_operator",                "the primary is dead, plan() and execute() promote the mirror"},
    {"planned_by_operator",               "a clean stop, then plan() and execute()"},
    {"engine_kill_node",                  "kill -9 of keeper and server"},
    {"engine_kill_postmaster",            "kill -9 of the postmaster; the keeper starts it again"},
    {"engine_frozen",                     "SIGSTOP of keeper and server; both wake up later"},
    {"engine_switchover_by_operator",     "planned, by plan() and execute()"},
    {"engine_keeper_killed",              "the old primary lives on read-write beside the new one"},
    {"engine_monitor_killed",             "and started again"},
    {"engine_monitor_and_primary_killed", "nobody decides until the monitor is back"},
    {"engine_mirror_lost",                "the primary is exposed until it is back"},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(the_judge)

BOOST_AUTO_TEST_CASE(finds_what_a_naive_client_loses_and_where_it_wrote, *utf::label("F13")) {
    postgres_pair pair(postgres_pair::replication::asynchronous);
    create_ledger(pair.primary().port());
    const observer watching(
        {"members", std::to_string(pair.first().port()), std::to_string(pair.second().port())}
    );
    naive_client client({pair.first().port(), pair.second().port()}, 4);
    ledger_writers ledger(client, 4, "naive");
    ledger.await(50, 20s);
    pair.promote_mirror(); // Nobody stops the old primary: libpq's list goes on choosing it.
    wait_until("the observer to have read it", 10s, [&] {
        return watching.namings().back().port == pair.primary().port();
    });
    std::this_thread::sleep_for(200ms); // Beyond the grace.
    ledger.await(50, 20s);
    const auto told = ledger.stop();
    const auto found = judge(told, pair.primary().port(), watching.namings());
    BOOST_TEST(found.lost == 0U);          // Nothing was promised of them ...
    BOOST_TEST(found.exposed_lost >= 50U); // ... and they are counted apart.
    BOOST_TEST(found.demoted_writes >= 50U);
}

BOOST_AUTO_TEST_CASE(finds_rows_that_are_doubled_or_missing_where_commits_waited) {
    postgres_pair pair;
    const int port = pair.primary().port();
    create_ledger(port);
    must(port, "insert into ledger (token) values ('a'), ('b'), ('b')");
    tally told;
    const auto now = std::chrono::steady_clock::now();
    for (const auto* token : {"a", "b", "c"})
        told.rows.push_back({token, now, port, true});
    const auto found = judge(told, port, {{now - 1s, port}});
    BOOST_TEST(found.lost == 1U);
    BOOST_TEST(found.duplicated == 1U);
    BOOST_TEST(found.demoted_writes == 0U);
}

BOOST_AUTO_TEST_CASE(calls_a_row_of_an_older_timeline_a_demoted_write) {
    postgres_pair pair;
    const int port = pair.primary().port();
    create_ledger(port);
    must(
        port,
        "insert into ledger (token, timeline) values ('new', '00000002'), ('late', '00000001')"
    );
    tally told;
    const auto now = std::chrono::steady_clock::now();
    told.rows = {{"new", now, port, true}, {"late", now + 50ms, port, true}};
    BOOST_TEST(judge(told, port, {}).demoted_writes == 0U); // Within the grace.
    told.rows.back().when = now + 150ms;
    BOOST_TEST(judge(told, port, {}).demoted_writes == 1U);
}

BOOST_AUTO_TEST_CASE(calls_no_demoted_write_what_was_faster_than_the_observer) {
    postgres_pair pair;
    const int port = pair.primary().port();
    create_ledger(port);
    must(port, "insert into ledger (token, timeline) values ('first', '00000002')");
    tally told;
    const auto now = std::chrono::steady_clock::now();
    told.rows = {{"first", now, port, true}};
    const naming old{now - 1s, port + 1};
    BOOST_TEST(judge(told, port, {old, {now + 3ms, port}}).demoted_writes == 0U);
    BOOST_TEST(judge(told, port, {old, {now + 150ms, port}}).demoted_writes == 1U);
    BOOST_TEST(judge(told, port, {old}).demoted_writes == 1U);
}

BOOST_AUTO_TEST_CASE(counts_apart_what_its_own_deadline_cut_on_the_new_primary) {
    postgres_pair pair;
    const int port = pair.primary().port();
    create_ledger(port);
    must(
        port,
        "insert into ledger (token, timeline) values ('old', '00000001'), ('new', '00000002'), "
        "('late', '00000002')"
    );
    tally told;
    const auto now = std::chrono::steady_clock::now();
    told.rows = {{"old", now, port, true}};
    told.unknown = {{"late", port, true}, {"cut", port, false}, {"frozen", port + 1, true}};
    BOOST_TEST(judge(told, port, {}).unknown_at_deadline == 0U); // Nothing was promoted.
    told.rows.push_back({"new", now + 1s, port, true});
    const auto found = judge(told, port, {});
    BOOST_TEST(found.unknown == 3U);
    BOOST_TEST(found.unknown_present == 1U);
    BOOST_TEST(found.unknown_at_deadline == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

bool by_the_engine(std::string_view kind) {
    return kind.starts_with("engine_");
}

struct failovers_wanted {
    double by_hand = 0;
    double by_engine = 0;
};

/// Adds up what the suites before it have written down, for the client library of the run.
void judge_all(const failovers_wanted& wanted) {
    auto sum = sheet::take_all();
    BOOST_TEST_REQUIRE(!sum.empty(), "run the suites with failovers first");
    const auto figure = [&](const std::string& name, double value) {
        fmt::print("figure {}_{} {:.10g}\n", client_library_under_trial().figures, name, value);
        return value;
    };
    constexpr std::string_view trials_of = "trials_";
    for (const auto& [name, trials] : sum)
        if (name.starts_with(trials_of))
            figure("failovers_" + name.substr(trials_of.size()), trials);
    for (const auto& [name, what] : kinds) {
        if ((by_the_engine(name) ? wanted.by_engine : wanted.by_hand) == 0)
            continue;
        const auto trials = sum[std::string(trials_of) + name];
        BOOST_TEST(trials >= 2, name << " (" << what << ") was tried " << trials << " times");
    }
    const auto by_hand = sum["promotions_by_hand"];
    const auto by_engine = sum["promotions_by_engine"];
    if (wanted.by_engine > 0)
        BOOST_TEST(figure("failovers_by_pg_auto_failover", by_engine) >= wanted.by_engine);
    // One name, one meaning: where a run is judged in two parts, that by hand is a figure of its
    // own.
    const auto* const name = wanted.by_engine > 0 ? "failovers" : "failovers_by_hand";
    BOOST_TEST(figure(name, by_hand + by_engine) >= wanted.by_hand + wanted.by_engine);
    BOOST_TEST(figure("acknowledged", sum["acknowledged"]) > 0);
    BOOST_TEST(figure("lost", sum["lost"]) == 0);
    BOOST_TEST(figure("duplicated", sum["duplicated"]) == 0);
    BOOST_TEST(figure("demoted_writes", sum["demoted_writes"]) == 0);
    figure("acknowledged_while_exposed", sum["acknowledged_while_exposed"]);
    figure("lost_while_exposed", sum["lost_while_exposed"]);
    figure("control_lateness_ms", sum["control_lateness_ms"]);
    BOOST_TEST(figure("deadline_overrun_ms", sum["deadline_overrun_ms"]) <= 50);
    BOOST_TEST(figure("threads_left", sum["threads_left"]) == 0);
    figure("statements_cut_at_their_deadline", sum["statements_cut_at_their_deadline"]);
    const auto in_flight =
        figure("statements_in_flight_at_cuts", sum["statements_in_flight_at_cuts"]);
    BOOST_TEST(figure("unknown_outcomes", sum["unknown_outcomes"]) <= in_flight);
}

}

BOOST_AUTO_TEST_SUITE(all_real_failovers)

BOOST_AUTO_TEST_CASE(lose_nothing_double_nothing_and_write_nowhere_else) {
    judge_all({.by_hand = 12, .by_engine = 8});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(all_failovers_by_hand)

BOOST_AUTO_TEST_CASE(lose_nothing_double_nothing_and_write_nowhere_else) {
    judge_all({.by_hand = 20});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(all_failovers_by_the_engine)

BOOST_AUTO_TEST_CASE(lose_nothing_double_nothing_and_write_nowhere_else) {
    judge_all({.by_engine = 20});
}

BOOST_AUTO_TEST_SUITE_END()

}
