// SPDX-License-Identifier: Apache-2.0
#include "support/trial.hpp"

#include <hadr/operation.hpp>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

constexpr int rounds_without_failover = 2;

/// So often each kind of failover is tried; a run for figures asks for more.
int rounds_of_the_engine() {
    const char* const asked = std::getenv("HADR_FAILOVER_ROUNDS");
    return asked != nullptr ? std::max(std::atoi(asked), 1) : 2;
}

std::unique_ptr<auto_failover_cluster> cluster;

/// One for all cases: to make one takes longer than a failover.
struct one_cluster {
    one_cluster() { cluster = std::make_unique<auto_failover_cluster>(); }
    ~one_cluster() { cluster.reset(); }
};

struct cluster_on_trial : engine_on_trial {
    cluster_on_trial() : engine_on_trial(*cluster) {}
};

template <class Fault>
void repeat_failover(engine_on_trial& on, const std::string& kind, const Fault& fault) {
    for (int round = 0; round < rounds_of_the_engine(); ++round) {
        trial one(kind, on.judged);
        const auto before = on.engine.primary();
        fault(before);
        on.wait_for_other_than(before);
        one.goes_on();
        on.settle();
        one.goes_on();
        one.end(on.engine.port(on.engine.primary()));
    }
}

/// Seconds of wall time, as the servers write them, at which this process could have acted on the
/// last naming.
double last_naming_with_grace(const court& judged) {
    const auto when = judged.namings().back().when + 100ms;
    const auto wall = std::chrono::system_clock::now() -
                      std::chrono::duration_cast<std::chrono::system_clock::duration>(
                          std::chrono::steady_clock::now() - when
                      );
    return std::chrono::duration<double>(wall.time_since_epoch()).count();
}

/// Appends that reached a server after that moment: in its ledger, or waiting there for a standby
/// that will never come.
int appends_since(int port, double moment) {
    return std::stoi(must(
        port,
        fmt::format(
            "select (select count(*) from ledger where at > to_timestamp({0:.6f})) + (select "
            "count(*) from pg_stat_activity where query like 'insert into ledger%' and state = "
            "'active' and query_start > to_timestamp({0:.6f}))",
            moment
        )
    ));
}

}

BOOST_AUTO_TEST_SUITE(pg_auto_failover, *utf::fixture<one_cluster>())

BOOST_FIXTURE_TEST_SUITE(
    follows_a_failover,
    cluster_on_trial,
    *utf::label("C18") * utf::label("E8") * utf::label("F1") * utf::label("F2") * utf::label("P4")
)

BOOST_AUTO_TEST_CASE(past_a_dead_and_a_silent_primary) {
    repeat_failover(*this, "engine_kill_node", [&](std::size_t primary) {
        engine.kill_node(primary);
    });
    repeat_failover(*this, "engine_frozen", [&](std::size_t primary) {
        engine.freeze_node(primary);
        wait_for_other_than(primary);
        engine.thaw_node(primary);
    });
}

BOOST_AUTO_TEST_CASE(
    that_an_operator_has_planned, *utf::label("C21") * utf::label("C27") * utf::label("C36")
) {
    repeat_failover(*this, "engine_switchover_by_operator", [&](std::size_t) {
        wait_until("a planned failover to be allowed", 20s, [&] {
            const auto made = judged.store().plan({operation_kind::planned_failover, {}, false});
            return made && judged.store().execute(*made, deadline::in(10s)).has_value();
        });
    });
}

BOOST_AUTO_TEST_CASE(
    past_an_old_primary_that_lives_on_read_write_because_its_keeper_was_killed,
    *utf::label("E1") * utf::label("F13") * utf::label("F15")
) {
    for (int round = 0; round < rounds_of_the_engine(); ++round) {
        trial one("engine_keeper_killed", judged);
        const auto before = engine.primary();
        const auto old = engine.port(before);
        engine.kill_keeper(before);
        engine.perform_failover();
        wait_for_other_than(before);
        one.goes_on(200);
        wait_until("the observer to have read it", 5s, [&] {
            return judged.namings().back().port == engine.port(1 - before);
        });
        const auto since = last_naming_with_grace(judged);
        one.goes_on(200);
        BOOST_TEST(appends_since(old, since) == 0);
        // It would have taken them.
        BOOST_TEST(must(old, "show transaction_read_only") == "off");
        must(old, "set synchronous_commit = local; insert into ledger (token) values ('stray')");
        BOOST_TEST(appends_since(old, since) == 1);
        settle();
        one.goes_on();
        one.end(engine.port(engine.primary()));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(
    goes_and_comes_back_in_part,
    cluster_on_trial,
    *utf::label("C31") * utf::label("C32") * utf::label("E10") * utf::label("F18")
)

BOOST_AUTO_TEST_CASE(and_service_goes_on_without_the_witness) {
    for (int round = 0; round < rounds_without_failover; ++round) {
        trial one("engine_monitor_killed", judged, {.cuts = 0});
        engine.kill_monitor();
        one.goes_on(200);
        wait_until("the loss of the witness to be seen", 10s, [&] {
            return judged.store().view()->witness == witness_state::lost;
        });
        one.goes_on(200);
        settle();
        wait_until("the witness to be back", 10s, [&] {
            return judged.store().view()->witness == witness_state::connected;
        });
        one.end(engine.port(engine.primary()));
    }
}

BOOST_AUTO_TEST_CASE(and_the_primary_is_exposed_without_the_mirror) {
    for (int round = 0; round < rounds_without_failover; ++round) {
        // Commits wait for the mirror until the engine lets the primary go on alone.
        trial one("engine_mirror_lost", judged, {.cuts = 0, .deadline = 20s});
        engine.kill_node(engine.mirror());
        wait_until("the primary to be exposed", 20s, [&] {
            return judged.store().view()->state == availability::exposed;
        });
        one.goes_on();
        settle();
        wait_until("the pair to be whole again", 20s, [&] {
            return judged.store().view()->state == availability::serving;
        });
        one.end(engine.port(engine.primary()));
    }
}

BOOST_AUTO_TEST_CASE(and_nobody_may_promote_while_the_witness_is_gone_with_the_primary) {
    for (int round = 0; round < rounds_of_the_engine(); ++round) {
        trial one("engine_monitor_and_primary_killed", judged);
        const auto before = engine.primary();
        engine.kill_monitor();
        engine.kill_node(before);
        wait_until("an operator to be called", 10s, [&] {
            return judged.store().view()->state == availability::action_required;
        });
        BOOST_TEST(!judged.store().view()->writer.has_value());
        const auto forced =
            judged.store().plan({operation_kind::forced_failover, std::nullopt, true});
        BOOST_TEST(!forced.has_value()); // C28: the mirror alone may not be made available.
        engine.revive_monitor();
        wait_for_other_than(before);
        one.goes_on(20, 60s);
        settle();
        one.goes_on();
        one.end(engine.port(engine.primary()));
    }
}

BOOST_AUTO_TEST_CASE(and_a_dead_postmaster_is_started_again_in_place, *utf::label("F34")) {
    for (int round = 0; round < rounds_without_failover; ++round) {
        // Cut by the crash, and again where the monitor fails over before the restart counts.
        trial one("engine_kill_postmaster", judged, {.cuts = 2});
        engine.kill_postmaster(engine.primary());
        one.goes_on();
        engine.wait_settled();
        one.goes_on();
        one.end(engine.port(engine.primary()));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()

}
