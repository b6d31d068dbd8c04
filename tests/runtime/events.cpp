// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

#include <hadr/testing/simulated_store.hpp>

#include <array>

namespace hadr::test {

namespace utf = boost::unit_test;
using testing::site;

namespace {

/// What one who has heard all events, and never looked, holds for the state (S2).
struct replay {
    availability state = availability::unknown;
    service_level level = service_level::full;
    std::optional<std::size_t> writer;
    bool witness_lost = false;
    std::array<bool, 3> offline{}, refused{}, lost{};

    replay() = default;
    explicit replay(const std::vector<event>& told) {
        for (const auto& one : told)
            take(one);
    }

    void take(const event& one) {
        const auto at = one.member.value_or(0);
        switch (one.what) {
        case event_kind::exposed: state = availability::exposed; break;
        case event_kind::protected_: state = availability::serving; break;
        case event_kind::failing_over: state = availability::failing_over; break;
        case event_kind::action_required: state = availability::action_required; break;
        case event_kind::level_changed: level = one.view->level; break;
        case event_kind::primary_lost: writer.reset(); break;
        case event_kind::primary_changed:
        case event_kind::primary_returned: writer = one.member; break;
        case event_kind::witness_lost: witness_lost = true; break;
        case event_kind::witness_returned:
        case event_kind::witness_removed: witness_lost = false; break;
        case event_kind::member_offline: offline.at(at) = true; break;
        case event_kind::member_online: offline.at(at) = false; break;
        case event_kind::old_primary_refused:
            refused.at(at) = true;
            lost.at(at) = false;
            break;
        case event_kind::member_lost:
            refused.at(at) = false;
            lost.at(at) = true;
            break;
        case event_kind::member_returned: refused.at(at) = lost.at(at) = false; break;
        case event_kind::reconfigured: *this = {}; break;
        default: break;
        }
    }

    void is(const topology& view) const {
        BOOST_TEST(to_string(state) == to_string(view.state));
        BOOST_TEST((level == view.level));
        BOOST_TEST((writer == view.writer));
        BOOST_TEST(witness_lost == (view.witness == witness_state::lost));
        for (std::size_t i = 0; i < view.members.size(); ++i) {
            const auto& one = view.members[i];
            BOOST_TEST(offline.at(i) == one.offline);
            BOOST_TEST(refused.at(i) == one.refused);
            BOOST_TEST(lost.at(i) == (one.trouble.has_value() && !one.refused));
        }
    }
};

/// A store with a witness, and all that it tells.
struct witnessed {
    explicit witnessed(const std::string& keys = {}) : witnessed(keys, "two:5432") {}

    witnessed(const std::string& keys, const std::string& partner) {
        auto made = hadr::open(
            "Mode=mirroring;Server=one:5432;Failover_Partner=" + partner +
                ";Witness=pg_auto_failover:witness:5432;Database=d;UID=u;Encrypt=disable" + keys,
            {.drivers = {servers.through()},
             .world = world,
             .on_event = [this](const event& what) { told.push_back(what); }}
        );
        BOOST_REQUIRE(made.has_value());
        store = std::move(*made);
        passes(1s);
    }

    ~witnessed() { store.reset(); }

    void passes(duration by) {
        world->advance(by);
        replay(told).is(*store->view());
    }

