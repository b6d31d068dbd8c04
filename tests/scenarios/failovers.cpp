// SPDX-License-Identifier: Apache-2.0
// A pair that fails over, by itself and by hand, and what becomes of an application's sessions,
// commits and rows.
#include "scenarios/partners.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using testing::commit_step;

namespace {

using tokens = std::vector<std::string>;

simulated_store::settings without_witness() {
    auto how = quick_store();
    how.has_witness = false;
    return how;
}

}

BOOST_AUTO_TEST_SUITE(a_sql_server_pair)

BOOST_AUTO_TEST_CASE(
    is_followed_to_its_new_principal,
    *utf::label("F1") * utf::label("C18") * utf::label("C28") * utf::label("C48")
) {
    partners pair("Pool_Warm=2");
    BOOST_TEST(pair.committed("before"));
    BOOST_TEST_REQUIRE(pair.shows(availability::serving));
    pair.kill(site::one);
    BOOST_TEST_REQUIRE(pair.serves(site::two));
    const auto serves = pair.now();
    BOOST_TEST_REQUIRE(pair.follows(site::two));
    BOOST_TEST(((pair.now() - serves) <= 30ms));
    BOOST_TEST(pair.committed("after"));
    BOOST_TEST((pair.ledger(site::two) == tokens{"before", "after"}));
    BOOST_TEST(pair.count(event_kind::primary_changed) == 2U);
    BOOST_TEST(pair.contacts_of_the_witness() == 0U); // C9
}

BOOST_AUTO_TEST_CASE(
    moves_the_sessions_that_waited_in_master_into_its_database, *utf::label("E4") * utf::label("E5")
) {
    partners pair("Pool_Warm=3");
    BOOST_TEST(pair.committed("before"));
    BOOST_TEST_REQUIRE(pair.eventually([&] {
        return pair.store().counters().sessions_warm_now == 3U;
    }));
    const auto logins = pair.logins(site::two);
    pair.kill(site::one);
    BOOST_TEST_REQUIRE(pair.follows(site::two));
    BOOST_TEST_REQUIRE(pair.serves(site::two));
    std::vector<lease> held;
    for (int i = 0; i < 3; ++i) {
        auto one = pair.acquire();
        BOOST_TEST_REQUIRE(one.has_value());
        held.push_back(std::move(*one));
        BOOST_TEST(partners::append(held.back(), "warm" + std::to_string(i)).has_value());
    }
    BOOST_TEST(pair.logins(site::two) == logins);
    BOOST_TEST(pair.ledger(site::two).size() == 4U);
}

BOOST_AUTO_TEST_CASE(
    gives_its_role_away_as_planned_and_takes_it_back,
    *utf::label("C27") * utf::label("C35") * utf::label("C36")
) {
    partners pair;
    BOOST_TEST(pair.committed("first"));
    for (const auto to : {site::two, site::one}) {
        auto old = pair.acquire();
        BOOST_TEST_REQUIRE(old.has_value());
        BOOST_TEST_REQUIRE(pair.shows(availability::serving));
        const auto plan = pair.store().plan({});
        BOOST_TEST_REQUIRE(plan.has_value());
        BOOST_TEST(pair.store().view()->members[plan->to].at == pair.place(to));
        BOOST_TEST(pair.store().execute(*plan).has_value());
        BOOST_TEST_REQUIRE(pair.serves(to));
        BOOST_TEST(!partners::append(*old, "late").has_value());
        BOOST_TEST(!old->current());
        old->release();
        BOOST_TEST(pair.follows(to));
        BOOST_TEST(pair.committed(std::string(to_string(to))));
        BOOST_TEST(pair.whole());
    }
    BOOST_TEST((pair.ledger(site::one) == tokens{"first", "two", "one"}));
    BOOST_TEST(pair.counted().promotions == 2U);
}

