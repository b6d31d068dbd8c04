// SPDX-License-Identifier: Apache-2.0
// What other clients of mirrored pairs are tested with: one case for each situation. In all of them
// Server= is the initial partner (site one) and Failover_Partner= the other (site two).
#include "sql_server/pair.hpp"
#include "support/ledger.hpp"
#include "tds/client.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

struct situation : mirrored_pair {
    control_thread control;

    void move_principal_to_partner() {
        served.with([](simulated_store& of) { of.switch_over(); });
        await(site::two);
        settle();
    }

    void kill(site which) {
        served.with([which](simulated_store& of) { of.kill(which); });
    }

    void restart(site which) {
        served.with([which](simulated_store& of) { of.restart(which); });
    }

    std::string at(site which) {
        return fmt::format("{},{}", tds_double::address(which), served.port(which));
    }

    /// The call fails, and is back by its deadline.
    failure fails_within(duration limit) {
        const auto row = write(limit);
        BOOST_TEST((row.took <= limit + overrun_most + control.worst()));
        BOOST_TEST_REQUIRE(!row.where.has_value());
        return row.where.error();
    }
};

tds::fault refusing(int number, std::string database = {}) {
    return {
        .at = point::login,
        .what = effect::refuse,
        .numbers = {number, 18456},
        .database = std::move(database)};
}

/// The initial partner refuses every login with that number, and its partner is the principal.
void check_partner_serves(int number) {
    situation pair;
    pair.move_principal_to_partner();
    pair.served.set(site::one, refusing(number));
    tds::client plain;
    BOOST_TEST(!plain.connect(pair.served.odbc_string(site::one)));
    BOOST_TEST(plain.has(number), plain);
    pair.open();
    BOOST_TEST(pair.writes_at(site::two));
    BOOST_TEST(pair.served.counted(site::one).refused > 1U, "not the plain client alone was there");
    pair.await_view("what it met there", [number](const topology& view) {
        return view.members[0].trouble && view.members[0].trouble->native == number;
    });
}

/// The initial partner is the principal by its own word and refuses its database with that number,
/// and then its partner takes over.
void check_partner_takes_over(int number) {
    situation pair;
    pair.served.set(site::one, refusing(number, "d"));
    pair.open();
    const auto why = to_string(pair.fails_within(400ms));
    BOOST_TEST(why.find(std::to_string(number)) != std::string::npos, why);
    BOOST_TEST(pair.served.counted(site::one).refused > 0U);
    pair.move_principal_to_partner();
    BOOST_TEST(pair.writes_at(site::two));
    const auto tried = pair.database_logins(site::one);
    // The principal itself says so for a moment, of a role that is moving: no reason to give up.
    auto twice = refusing(number, "d");
    twice.times = 2;
    const auto before = pair.served.counted(site::two).refused;
    pair.served.set(site::two, twice);
    pair.served.with([](simulated_store& of) { of.reset(site::client, site::two); });
    BOOST_TEST(pair.writes_at(site::two));
    BOOST_TEST(pair.served.counted(site::two).refused == before + 2U);
    BOOST_TEST(pair.database_logins(site::one) == tried, "known as the mirror, it is not tried");
}

void check_refused_with(int number) {
    check_partner_serves(number);
    check_partner_takes_over(number);
}

void check_silent_at(site which, point at, effect what, situation& of) {
    of.served.set(which, {.at = at, .what = what});
    of.open("Watch_Timeout=300ms");
}

}

BOOST_FIXTURE_TEST_SUITE(
    a_client_of_two_partners,
    situation,
    *utf::label("C42") * utf::label("C43") * utf::label("C45") * utf::label("P4")
)

BOOST_AUTO_TEST_CASE(initial_is_principal_and_partner_is_its_mirror) {
    open();
    BOOST_TEST(writes_at(site::one));
    BOOST_TEST(database_logins(site::two) == 0U);
}

BOOST_AUTO_TEST_CASE(initial_is_mirror_and_partner_is_principal) {
    move_principal_to_partner();
    open();
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST(database_logins(site::one) == 0U);
}