    std::size_t count(event_kind kind) const {
        return static_cast<std::size_t>(std::count_if(
            told.begin(), told.end(), [&](const event& one) { return one.what == kind; }
        ));
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    testing::simulated_store servers{*world};
    std::vector<event> told;
    std::unique_ptr<connection_manager> store;
};

}

BOOST_AUTO_TEST_SUITE(events)

BOOST_AUTO_TEST_CASE(
    replayed_give_the_state_through_a_failover,
    *utf::label("S2") * utf::label("C31") * utf::label("C35")
) {
    witnessed all;
    BOOST_TEST((all.store->view()->state == availability::serving));
    all.servers.kill(site::one);
    for (int i = 0; i < 100; ++i)
        all.passes(100ms);
    BOOST_TEST((all.store->view()->writer == 1U));
    BOOST_TEST((all.store->view()->state == availability::exposed));
    BOOST_TEST(all.count(event_kind::failing_over) == 1U);
    BOOST_TEST(all.count(event_kind::exposed) == 1U);
    all.servers.restart(site::one);
    for (int i = 0; i < 100; ++i)
        all.passes(100ms);
    BOOST_TEST((all.store->view()->state == availability::serving));
    BOOST_TEST(all.count(event_kind::protected_) == 2U);
    BOOST_TEST(all.count(event_kind::member_returned) >= 1U);
}

BOOST_AUTO_TEST_CASE(
    replayed_give_the_state_while_the_witness_is_lost, *utf::label("S2") * utf::label("C32")
) {
    witnessed all(";Witness_Lost_Advice=5s");
    all.servers.kill(site::witness);
    all.passes(4s);
    BOOST_TEST(all.count(event_kind::witness_lost) == 1U);
    const auto advised = [&] {
        return std::count_if(all.told.begin(), all.told.end(), [](const event& one) {
            return one.what == event_kind::advice && one.cause.find("C32") != std::string::npos;
        });
    };
    BOOST_TEST(advised() == 0);
    all.passes(1min);
    BOOST_TEST(advised() == 1);
    all.servers.kill(site::one);
    all.passes(5s);
    BOOST_TEST((all.store->view()->state == availability::action_required));
    BOOST_TEST(all.count(event_kind::action_required) >= 1U);
    all.servers.restart(site::witness);
    all.passes(10s);
    BOOST_TEST(all.count(event_kind::witness_returned) == 1U);
}

BOOST_AUTO_TEST_CASE(
    replayed_give_the_state_while_a_member_is_offline, *utf::label("S2") * utf::label("B11")
) {
    witnessed all;
    for (const auto which : {site::two, site::one}) {
        BOOST_TEST(all.store->offline(testing::simulated_store::at(which)).has_value());
        all.passes(1s);
    }
    BOOST_TEST(all.count(event_kind::primary_lost) == 1U);
    for (const auto which : {site::one, site::two}) {
        BOOST_TEST(all.store->online(testing::simulated_store::at(which)).has_value());
        all.passes(1s);
    }
    BOOST_TEST(all.count(event_kind::primary_returned) == 1U);
    BOOST_TEST(all.count(event_kind::member_offline) == 2U);
    BOOST_TEST(all.count(event_kind::member_online) == 2U);
}

BOOST_AUTO_TEST_CASE(
    say_that_a_refused_primary_is_a_mirror_again_or_ruled_for,
    *utf::label("S2") * utf::label("C34") * utf::label("E2")
) {
    simulated_pair pair;
    const auto passes = [&](duration by) {
        pair.world.advance(by);
        replay(pair.told).is(*pair.store->view());
    };
    passes(1s);
    pair.b.promote();
    passes(1s);
    BOOST_TEST(pair.count(event_kind::old_primary_refused) == 1U);
    pair.b.kill();
    passes(1s);
    BOOST_TEST(pair.store->accept_lineage(pair.a.at).has_value());
    passes(1s);
    BOOST_TEST(pair.count(event_kind::epoch_went_back) == 1U);
    BOOST_TEST(pair.count(event_kind::member_returned) == 1U);
    pair.b.is = testing::fake_server::condition::up;
    pair.b.promote();
    passes(1s);
    BOOST_TEST(pair.count(event_kind::old_primary_refused) == 2U);
    pair.a.follow(pair.b);
    passes(1s);
    BOOST_TEST(!pair.store->view()->members[0].refused);
    BOOST_TEST(pair.count(event_kind::member_returned) >= 2U);
}

BOOST_AUTO_TEST_CASE(say_when_the_service_level_changes, *utf::label("B6") * utf::label("H8")) {
    simulated_pair pair("Ride_Out=10s");
    pair.world.advance(5s);
    const auto before = pair.count(event_kind::level_changed);
    pair.a.kill();
    pair.world.advance(5s);
    BOOST_TEST(pair.count(event_kind::level_changed) == before + 1);
    pair.world.advance(10s);
    BOOST_TEST(pair.count(event_kind::level_changed) == before + 2);
    pair.b.promote();
    pair.world.advance(10s);
    BOOST_TEST(pair.count(event_kind::level_changed) == before + 3);
    BOOST_TEST((pair.store->view()->level == service_level::full));
    replay(pair.told).is(*pair.store->view());
}

BOOST_AUTO_TEST_CASE(say_which_partner_was_learned, *utf::label("C43") * utf::label("X3")) {
    for (const bool allowed : {true, false}) {
        witnessed all(allowed ? ";Partner_Allowed=two" : "", "three:5432");
        BOOST_TEST(all.count(event_kind::partner_learned) == 1U);
        BOOST_TEST(all.store->view()->members.size() == (allowed ? 3U : 2U));
    }
}

BOOST_AUTO_TEST_CASE(say_how_long_there_was_no_primary, *utf::label("C40") * utf::label("C17")) {
    simulated_pair pair("RTO=2s");
    pair.world.advance(1s);
    pair.a.kill();
    pair.world.advance(5s);
    pair.b.promote();
    pair.world.advance(1s);
    const auto& last = *std::find_if(pair.told.rbegin(), pair.told.rend(), [](const event& one) {
        return one.what == event_kind::primary_changed;
    });
    BOOST_TEST_REQUIRE(last.outage.has_value());
    BOOST_TEST((*last.outage >= 4900ms && *last.outage <= 5100ms));
    BOOST_TEST(last.cause.find("RTO=2.000 s missed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    and_view_know_no_witness_once_it_is_removed, *utf::label("C16") * utf::label("C32")
) {
    witnessed all;
    all.servers.kill(site::witness);
    all.passes(1s);
    BOOST_TEST((all.store->view()->witness == witness_state::lost));
    BOOST_TEST(all.store
                   ->reconfigure("Mode=mirroring;Server=one:5432;Failover_Partner=two:5432;"
                                 "Database=d;UID=u;Encrypt=disable")
                   .has_value());
    all.world->advance(1s);
    const auto view = all.store->view();
    BOOST_TEST((view->witness == witness_state::none));
    BOOST_TEST((view->failover == failover_form::manual_only));
    BOOST_TEST((view->writer == 0U)); // The partner stays, and the primary serves on.
    BOOST_TEST(view->members.size() == 2U);
    BOOST_TEST(all.store->acquire({.until = deadline::in(1s)}).has_value());
}

BOOST_AUTO_TEST_CASE(say_that_the_monitor_was_held_up, *utf::label("F46") * utf::label("F12")) {
    simulated_pair pair;
    pair.world.advance(2s);
    pair.world.pause(1min);
    pair.world.advance(2min);
    BOOST_TEST(pair.count(event_kind::monitor_stalled) == 1U);
}

BOOST_AUTO_TEST_CASE(begin_and_end_with_the_store, *utf::label("C12") * utf::label("P8")) {
    simulated_pair pair;
    pair.world.advance(1s);
    BOOST_TEST(pair.count(event_kind::opened) == 1U);
    BOOST_TEST(pair.store
                   ->reconfigure("Mode=mirroring;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;"
                                 "Encrypt=disable")
                   .has_value());
    pair.world.advance(1s);
    BOOST_TEST(pair.count(event_kind::reconfigured) == 1U);
    replay(pair.told).is(*pair.store->view());
    pair.store->close();
    BOOST_TEST(pair.count(event_kind::closed) == 1U);
    for (std::size_t i = 1; i < pair.told.size(); ++i)
        BOOST_TEST(pair.told[i].sequence > pair.told[i - 1].sequence);
}

BOOST_AUTO_TEST_SUITE_END()

}
