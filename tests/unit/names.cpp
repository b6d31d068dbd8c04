// SPDX-License-Identifier: Apache-2.0
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <sstream>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;

namespace {

// Names of the values 0 to last are distinct and none is empty; "unknown" only where it is a value.
template <class E>
void check_names(E last, std::size_t unknowns) {
    std::multiset<std::string> seen;
    for (int i = 0; i <= static_cast<int>(last); ++i)
        seen.emplace(to_string(static_cast<E>(i)));
    BOOST_TEST(std::set<std::string>(seen.begin(), seen.end()).size() == seen.size());
    BOOST_TEST(seen.count("") == 0U);
    BOOST_TEST(seen.count("unknown") == unknowns);
    BOOST_TEST(to_string(static_cast<E>(static_cast<int>(last) + 1)) == "unknown");
}

topology sample() {
    topology view;
    view.version = 7;
    view.state = availability::exposed;
    view.failover = failover_form::manual_only;
    view.writer = 0;
    view.accepted = epoch{"42", 3, {}, {}, proof::both_members};
    view.cause = "the mirror is suspended";
    member a;
    a.at = {"db1", 5432, ""};
    a.name = "primary";
    a.plays = role::primary;
    a.named = true;
    member b;
    b.at = {"::1", 5433, ""};
    b.name = "mirror";
    b.refused = true;
    b.trouble = make_failure(errc::unreachable, advice::retry, "refused");
    view.members = {a, b};
    return view;
}

template <class T>
std::string printed(const T& what) {
    std::ostringstream out;
    out << what;
    return out.str();
}

}

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(are_given_to_every_value) {
    check_names(mode::failover_cluster, 0);
    check_names(role::witness, 1);
    check_names(availability::unknown, 1);
    check_names(service_level::resiliency, 0);
    check_names(failover_form::none, 0);
    check_names(witness_state::lost, 1);
    check_names(synchrony::not_replicating, 1);
    check_names(epoch_order::foreign, 0);
    check_names(proof::fork_row, 0);
    check_names(outcome::in_doubt, 0);
    check_names(event_kind::closed, 0);
    check_names(transaction_status::unknown, 1);
    check_names(advice::verify, 0);
}

BOOST_AUTO_TEST_CASE(say_unknown_and_not_zero, *utf::label("R5")) {
    BOOST_TEST(to_string(epoch{}) == "?/? (none)");
    BOOST_TEST(to_string(epoch{"42", 0, {}, {}, proof::own_word}) == "42/0 (own_word)");
    BOOST_TEST(
        to_string(epoch{"42", 3, "f", 9, proof::fork_row}) == "42/3/fork f/revision 9 (fork_row)"
    );
}

BOOST_AUTO_TEST_CASE(of_servers_are_what_the_connection_string_takes, *utf::label("C49")) {
    BOOST_TEST(to_string(endpoint{"db1", 0, ""}) == "db1");
    BOOST_TEST(to_string(endpoint{"db1", 5432, ""}) == "db1:5432");
    BOOST_TEST(to_string(endpoint{"::1", 5432, ""}) == "[::1]:5432");
    BOOST_TEST(to_string(endpoint{"db1", 1433, "rtc"}) == "db1\\rtc:1433");
    BOOST_TEST(to_string(endpoint{"/run/postgresql", 5432, ""}) == "/run/postgresql:5432");
    BOOST_TEST((endpoint{"/run/postgresql", 0, ""}.local_socket()));
    BOOST_TEST(!(endpoint{"db1", 0, ""}.local_socket()));
}

BOOST_AUTO_TEST_CASE(of_a_topology_show_state_epoch_and_each_member) {
    BOOST_TEST(
        printed(sample()) ==
        "version 7: exposed, full, failover manual_only, witness none, unknown, epoch 42/3 "
        "(both_members) (the mirror is suspended)\n"
        "  primary db1:5432: primary, writer, named\n"
        "  mirror [::1]:5433: unknown, refused, unreachable: refused\n"
    );
}

BOOST_AUTO_TEST_CASE(of_an_event_are_one_line_with_cause_member_and_epoch, *utf::label("S2")) {
    event what;
    what.what = event_kind::primary_changed;
    what.store = "rtc";
    what.cause = "the witness names it";
    what.member = 1;
    what.reign = epoch{"42", 4, {}, {}, proof::engine_named};
    what.count = 2;
    what.outage = 2500ms;
    what.view = std::make_shared<topology>(sample());
    BOOST_TEST(
        printed(what) == "rtc primary_changed x2 [::1]:5433, epoch 42/4 (engine_named), outage "
                         "2500 ms: the witness names it"
    );
    what.member = 9; // Of an older view.
    BOOST_TEST(printed(what).starts_with("rtc primary_changed x2, epoch"));
}

BOOST_AUTO_TEST_SUITE_END()

}
