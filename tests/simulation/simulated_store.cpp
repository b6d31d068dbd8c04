// SPDX-License-Identifier: Apache-2.0
#include "simulation/marks.hpp"

#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using testing::commit_step;
using testing::site;

namespace {

/// An application on a simulated store.
struct simulated {
    explicit simulated(const std::string& more = {}) {
        auto made = hadr::open(
            servers.connection_string() + more, {.drivers = {servers.through()}, .world = world}
        );
        BOOST_REQUIRE(made.has_value());
        store = std::move(*made);
    }

    ~simulated() { store.reset(); }

    commit_result write(const std::string& token, duration within = 10s) {
        return store->transact({.until = deadline::in(within)}, [&](lease& on) -> expected<void> {
            const auto done = on.execute("append " + token);
            return done ? expected<void>() : expected<void>(done.error());
        });
    }

    bool committed(const std::string& token) { return write(token).ended == outcome::committed; }

    bool whole(duration within = 30s) {
        return world->eventually([this] { return servers.protected_now(); }, within);
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    testing::simulated_store servers{*world};
    std::unique_ptr<connection_manager> store;
};

bool is_bug(const std::function<void()>& request) {
    try {
        request();
    } catch (const std::logic_error& why) {
        return std::string_view(why.what()).starts_with("bug in test: ");
    }
    return false;
}

}

BOOST_AUTO_TEST_SUITE(the_simulated_store)

BOOST_AUTO_TEST_CASE(refuses_what_no_store_could_meet) {
    simulated on;
    auto& servers = on.servers;
    BOOST_TEST(is_bug([&] { servers.kill(site::client); }));
    BOOST_TEST(is_bug([&] { servers.thaw(site::one); }));
    BOOST_TEST(is_bug([&] { servers.mend(site::one, site::two); }));
    BOOST_TEST(is_bug([&] { servers.cut(site::one, site::one); }));
    BOOST_TEST(is_bug([&] { servers.restart(site::one); }));
    BOOST_TEST(is_bug([&] { servers.set_loss(site::one, site::two, 101); }));
    BOOST_TEST(is_bug([&] { servers.set_delay(site::one, site::two, -1ms); }));
    BOOST_TEST(is_bug([&] { servers.reset(site::one, site::two); }));
    servers.kill(site::one);
    BOOST_TEST(is_bug([&] { servers.kill(site::one); }));
    BOOST_TEST(is_bug([&] { servers.freeze(site::one); }));
    BOOST_TEST(is_bug([&] { static_cast<void>(servers.cancel_waiting(site::one)); }));
    servers.kill(site::witness);
    BOOST_TEST(is_bug([&] { static_cast<void>(servers.switch_over()); }));
}

BOOST_AUTO_TEST_CASE(
    whose_name_leads_to_another_cluster_for_a_while_is_found_again,
    *utf::label("F10") * utf::label("E9")
) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.rebind(site::one, true);
    on.servers.reset(site::client, site::one);
    on.world->advance(5s);
    BOOST_TEST(!on.store->view()->writer.has_value());
    BOOST_TEST(on.store->view()->members[0].refused);
    BOOST_TEST(!on.committed("meanwhile"));
    on.servers.rebind(site::one, false);
    BOOST_TEST(on.world->eventually([&] { return on.store->view()->writer == 0U; }, 5s));
    BOOST_TEST(on.committed("after"));
    BOOST_TEST(on.servers.strays() == 0U);
}

BOOST_AUTO_TEST_CASE(
    that_was_promoted_beside_the_engine_is_refused_and_taken_back,
    *utf::label("F13") * utf::label("F14") * utf::label("E1")
) {
    simulated on;
    on.servers.kill(site::one);
    BOOST_TEST(on.world->eventually([&] { return on.store->view()->writer == 1U; }, 30s));
    on.servers.promote_apart(site::one);
    on.world->advance(1s);
    BOOST_TEST(on.servers.state(site::one).writable);
    BOOST_TEST(on.servers.state(site::one).timeline == on.servers.state(site::two).timeline);
    BOOST_TEST((on.store->view()->writer == 1U));
    BOOST_TEST(on.store->view()->members[0].refused);
    BOOST_TEST(on.committed("there"));
    BOOST_TEST(on.servers.ledger(site::one).empty());
    on.servers.restart(site::one);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.servers.state(site::one).in_recovery);
}

BOOST_AUTO_TEST_CASE(passes_the_steps_of_a_commit_in_order, *utf::label("F22")) {
    simulated on;
    std::vector<commit_step> passed;
    on.servers.watch_commits([&](commit_step step, site, std::string_view token) {
        BOOST_TEST(token == "x");
        passed.push_back(step);
    });
    BOOST_TEST(on.committed("x"));
    const std::vector<commit_step> all = {
        commit_step::sent,
        commit_step::received,
        commit_step::logged,
        commit_step::replicated,
        commit_step::visible,
        commit_step::answered,
        commit_step::answer_received};
    BOOST_TEST((passed == all));
}

