// SPDX-License-Identifier: Apache-2.0
// The whole library against the simulated SQL Server pair, on virtual time.
#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using testing::commit_step;
using testing::site;

namespace {

using settings = testing::simulated_store::settings;
using tokens = std::vector<std::string>;

settings mirrored(settings how) {
    how.kind = engine::sql_server;
    how.ping_period = 100ms;
    how.partner_timeout = 1s;
    return how;
}

endpoint place(site which) {
    return testing::simulated_store::at(which, engine::sql_server);
}

/// Two partners, a witness, and an application that has a store open on them.
struct sql_server_pair {
    explicit sql_server_pair(const std::string& more = {}, settings how = {})
        : servers(*world, mirrored(std::move(how))) {
        auto made = hadr::open(
            servers.connection_string() + more,
            {.drivers = {servers.through()},
             .world = world,
             .on_event = [this](const event& what) { told.push_back(what.what); }}
        );
        BOOST_REQUIRE(made.has_value());
        store = std::move(*made);
    }

    ~sql_server_pair() { store.reset(); }

    expected<lease> write(duration within = 5s) {
        return store->acquire({.intent = intent::write, .until = deadline::in(within)});
    }

    commit_result commit(const std::string& token, duration within = 10s) {
        return store->transact(
            {.until = deadline::in(within), .attempts_max = 1},
            [&](lease& on) -> expected<void> {
                const auto done = on.execute("append " + token);
                return done ? expected<void>() : expected<void>(done.error());
            }
        );
    }

    bool committed(const std::string& token) { return commit(token).ended == outcome::committed; }

    bool eventually(const std::function<bool()>& what) { return world->eventually(what, 30s); }
    bool named(site which) {
        return eventually([&] { return servers.named() == which; });
    }
    bool whole() {
        return eventually([&] { return servers.protected_now(); });
    }
    bool shows(availability wanted) {
        return eventually([&] { return store->view()->state == wanted; });
    }

