// SPDX-License-Identifier: Apache-2.0
#include "support/trial.hpp"

#include <hadr/operation.hpp>

#include <boost/test/unit_test.hpp>

#include <thread>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

/// What an operator does through the library: plans again whenever the store has changed meanwhile.
void execute(connection_manager& store, const operation& wanted) {
    std::string why;
    wait_until("an operation to be allowed", 20s, [&] {
        const auto made = store.plan(wanted);
        if (!made)
            return false;
        const auto done = store.execute(*made, deadline::in(20s));
        if (!done && done.error().code != errc::rejected_by_server)
            throw std::runtime_error(to_string(done.error()));
        return done.has_value();
    });
}

const operation forced{operation_kind::forced_failover, std::nullopt, true};

template <class Fault, class Promotion, class Afterwards>
void repeat(
    pair_on_trial& on, const std::string& kind, const std::tuple<Fault, Promotion, Afterwards>& what
) {
    const auto& [fault, promotion, afterwards] = what;
    for (int round = 0; round < client_library_under_trial().rounds_by_hand; ++round) {
        trial one(kind, on.judged);
        fault();
        promotion();
        one.goes_on();
        afterwards();
        one.goes_on();
        one.end(on.pair.primary().port());
    }
}

}

BOOST_FIXTURE_TEST_SUITE(
    mirroring_promoted_by_hand,
    pair_on_trial,
    *utf::label("F1") * utf::label("F2") * utf::label("F15") * utf::label("E1") * utf::label("C6") *
        utf::label("P4")
)

BOOST_AUTO_TEST_CASE(follows_the_death_of_the_primary_in_every_way_it_can_die) {
    const auto by_harness = [&] { pair.promote_mirror(); };
    const auto rejoin = [&] { pair.rejoin(); };
    const auto kill_node = [&] { pair.primary().kill_all(); };
    const auto kill_postmaster = [&] { pair.primary().kill_postmaster(); };
    const auto immediate = [&] { pair.primary().stop(SIGQUIT); };
    const auto fast = [&] { pair.primary().stop(SIGINT); };
    repeat(*this, "kill_node", std::tuple(kill_node, by_harness, rejoin));
    repeat(*this, "kill_postmaster", std::tuple(kill_postmaster, by_harness, rejoin));
    repeat(*this, "immediate_shutdown", std::tuple(immediate, by_harness, rejoin));
    repeat(*this, "fast_shutdown", std::tuple(fast, by_harness, rejoin));
}

BOOST_AUTO_TEST_CASE(follows_past_an_old_primary_that_is_silent_or_comes_back_read_write) {
    const auto by_harness = [&] { pair.promote_mirror(); };
    const auto freeze = [&] { pair.primary().freeze(); };
    const auto thaw = [&] {
        pair.mirror().thaw(); // It answers at last, in an older epoch.
        wait_until("the old primary to be refused", 10s, [&] {
            const auto view = judged.store().view();
            return view->members[view->writer == 0U ? 1 : 0].refused;
        });
        pair.mirror().kill_all();
        pair.rejoin();
    };
    repeat(*this, "frozen", std::tuple(freeze, by_harness, thaw));
    const auto kill_node = [&] { pair.primary().kill_all(); };
    const auto back = [&] {
        auto& old = pair.mirror();
        old.append_setting("synchronous_standby_names = ''");
        old.start();
        BOOST_TEST(must(old.port(), "select pg_is_in_recovery()") == "f");
        BOOST_TEST(must(old.port(), "show transaction_read_only") == "off");
        wait_until("the old primary to be refused", 10s, [&] {
            const auto view = judged.store().view();
            return view->members[view->writer == 0U ? 1 : 0].refused;
        });
        BOOST_TEST(must(old.port(), "create table proof_of_writing ()").empty());
        old.kill_all();
        pair.rejoin();
    };
    repeat(*this, "old_primary_returns", std::tuple(kill_node, by_harness, back));
}

BOOST_AUTO_TEST_CASE(
    promotes_the_mirror_by_an_operators_word,
    *utf::label("C22") * utf::label("C27") * utf::label("C37")
) {
    const auto by_library = [&] {
        execute(judged.store(), forced);
        pair.mirror_was_promoted();
    };
    const auto rejoin = [&] { pair.rejoin(); };
    const auto kill_node = [&] {
        const auto early = judged.store().plan(forced);
        BOOST_TEST(!early.has_value(), "forced while the primary is connected");
        pair.primary().kill_all();
    };
    // Without a witness a planned failover is two steps: a clean stop, then the mirror by force.
    const auto clean_stop = [&] {
        const auto planned = judged.store().plan({operation_kind::planned_failover, {}, false});
        BOOST_TEST(!planned.has_value(), "nobody there to do a planned failover");
        pair.primary().stop(SIGINT);
    };
    repeat(*this, "forced_by_operator", std::tuple(kill_node, by_library, rejoin));
    repeat(*this, "planned_by_operator", std::tuple(clean_stop, by_library, rejoin));
}

BOOST_AUTO_TEST_SUITE_END()

}