BOOST_AUTO_TEST_CASE(
    refuses_a_planned_failover_that_the_engine_would_refuse, *utf::label("C27") * utf::label("C36")
) {
    partners pair;
    BOOST_TEST(pair.acquire().has_value());
    BOOST_TEST_REQUIRE(pair.shows(availability::serving));
    const auto stale = pair.store().plan({});
    BOOST_TEST_REQUIRE(stale.has_value());
    BOOST_TEST(pair.administer(site::one, "ALTER DATABASE [d] SET PARTNER SUSPEND").has_value());
    BOOST_TEST_REQUIRE(pair.shows(availability::exposed));
    BOOST_TEST(!pair.store().plan({}).has_value());
    BOOST_TEST(!pair.store().execute(*stale).has_value());
    BOOST_TEST(pair.counted().promotions == 0U);
    BOOST_TEST(pair.acquire()->server() == pair.place(site::one));
}

BOOST_AUTO_TEST_CASE(
    is_forced_where_there_is_no_witness, *utf::label("C19") * utf::label("C22") * utf::label("C37")
) {
    partners pair({}, without_witness());
    BOOST_TEST(pair.committed("before"));
    operation forced{.what = operation_kind::forced_failover, .target = 1};
    BOOST_TEST(!pair.store().plan(forced).has_value()); // The principal answers.
    pair.kill(site::one);
    BOOST_TEST_REQUIRE(pair.shows(availability::action_required));
    BOOST_TEST((pair.store().view()->writer == std::nullopt));
    BOOST_TEST(!pair.store().plan(forced).has_value()); // C22
    forced.data_loss_acknowledged = true;
    const auto plan = pair.store().plan(forced);
    BOOST_TEST_REQUIRE(plan.has_value());
    BOOST_TEST(pair.store().execute(*plan).has_value());
    BOOST_TEST(pair.acquire()->server() == pair.place(site::two));
    BOOST_TEST(pair.committed("after"));
    BOOST_TEST((pair.ledger(site::two) == tokens{"before", "after"}));
}

BOOST_AUTO_TEST_CASE(
    serves_nobody_while_both_partners_are_stale,
    *utf::label("C34") * utf::label("C47") * utf::label("F15") * utf::label("P4")
) {
    partners pair;
    BOOST_TEST(pair.committed("before"));
    pair.kill(site::one);
    BOOST_TEST_REQUIRE(pair.follows(site::two));
    BOOST_TEST(pair.committed("after"));
    pair.kill(site::two);
    pair.restart(site::one); // Lacks what its successor has acknowledged.
    pair.pass(1s);
    const auto begun = pair.now();
    const auto none = pair.acquire(1s);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(((pair.now() - begun) <= 1050ms));
    BOOST_TEST((pair.store().view()->writer == std::nullopt));
    pair.restart(site::two);
    BOOST_TEST(pair.acquire(30s)->server() == pair.place(site::two));
    BOOST_TEST(pair.whole());
    BOOST_TEST((pair.ledger(site::one) == tokens{"before", "after"}));
}

BOOST_AUTO_TEST_CASE(
    never_lends_a_principal_that_thawed_behind_its_successor,
    *utf::label("F2") * utf::label("F15") * utf::label("E1")
) {
    partners pair;
    auto old = pair.acquire();
    BOOST_TEST_REQUIRE(old.has_value());
    BOOST_TEST_REQUIRE(pair.shows(availability::serving));
    pair.freeze(site::one);
    BOOST_TEST_REQUIRE(pair.serves(site::two));
    BOOST_TEST(pair.committed("new"));
    pair.thaw(site::one);
    for (int i = 0; i < 100; ++i) {
        const auto held = pair.acquire();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == pair.place(site::two));
        pair.pass(10ms);
    }
    BOOST_TEST(!partners::append(*old, "old").has_value());
    old->release();
    BOOST_TEST(pair.whole());
    BOOST_TEST((pair.ledger(site::one) == tokens{"new"}));
}

