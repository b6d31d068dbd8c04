// SPDX-License-Identifier: Apache-2.0
#include "support/privileged.hpp"
#include "support/trial.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <optional>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
namespace utf = boost::unit_test;

constexpr int rounds_of_the_network = 2;
// Tells the packets of one node from those of its peers: all run as one user.
constexpr gid_t group_apart = 61'234;

std::optional<own_network> network;

struct network_apart {
    network_apart() { network.emplace(); }
    ~network_apart() { network.reset(); }
};

/// Neither to nor from a server, without a word to anybody.
void swallow(int port) {
    network->add(fmt::format("tcp dport {} drop", port));
    network->add(fmt::format("tcp sport {} drop", port));
}

struct engine_apart {
    auto_failover_cluster made{group_apart};
};

struct partitioned_engine : private engine_apart, engine_on_trial {
    partitioned_engine() : engine_on_trial(made) {}

    /// What the peers of the first node have open to it is marked, in both directions.
    void mark_its_peers() const {
        network->add(fmt::format(
            "tcp dport {} meta skgid != 0 meta skgid != {} ct mark set 1",
            engine.port(0),
            group_apart
        ));
    }

    /// The first node hears no monitor and no mirror, and they not it; clients reach it.
    void cut() const {
        network->insert("ct mark 1 drop");
        network->add(fmt::format(
            "tcp dport {} meta skgid != 0 meta skgid != {} drop", engine.port(0), group_apart
        ));
        network->add(
            fmt::format("tcp dport {} meta skgid {} drop", engine.monitor_port(), group_apart)
        );
    }

    void make_first_primary() {
        if (engine.primary() == 0)
            return;
        engine.perform_failover();
        wait_for_other_than(1);
        engine.wait_settled();
    }
};

}

BOOST_AUTO_TEST_SUITE(a_network_that_drops_packets, *utf::fixture<network_apart>())

BOOST_FIXTURE_TEST_CASE(
    around_the_primary_is_followed_to_the_promoted_mirror,
    pair_on_trial,
    *utf::label("F2") * utf::label("F3")
) {
    for (int round = 0; round < rounds_of_the_network; ++round) {
        trial one("packets_dropped", judged);
        swallow(pair.primary().port());
        pair.promote_mirror();
        one.goes_on();
        network->heal();
        one.goes_on();
        pair.rejoin();
        one.goes_on();
        one.end(pair.primary().port());
    }
}

BOOST_AUTO_TEST_CASE(
    costs_each_call_its_deadline_and_no_more,
    *utf::label("F3") * utf::label("F5") * utf::label("P4")
) {
    const control_thread control;
    postgres_pair pair;
    const observed_store store(mirroring_string(pair.first().port(), pair.second().port()));
    auto held = store.write();
    BOOST_TEST_REQUIRE(held.has_value());
    swallow(pair.primary().port());
    const auto timed = [&](duration allowed, const auto& call) {
        const auto begun = clock::now();
        call();
        const auto late = clock::now() - begun - allowed;
        BOOST_TEST((late <= 50ms + control.worst()), "late by " << milliseconds(late) << " ms");
    };
    timed(400ms, [&] { // Half open: nothing comes back, not even an end.
        const auto how = held->execute("select 1", {}, deadline::in(400ms));
        BOOST_TEST((how.error().code == errc::outcome_unknown));
    });
    held->release();
    for (int i = 0; i < 5; ++i)
        timed(300ms, [&] { // A new session would need the server that is silent.
            auto fresh = store->acquire({.until = deadline::in(300ms)});
            if (fresh)
                BOOST_TEST(!fresh->execute("select 1", {}, deadline::in(1ms)).has_value());
        });
    network->heal();
    BOOST_TEST(store.write(20s).has_value());
}

BOOST_FIXTURE_TEST_CASE(
    between_the_primary_and_its_peers_moves_writes_although_clients_still_reach_it,
    partitioned_engine,
    *utf::label("E1") * utf::label("F13") * utf::label("F18")
) {
    for (int round = 0; round < rounds_of_the_network; ++round) {
        make_first_primary();
        mark_its_peers();
        trial one("engine_primary_partitioned", judged, {.deadline = 20s});
        cut();
        wait_for_other_than(0);
        one.goes_on();
        network->heal();
        engine.wait_settled();
        one.goes_on();
        one.end(engine.port(engine.primary()));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