BOOST_AUTO_TEST_CASE(initial_is_down_and_partner_is_principal) {
    kill(site::one);
    await(site::two);
    open();
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(initial_is_principal_and_partner_is_down) {
    kill(site::two);
    await("the principal to go alone", [](simulated_store& of) {
        return !of.state(site::one).synchronous;
    });
    open();
    BOOST_TEST(writes_at(site::one));
    await_view("it to be shown as exposed", [](const topology& view) {
        return view.state == availability::exposed;
    });
}

BOOST_AUTO_TEST_CASE(both_are_down_and_one_comes_back) {
    kill(site::one);
    kill(site::two);
    open();
    const auto why = fails_within(500ms);
    BOOST_TEST((why.code == errc::deadline_exceeded), to_string(why));
    restart(site::one);
    restart(site::two);
    BOOST_TEST(write().where.has_value());
}

BOOST_AUTO_TEST_CASE(initial_refuses_with_954_as_it_acts_as_mirror) {
    check_refused_with(954);
}

BOOST_AUTO_TEST_CASE(initial_refuses_with_4060_as_if_there_were_no_such_database) {
    check_refused_with(4060);
}

BOOST_AUTO_TEST_CASE(initial_refuses_with_955_for_want_of_a_quorum) {
    check_refused_with(955);
}

BOOST_AUTO_TEST_CASE(initial_refuses_with_956_as_it_is_not_synchronized_yet) {
    check_refused_with(956);
}

BOOST_AUTO_TEST_CASE(initial_refuses_with_927_as_it_is_restoring) {
    check_refused_with(927);
}

BOOST_AUTO_TEST_CASE(initial_refuses_with_952_as_it_is_in_transition) {
    check_refused_with(952);
}

BOOST_AUTO_TEST_CASE(both_refuse_with_4060_as_there_is_no_such_database) {
    open_as(fmt::format(
        "Driver=FreeTDS;Mode=mirroring;Server={};Failover_Partner={};Database=nosuch;UID=u;PWD=p;"
        "Encrypt=disable",
        at(site::one),
        at(site::two)
    ));
    const auto why = fails_within(500ms);
    BOOST_TEST_MESSAGE(to_string(why));
    BOOST_TEST(why.message.find("4060") != std::string::npos, to_string(why));
}

BOOST_AUTO_TEST_CASE(both_refuse_the_password_with_18456, *utf::label("F26")) {
    for (const auto which : {site::one, site::two})
        served.set(which, {.at = point::login, .what = effect::refuse, .numbers = {18456}});
    open();
    const auto why = fails_within(1s);
    BOOST_TEST(to_string(why).find("18456") != std::string::npos, to_string(why));
    const auto tried = served.counted(site::one).refused + served.counted(site::two).refused;
    BOOST_TEST(tried >= 2U);
    BOOST_TEST(tried <= 4U, "attempts may lock an account out: " << tried);
}

BOOST_AUTO_TEST_CASE(initial_refuses_the_password_with_18456_and_partner_is_principal) {
    move_principal_to_partner();
    served.set(site::one, {.at = point::login, .what = effect::refuse, .numbers = {18456}});
    open();
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST(served.counted(site::one).refused >= 1U);
    BOOST_TEST(served.counted(site::one).refused <= 2U);
}

BOOST_AUTO_TEST_CASE(
    initial_refuses_the_password_with_18456_and_partner_takes_over, *utf::label("F26")
) {
    served.set(
        site::one, {.at = point::login, .what = effect::refuse, .numbers = {18456}, .database = "d"}
    );
    open();
    const auto why = to_string(fails_within(400ms));
    BOOST_TEST(why.find("18456") != std::string::npos, why);
    BOOST_TEST(served.counted(site::one).refused >= 1U);
    BOOST_TEST(served.counted(site::one).refused <= 2U, "attempts may lock an account out");
    move_principal_to_partner();
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(initial_is_mute_once_connected_and_partner_is_principal) {
    move_principal_to_partner();
    check_silent_at(site::one, point::accept, effect::mute, *this);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(initial_is_mute_to_the_login_and_partner_is_principal) {
    move_principal_to_partner();
    check_silent_at(site::one, point::login, effect::mute, *this);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(initial_resets_during_the_login_and_partner_is_principal) {
    move_principal_to_partner();
    check_silent_at(site::one, point::login, effect::reset, *this);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(initial_closes_half_during_the_login_and_partner_is_principal) {
    move_principal_to_partner();
    check_silent_at(site::one, point::prelogin, effect::half_close, *this);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(principal_resets_two_logins_and_takes_the_third) {
    served.set(site::one, {.at = point::login, .what = effect::reset, .times = 2, .database = "d"});
    open();
    BOOST_TEST(writes_at(site::one));
}

BOOST_AUTO_TEST_CASE(principal_is_frozen_while_a_client_connects) {
    served.with([](simulated_store& of) { of.freeze(site::one); });
    open();
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(both_are_mute_and_the_call_is_back_at_its_deadline) {
    for (const auto which : {site::one, site::two})
        served.set(which, {.at = point::accept, .what = effect::mute});
    open("Watch_Timeout=300ms");
    for (const auto limit : {100ms, 400ms, 900ms}) {
        const auto why = fails_within(limit);
        BOOST_TEST((why.code == errc::deadline_exceeded), to_string(why));
    }
    for (const auto which : {site::one, site::two})
        served.clear(which);
    BOOST_TEST(writes_at(site::one));
}

BOOST_AUTO_TEST_CASE(both_names_are_stale_until_one_leads_somewhere) {
    open_by("gone-a.test", "gone-b.test", "Cold_Start=alone");
    const auto why = fails_within(500ms);
    BOOST_TEST(why.message.find("gone-a.test") != std::string::npos, to_string(why));
    BOOST_TEST(why.message.find("gone-b.test") != std::string::npos, to_string(why));
    BOOST_TEST(hosts->unknown() > 0U);
    const auto machine = spare_address();
    BOOST_TEST_REQUIRE(served.move(site::one, machine, usual_port, "GONE-B.TEST"));
    hosts->set("gone-b.test", machine);
    BOOST_TEST(writes_at(site::one));
}

// From here on the servers know each other by names that the connection string does not have.

BOOST_AUTO_TEST_CASE(partner_name_is_learned_and_followed, *utf::label("C47")) {
    const auto machine = spare_address();
    BOOST_TEST_REQUIRE(served.move(site::two, machine, usual_port, "NEW.TEST"));
    hosts->set("new.test", machine);
    served.set_partner_name(site::one, "NEW.TEST");
    settle();
    open_by(at(site::one), "gone.test", "Partner_Allowed=new.test");
    BOOST_TEST(writes_at(site::one));
    await_view("the partner to be learned", [](const topology& view) {
        return view.members.size() == 3U && !view.members[2].trouble;
    });
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(partner_name_changes_and_the_later_one_is_followed, *utf::label("C47")) {
    served.set_partner_name(site::one, "FORMER.TEST");
    open_by(at(site::one), "gone.test", "Partner_Allowed=*.test");
    BOOST_TEST(writes_at(site::one));
    await_view("the former partner to be learned", [](const topology& view) {
        return view.members.size() == 3U && view.members[2].at.host == "former.test";
    });
    const auto machine = spare_address();
    BOOST_TEST_REQUIRE(served.move(site::two, machine, usual_port, "LATER.TEST"));
    hosts->set("later.test", machine);
    served.set_partner_name(site::one, "LATER.TEST");
    settle();
    await_view("the later partner to be learned", [](const topology& view) {
        return view.members.size() == 4U && view.members[3].at.host == "later.test" &&
               !view.members[3].trouble;
    });
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(partner_name_does_not_resolve_and_the_configured_one_is_kept) {
    served.set_partner_name(site::one, "NOWHERE.TEST");
    open("Partner_Allowed=nowhere.test");
    BOOST_TEST(writes_at(site::one));
    await_view("the name to be tried", [this](const topology& view) {
        return view.members.size() == 3U && view.members[2].trouble && hosts->unknown() > 0U;
    });
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(partner_name_is_not_allowed_and_nobody_goes_there, *utf::label("X3")) {
    const auto machine = spare_address();
    tds_double elsewhere;
    BOOST_TEST_REQUIRE(elsewhere.move(site::one, machine, usual_port, "EVIL.TEST"));
    hosts->set("evil.test", machine);
    served.set_partner_name(site::one, "EVIL.TEST");
    open("Partner_Allowed=*.example");
    BOOST_TEST(writes_at(site::one));
    await_view("the name to be shown", [](const topology& view) {
        return view.unlisted == std::vector<endpoint>{{"evil.test", usual_port, {}}};
    });
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST(elsewhere.counted(site::one).accepted == 0U);
}

BOOST_AUTO_TEST_CASE(all_of_them_passed) {
    const auto passed = passed_cases();
    fmt::print("figure odbc_partner_situations {}\n", passed);
    BOOST_TEST(passed >= 17U);
}

BOOST_AUTO_TEST_SUITE_END()

}