BOOST_AUTO_TEST_CASE(fails_over_by_itself_once_the_primary_is_lost, *utf::label("F1")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.kill(site::one);
    BOOST_TEST(on.committed("after"));
    BOOST_TEST((on.servers.named() == site::two));
    BOOST_TEST(on.servers.state(site::two).timeline == 2U);
    BOOST_TEST(!on.servers.state(site::two).synchronous); // wait_primary: exposed.
    on.servers.restart(site::one);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.servers.state(site::one).in_recovery);
    BOOST_TEST(on.servers.ledger(site::one).size() == 2U);
}

BOOST_AUTO_TEST_CASE(does_not_fail_over_for_an_agent_or_a_server_process_alone) {
    simulated on;
    on.servers.kill_keeper(site::one);
    on.world->advance(20s);
    BOOST_TEST((on.servers.named() == site::one));
    on.servers.restart(site::one);
    on.servers.kill_server(site::one);
    on.world->advance(20s);
    BOOST_TEST((on.servers.named() == site::one));
    BOOST_TEST(on.servers.state(site::one).timeline == 1U);
    BOOST_TEST(on.committed("x"));
}

BOOST_AUTO_TEST_CASE(
    leaves_an_old_primary_writable_that_nobody_demotes, *utf::label("F13") * utf::label("F15")
) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.kill_keeper(site::one);
    on.servers.cut(site::one, site::witness); // The witness hears nothing of it any more.
    BOOST_TEST(on.world->eventually([&] { return on.servers.named() == site::two; }));
    BOOST_TEST(on.servers.state(site::one).writable);
    BOOST_TEST(on.committed("after"));
    BOOST_TEST((on.store->view()->writer == 1U));
    BOOST_TEST(on.store->view()->members[0].refused);
}

BOOST_AUTO_TEST_CASE(goes_exposed_when_the_mirror_is_lost_and_comes_back) {
    simulated on;
    on.servers.kill(site::two);
    BOOST_TEST(on.committed("alone"));
    BOOST_TEST(on.servers.state(site::one).assigned == "wait_primary");
    on.servers.restart(site::two);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.servers.ledger(site::two).size() == 1U);
}

BOOST_AUTO_TEST_CASE(holds_commits_back_until_they_are_replicated, *utf::label("F39")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.cut(site::one, site::two);
    const auto how = on.write("held", 100ms);
    BOOST_TEST((how.ended == outcome::in_doubt));
    BOOST_TEST(on.servers.ledger(site::one).size() == 1U);
    on.servers.mend(site::one, site::two);
    on.world->advance(1s);
    BOOST_TEST(on.servers.ledger(site::one).size() == 2U);
}

BOOST_AUTO_TEST_CASE(says_so_when_a_commit_is_local_only, *utf::label("F40")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.cut(site::one, site::two);
    on.world->later(200ms, [&] { BOOST_TEST(on.servers.cancel_waiting(site::one) == 1); });
    BOOST_TEST((on.write("local").ended == outcome::committed_local));
}

BOOST_AUTO_TEST_CASE(does_not_fail_over_without_its_witness, *utf::label("F18")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.kill(site::witness);
    on.world->advance(5s);
    BOOST_TEST(on.committed("still")); // E10
    on.servers.kill(site::one);
    BOOST_TEST(!on.committed("never"));
    on.servers.restart(site::witness);
    BOOST_TEST(on.committed("again"));
}

BOOST_AUTO_TEST_CASE(shows_another_lineage_after_a_restore, *utf::label("F17") * utf::label("E9")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    on.servers.rebuild("8");
    BOOST_TEST(!on.committed("refused"));
    BOOST_TEST(on.store->accept_lineage(testing::simulated_store::at(site::one)).has_value());
    BOOST_TEST(on.committed("after"));
}

BOOST_AUTO_TEST_CASE(is_pushed_about_by_its_witness, *utf::label("C18")) {
    simulated on;
    BOOST_TEST(on.committed("before"));
    BOOST_TEST(on.servers.switch_over());
    BOOST_TEST(on.committed("after"));
    BOOST_TEST(on.store->counters().pushes != 0U);
    BOOST_TEST(on.whole());
    BOOST_TEST((on.servers.named() == site::two));
}

BOOST_AUTO_TEST_CASE(
    keeps_its_pools_with_one_timer_at_a_time, *utf::label("T3") * utf::label("F56")
) {
    simulated all(";Connects_Per_Second=1;Pool_Max=90;Pool_Min=90;Pool_Warm=45");
    const auto waits = [&] {
        unsigned long long times = 0;
        for (const auto& one : all_marks())
            if (one.name == "login waits for the storm limit")
                times += one.times;
        return times;
    };
    const auto in_five_seconds = [&] {
        const auto before = waits();
        all.world->advance(5s);
        return waits() - before;
    };
    all.world->advance(1s);
    const auto early = in_five_seconds();
    all.world->advance(15s);
    BOOST_TEST(in_five_seconds() <= 2 * early);
}

BOOST_AUTO_TEST_SUITE_END()

}