    std::size_t logins(site which) const { return servers.login_times(which).size(); }
    std::size_t count(event_kind kind) const {
        return static_cast<std::size_t>(std::count(told.begin(), told.end(), kind));
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    testing::simulated_store servers;
    std::vector<event_kind> told;
    std::unique_ptr<connection_manager> store;
};

}

BOOST_AUTO_TEST_SUITE(a_sql_server_pair)

BOOST_AUTO_TEST_CASE(
    is_followed_to_its_new_principal,
    *utf::label("F1") * utf::label("C18") * utf::label("C28") * utf::label("C48")
) {
    sql_server_pair pair(";Pool_Warm=2");
    BOOST_TEST(pair.committed("before"));
    pair.world->advance(1s);
    pair.servers.kill(site::one);
    BOOST_TEST_REQUIRE(pair.named(site::two));
    const auto serves = pair.world->now();
    const auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(held->server() == place(site::two));
    BOOST_TEST(((pair.world->now() - serves) <= 30ms));
    BOOST_TEST(pair.committed("after"));
    BOOST_TEST((pair.servers.ledger(site::two) == tokens{"before", "after"}));
    BOOST_TEST(pair.count(event_kind::primary_changed) == 2U);
    BOOST_TEST(pair.servers.counted().witness_logins == 0U); // C9
}

BOOST_AUTO_TEST_CASE(
    moves_the_sessions_that_waited_in_master_into_its_database, *utf::label("E4") * utf::label("E5")
) {
    sql_server_pair pair(";Pool_Warm=3");
    BOOST_TEST(pair.committed("before"));
    BOOST_TEST_REQUIRE(pair.eventually([&] {
        return pair.store->counters().sessions_warm_now == 3U;
    }));
    const auto logins = pair.logins(site::two);
    pair.servers.kill(site::one);
    BOOST_TEST_REQUIRE(pair.named(site::two));
    std::vector<lease> held;
    for (int i = 0; i < 3; ++i) {
        auto one = pair.write();
        BOOST_TEST_REQUIRE(one.has_value());
        held.push_back(std::move(*one));
        BOOST_TEST(held.back().execute("append warm" + std::to_string(i)).has_value());
    }
    BOOST_TEST(pair.logins(site::two) == logins);
    BOOST_TEST(pair.servers.ledger(site::two).size() == 4U);
}

BOOST_AUTO_TEST_CASE(
    gives_its_role_away_as_planned_and_takes_it_back,
    *utf::label("C27") * utf::label("C35") * utf::label("C36")
) {
    sql_server_pair pair;
    BOOST_TEST(pair.committed("first"));
    for (const auto to : {site::two, site::one}) {
        auto old = pair.write();
        BOOST_TEST_REQUIRE(old.has_value());
        BOOST_TEST_REQUIRE(pair.shows(availability::serving));
        const auto plan = pair.store->plan({});
        BOOST_TEST_REQUIRE(plan.has_value());
        BOOST_TEST(pair.store->view()->members[plan->to].at == place(to));
        BOOST_TEST(pair.store->execute(*plan).has_value());
        BOOST_TEST_REQUIRE(pair.named(to));
        BOOST_TEST(!old->execute("append late").has_value());
        BOOST_TEST(!old->current());
        old->release();
        BOOST_TEST(pair.write()->server() == place(to));
        BOOST_TEST(pair.committed(std::string(to_string(to))));
        BOOST_TEST(pair.whole());
    }
    BOOST_TEST((pair.servers.ledger(site::one) == tokens{"first", "two", "one"}));
    BOOST_TEST(pair.servers.counted().promotions == 2U);
}

BOOST_AUTO_TEST_CASE(
    refuses_a_planned_failover_that_the_engine_would_refuse, *utf::label("C27") * utf::label("C36")
) {
    sql_server_pair pair;
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST_REQUIRE(pair.shows(availability::serving));
    const auto stale = pair.store->plan({});
    BOOST_TEST_REQUIRE(stale.has_value());
    BOOST_TEST(
        pair.servers.administer(site::one, "ALTER DATABASE [d] SET PARTNER SUSPEND").has_value()
    );
    BOOST_TEST_REQUIRE(pair.shows(availability::exposed));
    BOOST_TEST(!pair.store->plan({}).has_value());
    BOOST_TEST(!pair.store->execute(*stale).has_value());
    BOOST_TEST(pair.servers.counted().promotions == 0U);
    BOOST_TEST(pair.write()->server() == place(site::one));
}

BOOST_AUTO_TEST_CASE(
    is_forced_where_there_is_no_witness, *utf::label("C19") * utf::label("C22") * utf::label("C37")
) {
    sql_server_pair pair({}, {.has_witness = false});
    BOOST_TEST(pair.committed("before"));
    pair.world->advance(1s);
    operation forced{.what = operation_kind::forced_failover, .target = 1};
    BOOST_TEST(!pair.store->plan(forced).has_value()); // The principal answers.
    pair.servers.kill(site::one);
    pair.world->advance(5s);
    BOOST_TEST((pair.store->view()->writer == std::nullopt));
    BOOST_TEST((pair.store->view()->state == availability::action_required));
    BOOST_TEST(!pair.store->plan(forced).has_value()); // C22
    forced.data_loss_acknowledged = true;
    const auto plan = pair.store->plan(forced);
    BOOST_TEST_REQUIRE(plan.has_value());
    BOOST_TEST(pair.store->execute(*plan).has_value());
    BOOST_TEST(pair.write()->server() == place(site::two));
    BOOST_TEST(pair.committed("after"));
    BOOST_TEST((pair.servers.ledger(site::two) == tokens{"before", "after"}));
}

BOOST_AUTO_TEST_CASE(
    serves_nobody_while_both_partners_are_stale,
    *utf::label("C34") * utf::label("C47") * utf::label("F15") * utf::label("P4")
) {
    sql_server_pair pair;
    BOOST_TEST(pair.committed("before"));
    pair.servers.kill(site::one);
    BOOST_TEST_REQUIRE(pair.named(site::two));
    BOOST_TEST(pair.committed("after"));
    pair.servers.kill(site::two);
    pair.servers.restart(site::one); // Lacks what its successor has acknowledged.
    pair.world->advance(5s);
    const auto begun = pair.world->now();
    const auto none = pair.write(3s);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(((pair.world->now() - begun) <= 3050ms));
    BOOST_TEST((pair.store->view()->writer == std::nullopt));
    pair.servers.restart(site::two);
    BOOST_TEST(pair.write(30s)->server() == place(site::two));
    BOOST_TEST(pair.whole());
    BOOST_TEST((pair.servers.ledger(site::one) == tokens{"before", "after"}));
}

BOOST_AUTO_TEST_CASE(
    never_lends_a_principal_that_thawed_behind_its_successor,
    *utf::label("F2") * utf::label("F15") * utf::label("E1")
) {
    sql_server_pair pair;
    auto old = pair.write();
    BOOST_TEST_REQUIRE(old.has_value());
    pair.world->advance(1s);
    pair.servers.freeze(site::one);
    BOOST_TEST_REQUIRE(pair.named(site::two));
    BOOST_TEST(pair.committed("new"));
    pair.servers.thaw(site::one);
    for (int i = 0; i < 100; ++i) {
        const auto held = pair.write();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == place(site::two));
        pair.world->advance(10ms);
    }
    BOOST_TEST(!old->execute("append old").has_value());
    old->release();
    BOOST_TEST(pair.whole());
    BOOST_TEST((pair.servers.ledger(site::one) == tokens{"new"}));
}

