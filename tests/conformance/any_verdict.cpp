// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace hadr::test {

namespace {

// All that an engine, or its driver, may be excused from. What is not written down here turns the
// suite red, and so does what is and need not be.
// clang-format off
constexpr declaration may_declare[] = {
    {"scripted_driver", "brings_a_long_value_in_any_column_and_all_that_is_around_it", ability::repeat_values},
    {"scripted_driver", "brings_short_and_long_values_in_turn", ability::repeat_values},
    {"scripted_driver", "brings_values_to_the_server_and_back_as_they_are", ability::repeat_values},
    {"scripted_driver", "closes_in_time_while_a_statement_runs", ability::run_slowly},
    {"scripted_driver", "gives_the_next_lease_a_session_as_new", ability::keep_state},
    {"scripted_driver", "is_back_by_its_deadline_from_a_statement_that_runs_on", ability::run_slowly},
    {"scripted_driver", "leaves_nothing_on_a_session_that_a_reset_kept", ability::keep_state},
    {"scripted_driver", "serves_many_threads_each_its_own_values", ability::repeat_values},
    {"scripted_driver", "stops_a_statement_on_request", ability::run_slowly},
    {"psqlodbc", "ends_a_login_by_its_deadline_whenever_the_server_falls_silent", ability::end_logins},
    {"freetds_on_the_double", "ends_a_login_by_its_deadline_whenever_the_server_falls_silent", ability::end_logins},
    {"freetds_on_the_double", "gives_the_next_lease_a_session_as_new", ability::keep_state},
    {"freetds_on_the_double", "leaves_nothing_on_a_session_that_a_reset_kept", ability::keep_state},
    {"freetds_on_the_double", "stops_a_statement_on_request", ability::be_cancelled},
    {"sqlite", "ends_a_login_by_its_deadline_whenever_the_server_falls_silent", ability::be_mute},
    {"sqlite", "gives_up_a_login_by_the_callers_deadline_whenever_the_server_falls_silent", ability::be_mute},
    {"sqlite", "leaves_nothing_on_a_session_that_a_reset_kept", ability::forget},
    {"sqlite", "says_why_a_login_failed_and_whether_to_repeat_it", ability::ask_for_passwords},
    {"sqlite", "says_why_a_login_failed_and_whether_to_repeat_it", ability::be_full},
    {"sqlite", "says_why_a_login_failed_and_whether_to_repeat_it", ability::be_starting},
    {"sqlite", "stops_a_statement_on_request", ability::be_cancelled},
    {"sqlite", "tells_a_session_that_the_server_has_ended_from_one_that_answered", ability::end_sessions},
    {"mariadb", "ends_a_login_by_its_deadline_whenever_the_server_falls_silent", ability::end_logins},
    {"mariadb", "leaves_nothing_on_a_session_that_a_reset_kept", ability::forget},
    {"mariadb", "says_why_a_login_failed_and_whether_to_repeat_it", ability::be_starting},
    {"mariadb", "stops_a_statement_on_request", ability::be_cancelled},
};
// clang-format on

std::vector<declaration> excused(const engine_under_test& which) {
    std::vector<declaration> made;
    for (const auto& one : may_declare)
        if (one.engine == which.name())
            made.push_back(one);
    std::sort(made.begin(), made.end());
    return made;
}

std::string shown(const declaration& one) {
    return fmt::format("{} {} without {}", one.engine, one.claim, to_string(one.without));
}

/// True if the engine has declared what it may, all of it, and nothing else.
bool check_declared(const engine_under_test& on, std::vector<declaration> declared) {
    if (!on.ours())
        return true; // Printed, for whoever knows it.
    const auto may = excused(on);
    std::sort(declared.begin(), declared.end());
    const auto all_of = [](const auto& these, const auto& but_those, std::string_view what) {
        std::vector<declaration> odd;
        std::set_difference(
            these.begin(), these.end(), but_those.begin(), but_those.end(), std::back_inserter(odd)
        );
        for (const auto& one : odd)
            BOOST_ERROR(what << ": " << shown(one));
        return odd.empty();
    };
    const bool no_more = all_of(declared, may, "declared and not written down");
    const bool no_less = all_of(may, declared, "written down and not declared");
    return no_more && no_less;
}

}

// The last of the suite: what the cases before it have held against each driver and engine.
BOOST_AUTO_TEST_SUITE(every_driver)

BOOST_AUTO_TEST_CASE(was_held_against_the_same_claims) {
    std::size_t conforming = 0;
    std::size_t all = 0;
    std::size_t written = 0;
    for (const auto& one : engines()) {
        const auto [held, declared] = claims_on(*one);
        const auto sum = held + declared.size();
        fmt::print(
            "{}: {} claims held, {} declared impossible\n", one->name(), held, declared.size()
        );
        all = std::max(all, sum);
        BOOST_TEST(sum == all);
        const bool as_written = check_declared(*one, declared);
        conforming += sum == all && as_written ? 1U : 0U;
        written += excused(*one).size();
    }
    const bool ours = engines().front()->ours();
    BOOST_TEST(
        (!ours || written == std::size(may_declare)), "an engine is written down that there is not"
    );
    BOOST_TEST_REQUIRE(all > 20U, "run the whole suite");
    if (ours)
        fmt::print("figure conformance_drivers {}\n", conforming);
    BOOST_TEST(conforming == engines().size());
}

BOOST_AUTO_TEST_SUITE_END()

}
