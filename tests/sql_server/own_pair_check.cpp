// SPDX-License-Identifier: Apache-2.0
// The program for a pair of one's own, on the double: what is there for others to run has run.
#include "sql_server/pair.hpp"
#include "support/process.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

std::string run_on(const std::string& connection_string) {
    return test::run(
        {.words = {HADR_SQL_SERVER_PAIR_PROGRAM},
         .environment =
             {{"HADR_SQL_SERVER_PAIR", connection_string}, {"HADR_SQL_SERVER_FAILOVERS", "3"}},
         .as_servers = false},
        60s
    );
}

}

BOOST_FIXTURE_TEST_SUITE(a_pair_of_ones_own, mirrored_pair, *utf::label("C36"))

BOOST_AUTO_TEST_CASE(fails_over_as_often_as_wanted_and_loses_nothing) {
    const auto said = run_on(served.connection_string());
    BOOST_TEST(said.find("16 situations, 0 went wrong") != std::string::npos, said);
    BOOST_TEST(said.find("0 lost, 0 doubled, 0 refused and there") != std::string::npos, said);
    const auto promotions =
        served.with([](simulated_store& of) { return of.counted().promotions; });
    BOOST_TEST(promotions == 3U);
}

BOOST_AUTO_TEST_CASE(says_what_is_missing) {
    BOOST_CHECK_EXCEPTION(run_on({}), std::runtime_error, [](const std::runtime_error& why) {
        return std::string_view(why.what()).find("README.md") != std::string_view::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
