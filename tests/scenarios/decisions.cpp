// SPDX-License-Identifier: Apache-2.0
// Who serves after what was lost (C28 to C34): the engine's own decisions, and what the library
// makes of them.
#include "scenarios/partners.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

/// Longer than any failover of the double takes.
constexpr auto long_enough = 900ms;

const operation forced{operation_kind::forced_failover, std::nullopt, true};
const operation planned{operation_kind::planned_failover, std::nullopt, false};

simulated_store::settings made(bool witness, bool full = true) {
    auto how = quick_store();
    how.has_witness = witness;
    how.safety_full = full;
    return how;
}

struct decided : partners {
    explicit decided(
        const simulated_store::settings& how = quick_store(), const std::string& more = {}
    )
        : partners("Watch_Interval=50ms;Watch_Timeout=300ms;" + more, how) {
        BOOST_TEST_REQUIRE(writes_at(site::one));
        // The mirror is known as such, and what connects the three.
        BOOST_TEST_REQUIRE(shows([](const topology& view) {
            return view.members[1].plays == role::standby && view.replication != synchrony::unknown;
        }));
    }

    void nobody_serves() {
        BOOST_TEST_REQUIRE(eventually([&] { return named() == site::client; }));
        const auto until = now() + long_enough;
        auto where = write(long_enough);
        // Sessions that were idle are lost one by one.
        while (now() < until && !where)
            where = write(until - now());
        BOOST_TEST(!where.has_value());
        BOOST_TEST((now() <= until + lateness()));
        BOOST_TEST((named() == site::client));
        BOOST_TEST(!store().view()->writer.has_value());
    }

    void stays(site which) {
        BOOST_TEST(writes_at(which));
        pass(long_enough); // What would happen would have by then.
        BOOST_TEST((named() == which));
        BOOST_TEST(writes_at(which));
    }

    /// The roles have settled, without a witness to say so.
    bool settles_without_witness() {
        return eventually([&] {
            const auto mirror = state(site::one);
            return state(site::two).synchronous && mirror.in_recovery &&
                   mirror.assigned == "SYNCHRONIZED";
        });
    }
};

}

BOOST_AUTO_TEST_SUITE(what_the_engine_decides)

// The principal is lost.

BOOST_FIXTURE_TEST_CASE(
    synchronized_with_a_witness_fails_over_by_itself,
    decided,
    *utf::label("C28") * utf::label("C18")
) {
    BOOST_TEST_REQUIRE(shows([](const topology& view) {
        return view.failover == failover_form::automatic;
    }));
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST(refuses(forced), "the engine is at it, or done");
}

BOOST_FIXTURE_TEST_CASE(
    synchronized_with_a_witness_that_is_lost_stays_down,
    decided,
    *utf::label("C28") * utf::label("C20")
) {
    kill(site::witness);
    BOOST_TEST_REQUIRE(shows([](const topology& view) {
        return view.witness == witness_state::lost;
    }));
    kill(site::one);
    nobody_serves();
    BOOST_TEST(shows(availability::action_required));
    BOOST_TEST(refuses(forced), "the mirror cannot be made available");
    restart(site::one);
    BOOST_TEST(writes_at(site::one));
}