BOOST_AUTO_TEST_CASE(
    serves_on_while_its_mirror_is_away_and_is_whole_once_that_returns,
    *utf::label("C31") * utf::label("C32")
) {
    partners pair;
    auto held = pair.acquire();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST_REQUIRE(pair.shows(availability::serving));
    pair.kill(site::two);
    BOOST_TEST_REQUIRE(pair.shows(availability::exposed));
    BOOST_TEST(held->current());
    BOOST_TEST(partners::append(*held, "alone").has_value());
    BOOST_TEST(!pair.store().plan({}).has_value());
    pair.restart(site::two);
    BOOST_TEST(pair.shows(availability::serving));
    BOOST_TEST((pair.ledger(site::two) == tokens{"alone"}));
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
            partners pair;
            BOOST_TEST(pair.committed("before"));
            pair.when(static_cast<commit_step>(step), [&] { pair.reset_sessions(site::one); });
            const auto how = pair.commit("cut");
            BOOST_TEST(pair.hooks_left() == 0U);
            BOOST_TEST((how.ended == outcome::in_doubt));
            pair.pass(100ms);
            const bool arrived = step >= static_cast<int>(commit_step::received);
            const auto expected = arrived ? tokens{"before", "cut"} : tokens{"before"};
            BOOST_TEST((pair.ledger(site::one) == expected));
            BOOST_TEST(pair.store().counters().outcomes_unknown == 1U);
        }
}

BOOST_AUTO_TEST_CASE(
    loses_no_commit_whose_principal_died_under_it,
    *utf::label("C1") * utf::label("C7") * utf::label("F22")
) {
    constexpr auto last = static_cast<int>(commit_step::answer_received);
    for (int step = 0; step <= last; ++step)
        BOOST_TEST_CONTEXT(to_string(static_cast<commit_step>(step))) {
            partners pair;
            BOOST_TEST(pair.committed("before"));
            pair.when(static_cast<commit_step>(step), [&] { pair.kill(site::one); });
            const auto how = pair.commit("killed");
            BOOST_TEST_REQUIRE(pair.serves(site::two));
            const auto after = pair.ledger(site::two);
            const auto there = std::count(after.begin(), after.end(), "killed");
            BOOST_TEST(there <= 1);
            BOOST_TEST((how.ended != outcome::committed || there == 1));
            BOOST_TEST((how.ended != outcome::not_committed || there == 0));
            BOOST_TEST(pair.follows(site::two));
            BOOST_TEST(pair.committed("next"));
        }
}

BOOST_AUTO_TEST_CASE(
    tells_what_becomes_of_its_witness, *utf::label("S2") * utf::label("C6") * utf::label("C32")
) {
    partners pair;
    const auto shows = [&](witness_state wanted) {
        return pair.eventually([&] { return pair.store().view()->witness == wanted; });
    };
    const auto set = [&](const std::string& witness) {
        return pair.administer(site::one, "ALTER DATABASE [d] SET WITNESS " + witness);
    };
    BOOST_TEST_REQUIRE(pair.committed("before"));
    BOOST_TEST_REQUIRE(shows(witness_state::connected));
    pair.forget_what_was_told();
    pair.kill(site::witness);
    BOOST_TEST(shows(witness_state::lost));
    BOOST_TEST(set("OFF").has_value());
    BOOST_TEST(shows(witness_state::none));
    pair.restart(site::witness);
    BOOST_TEST(set("= 'TCP://witness:5022'").has_value());
    BOOST_TEST(shows(witness_state::connected));
    BOOST_TEST(set("OFF").has_value());
    BOOST_TEST(shows(witness_state::none));
    pair.close();
    std::vector<event_kind> of_the_witness;
    for (const auto& [what, text] : pair.told())
        if (what == event_kind::witness_lost || what == event_kind::witness_removed ||
            what == event_kind::witness_returned)
            of_the_witness.push_back(what);
    const std::vector<event_kind> all = {
        event_kind::witness_lost,
        event_kind::witness_removed,
        event_kind::witness_returned,
        event_kind::witness_removed};
    BOOST_TEST((of_the_witness == all));
}

BOOST_AUTO_TEST_SUITE_END()

}