BOOST_AUTO_TEST_CASE(
    serves_on_while_its_mirror_is_away_and_is_whole_once_that_returns,
    *utf::label("C31") * utf::label("C32")
) {
    sql_server_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST_REQUIRE(pair.shows(availability::serving));
    pair.servers.kill(site::two);
    BOOST_TEST_REQUIRE(pair.shows(availability::exposed));
    BOOST_TEST(held->current());
    BOOST_TEST(held->execute("append alone").has_value());
    BOOST_TEST(!pair.store->plan({}).has_value());
    pair.servers.restart(site::two);
    BOOST_TEST(pair.shows(availability::serving));
    BOOST_TEST((pair.servers.ledger(site::two) == tokens{"alone"}));
    BOOST_TEST(held->current());
    BOOST_TEST(pair.count(event_kind::primary_changed) == 1U);
}

BOOST_AUTO_TEST_CASE(
    tells_of_no_commit_that_was_cut_what_it_cannot_know,
    *utf::label("C6") * utf::label("C7") * utf::label("C8") * utf::label("F22")
) {
    constexpr auto last = static_cast<int>(commit_step::answered);
    for (int step = 0; step <= last; ++step)
        BOOST_TEST_CONTEXT(to_string(static_cast<commit_step>(step))) {
            sql_server_pair pair;
            BOOST_TEST(pair.committed("before"));
            pair.servers.when(static_cast<commit_step>(step), [&] {
                pair.servers.reset(site::client, site::one);
            });
            const auto how = pair.commit("cut");
            BOOST_TEST(pair.servers.hooks_left() == 0U);
            BOOST_TEST((how.ended == outcome::in_doubt));
            pair.world->advance(1s);
            const bool arrived = step >= static_cast<int>(commit_step::received);
            const auto expected = arrived ? tokens{"before", "cut"} : tokens{"before"};
            BOOST_TEST((pair.servers.ledger(site::one) == expected));
            BOOST_TEST(pair.store->counters().outcomes_unknown == 1U);
        }
}

BOOST_AUTO_TEST_CASE(
    loses_no_commit_whose_principal_died_under_it,
    *utf::label("C1") * utf::label("C7") * utf::label("F22")
) {
    constexpr auto last = static_cast<int>(commit_step::answer_received);
    for (int step = 0; step <= last; ++step)
        BOOST_TEST_CONTEXT(to_string(static_cast<commit_step>(step))) {
            sql_server_pair pair;
            BOOST_TEST(pair.committed("before"));
            pair.servers.when(static_cast<commit_step>(step), [&] {
                pair.servers.kill(site::one);
            });
            const auto how = pair.commit("killed");
            BOOST_TEST_REQUIRE(pair.named(site::two));
            const auto after = pair.servers.ledger(site::two);
            const auto there = std::count(after.begin(), after.end(), "killed");
            BOOST_TEST(there <= 1);
            BOOST_TEST((how.ended != outcome::committed || there == 1));
            BOOST_TEST((how.ended != outcome::not_committed || there == 0));
            BOOST_TEST(pair.committed("next"));
        }
}

BOOST_AUTO_TEST_CASE(
    tells_what_becomes_of_its_witness, *utf::label("S2") * utf::label("C6") * utf::label("C32")
) {
    sql_server_pair pair;
    const auto shows = [&](witness_state wanted) {
        return pair.eventually([&] { return pair.store->view()->witness == wanted; });
    };
    const auto set = [&](const std::string& witness) {
        return pair.servers.administer(site::one, "ALTER DATABASE [d] SET WITNESS " + witness);
    };
    BOOST_TEST_REQUIRE(pair.committed("before"));
    BOOST_TEST_REQUIRE(shows(witness_state::connected));
    pair.told.clear();
    pair.servers.kill(site::witness);
    BOOST_TEST(shows(witness_state::lost));
    BOOST_TEST(set("OFF").has_value());
    BOOST_TEST(shows(witness_state::none));
    pair.servers.restart(site::witness);
    BOOST_TEST(set("= 'TCP://witness:5022'").has_value());
    BOOST_TEST(shows(witness_state::connected));
    BOOST_TEST(set("OFF").has_value());
    BOOST_TEST(shows(witness_state::none));
    pair.store.reset();
    std::erase_if(pair.told, [](event_kind one) {
        return one != event_kind::witness_lost && one != event_kind::witness_removed &&
               one != event_kind::witness_returned;
    });
    const std::vector<event_kind> all = {
        event_kind::witness_lost,
        event_kind::witness_removed,
        event_kind::witness_returned,
        event_kind::witness_removed};
    BOOST_TEST((pair.told == all));
}

BOOST_AUTO_TEST_CASE(
    is_left_alone_by_whoever_has_no_right_to_it, *utf::label("F26") * utf::label("P4")
) {
    sql_server_pair pair;
    for (const auto which : {site::one, site::two})
        pair.servers.set_door(which, testing::simulated_store::door::locked);
    const auto none = pair.write(5s);
    BOOST_TEST_REQUIRE(!none.has_value());
    pair.world->advance(10s);
    BOOST_TEST(pair.servers.counted().logins <= 8U); // Each counts towards a lock-out.
    for (const auto which : {site::one, site::two})
        pair.servers.set_door(which, testing::simulated_store::door::open);
    pair.world->advance(2min);
    BOOST_TEST(pair.write().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