BOOST_AUTO_TEST_CASE(
    without_a_witness_somebody_must_force_the_mirror,
    *utf::label("C28") * utf::label("C6") * utf::label("C37")
) {
    decided pair(made(false));
    BOOST_TEST((pair.store().view()->witness == witness_state::none));
    pair.kill(site::one);
    pair.nobody_serves();
    BOOST_TEST(pair.shows(availability::action_required));
    BOOST_TEST_REQUIRE(pair.does({operation_kind::forced_failover, 1U, true}));
    BOOST_TEST(pair.writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(
    suspended_without_a_witness_may_be_forced_with_a_loss,
    *utf::label("C28") * utf::label("C22") * utf::label("C38")
) {
    decided pair(made(false));
    BOOST_TEST_REQUIRE(
        pair.administer(site::one, "ALTER DATABASE [d] SET PARTNER SUSPEND").has_value()
    );
    BOOST_TEST(pair.shows(availability::exposed));
    pair.kill(site::one);
    pair.nobody_serves();
    BOOST_TEST(pair.refuses({operation_kind::forced_failover, 1U, false}), "losses acknowledged");
    BOOST_TEST_REQUIRE(pair.does({operation_kind::forced_failover, 1U, true}));
    BOOST_TEST(pair.writes_at(site::two));
    pair.restart(site::one);
    pair.stays(site::two);
}

BOOST_AUTO_TEST_CASE(
    synchronizing_without_a_witness_may_be_forced_with_a_loss,
    *utf::label("C28") * utf::label("C22") * utf::label("C37")
) {
    auto how = made(false);
    how.rewind_time = 3s; // So long a mirror that has other commits is synchronizing.
    decided pair(how);
    BOOST_TEST_REQUIRE(
        pair.administer(site::one, "ALTER DATABASE [d] SET PARTNER SUSPEND").has_value()
    );
    BOOST_TEST(pair.writes_at(site::one)); // What the other will not have.
    pair.kill(site::one);
    BOOST_TEST_REQUIRE(pair.does({operation_kind::forced_failover, 1U, true}));
    BOOST_TEST(pair.writes_at(site::two));
    pair.restart(site::one);
    BOOST_TEST_REQUIRE(pair.eventually([&] {
        return pair.administer(site::two, "ALTER DATABASE [d] SET PARTNER RESUME").has_value();
    }));
    BOOST_TEST_REQUIRE(pair.shows([](const topology& view) {
        return view.writer == 1U && view.replication == synchrony::synchronizing;
    }));
    pair.kill(site::two);
    pair.nobody_serves();
    BOOST_TEST(pair.shows(availability::action_required));
    BOOST_TEST((pair.store().view()->replication == synchrony::synchronizing));
    BOOST_TEST(pair.refuses({operation_kind::forced_failover, 0U, false}), "losses acknowledged");
    const operation back{operation_kind::forced_failover, 0U, true};
    BOOST_TEST(pair.warns(back, "what the mirror has not received is lost"));
    BOOST_TEST_REQUIRE(pair.does(back));
    BOOST_TEST(pair.writes_at(site::one));
}

BOOST_AUTO_TEST_CASE(
    asynchronous_without_a_witness_may_only_be_forced, *utf::label("C28") * utf::label("C27")
) {
    decided pair(made(false, false));
    BOOST_TEST(pair.shows(availability::exposed));
    BOOST_TEST(pair.refuses(planned));
    pair.kill(site::one);
    pair.nobody_serves();
    BOOST_TEST_REQUIRE(pair.does({operation_kind::forced_failover, 1U, true}));
    BOOST_TEST(pair.writes_at(site::two));
}

// Links, not servers.

BOOST_FIXTURE_TEST_CASE(a_full_quorum_serves, decided, *utf::label("C29")) {
    stays(site::one);
    BOOST_TEST(shows(availability::serving));
}

BOOST_FIXTURE_TEST_CASE(
    a_principal_that_sees_neither_stops_and_the_others_go_on, decided, *utf::label("C29")
) {
    cut(site::one, site::two);
    cut(site::one, site::witness);
    BOOST_TEST_REQUIRE(serves(site::two));
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST(!state(site::one).writable);
}

BOOST_FIXTURE_TEST_CASE(
    partners_without_their_link_that_see_the_witness_change_nothing, decided, *utf::label("C30")
) {
    cut(site::one, site::two);
    stays(site::one);
    BOOST_TEST(shows(availability::exposed));
    BOOST_TEST(refuses(forced), "the principal is there");
    mend(site::one, site::two);
    BOOST_TEST_REQUIRE(whole());
    BOOST_TEST(shows(availability::serving));
}

BOOST_FIXTURE_TEST_CASE(
    a_client_that_cannot_see_the_principal_starts_nothing, decided, *utf::label("C30")
) {
    cut(site::client, site::one);
    BOOST_TEST(!write(long_enough).has_value());
    BOOST_TEST((named() == site::one));
    BOOST_TEST(refuses(planned));
    mend(site::client, site::one);
    BOOST_TEST(writes_at(site::one));
}

BOOST_FIXTURE_TEST_CASE(a_lost_mirror_leaves_the_principal_exposed, decided, *utf::label("C31")) {
    BOOST_TEST(tells(event_kind::protected_));
    kill(site::two);
    stays(site::one);
    BOOST_TEST(shows(availability::exposed));
    BOOST_TEST(tells(event_kind::exposed, "the mirror is"));
    BOOST_TEST(tells(event_kind::member_lost, place(site::two).host));
    BOOST_TEST((store().view()->failover == failover_form::manual_only));
    kill(site::witness); // One failure from an outage.
    nobody_serves();
    BOOST_TEST(tells(event_kind::primary_lost));
    BOOST_TEST(tells(event_kind::action_required, "no partner is principal"));
}

BOOST_FIXTURE_TEST_CASE(
    a_lost_witness_leaves_only_a_failover_by_hand, decided, *utf::label("C32") * utf::label("C36")
) {
    kill(site::witness);
    stays(site::one);
    BOOST_TEST_REQUIRE(shows([](const topology& view) {
        return view.witness == witness_state::lost && view.failover == failover_form::manual_only;
    }));
    BOOST_TEST(shows(availability::serving));
    BOOST_TEST(tells(event_kind::witness_lost, "no automatic failover until it returns (C32)"));
    BOOST_TEST_REQUIRE(does(planned));
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST_REQUIRE(settles_without_witness());
    kill(site::one); // The mirror by now; with the witness away that is the end.
    nobody_serves();
    BOOST_TEST(tells(event_kind::action_required, "no partner is principal"));
}

BOOST_AUTO_TEST_CASE(
    a_witness_lost_for_long_is_advised_to_be_removed_and_then_the_mirror_may_go,
    *utf::label("C32") * utf::label("C31")
) {
    decided pair(quick_store(), "Witness_Lost_Advice=1s");
    pair.kill(site::witness);
    BOOST_TEST(pair.tells(event_kind::witness_lost, "no automatic failover until it returns (C32)")
    );
    BOOST_TEST(pair.tells(event_kind::advice, "operate without a witness"));
    BOOST_TEST_REQUIRE(pair.administer(site::one, "ALTER DATABASE [d] SET WITNESS OFF").has_value()
    );
    BOOST_TEST(pair.tells(event_kind::witness_removed, "no automatic failover (C6)"));
    pair.kill(site::two);
    pair.stays(site::one);
    BOOST_TEST(pair.tells(event_kind::exposed, "the mirror is"));
}

BOOST_FIXTURE_TEST_CASE(a_witness_that_returns_arms_the_failover, decided, *utf::label("C32")) {
    kill(site::witness);
    BOOST_TEST(tells(event_kind::witness_lost));
    restart(site::witness);
    BOOST_TEST(tells(event_kind::witness_returned));
    BOOST_TEST_REQUIRE(shows([](const topology& view) {
        return view.failover == failover_form::automatic;
    }));
    BOOST_TEST_REQUIRE(whole());
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(no_witness_at_all_outlives_the_mirror, *utf::label("C32")) {
    decided pair(made(false));
    pair.kill(site::two);
    pair.stays(site::one);
    BOOST_TEST((pair.store().view()->witness == witness_state::none));
}

BOOST_FIXTURE_TEST_CASE(
    mirror_and_witness_that_meet_again_alone_serve_nobody, decided, *utf::label("C33")
) {
    cut(site::one, site::two);
    cut(site::one, site::witness);
    cut(site::two, site::witness);
    nobody_serves();
    kill(site::one);
    mend(site::two, site::witness);
    nobody_serves();
    // By the state: every loss is acknowledged, and the target needs not be guessed. The failover
    // is waited for as long as it could come.
    for (const auto target : {std::optional<std::size_t>(), std::optional<std::size_t>(1)}) {
        const auto why = why_not({operation_kind::forced_failover, target, true});
        BOOST_TEST(why.find("(C28)") != std::string::npos, why);
    }
    mend(site::one, site::two);
    mend(site::one, site::witness);
    restart(site::one);
    BOOST_TEST(writes_at(site::one));
}

BOOST_FIXTURE_TEST_CASE(
    a_former_principal_that_meets_only_the_witness_stays_down,
    decided,
    *utf::label("C34") * utf::label("E1")
) {
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    kill(site::two);
    restart(site::one);
    nobody_serves();
    restart(site::two);
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST_REQUIRE(whole());
    BOOST_TEST(shows(availability::serving));
}

BOOST_FIXTURE_TEST_CASE(
    the_old_principal_comes_back_as_mirror_and_may_be_asked_again, decided, *utf::label("C35")
) {
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    restart(site::one);
    BOOST_TEST_REQUIRE(whole());
    BOOST_TEST(shows(availability::serving));
    stays(site::two);
    BOOST_TEST_REQUIRE(does(planned));
    BOOST_TEST(writes_at(site::one));
}

BOOST_FIXTURE_TEST_CASE(nobody_ever_asks_the_witness, decided, *utf::label("C9")) {
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST(contacts_of_the_witness() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}
