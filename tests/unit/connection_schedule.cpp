// SPDX-License-Identifier: Apache-2.0
#include "core/connection_schedule.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using core::nth_attempt;

namespace {

struct schedule_row {
    int n;
    int round;
    int partner;
    int percent;
    duration at_15_seconds;
    duration pause;
};

constexpr schedule_row published[] = {
    {0, 1, 0, 8, 1200ms, 0ms},
    {1, 1, 1, 8, 1200ms, 0ms},
    {2, 2, 0, 16, 2400ms, 100ms},
    {3, 2, 1, 16, 2400ms, 0ms},
    {4, 3, 0, 24, 3600ms, 200ms},
    {5, 3, 1, 24, 3600ms, 0ms},
    {6, 4, 0, 32, 4800ms, 400ms},
    {7, 4, 1, 32, 4800ms, 0ms},
    {8, 5, 0, 40, 6s, 800ms},
    {10, 6, 0, 48, 7200ms, 1s},
    {12, 7, 0, 56, 8400ms, 1s},
};

}

BOOST_AUTO_TEST_SUITE(the_published_schedule)

BOOST_AUTO_TEST_CASE(
    gives_each_round_eight_percent_more_to_both_partners_in_turn,
    *utf::label("C44") * utf::label("C42")
) {
    for (const auto& want : published)
        BOOST_TEST_CONTEXT("attempt " << want.n) {
            const auto made = nth_attempt(want.n, 15s);
            BOOST_TEST(made.round == want.round);
            BOOST_TEST(made.partner == want.partner);
            BOOST_TEST((made.slice == want.at_15_seconds));
            BOOST_TEST((nth_attempt(want.n, 100s).slice == want.percent * 1s));
        }
}

BOOST_AUTO_TEST_CASE(pauses_longer_between_rounds_up_to_a_second, *utf::label("C45")) {
    for (const auto& want : published)
        BOOST_TEST_CONTEXT("attempt " << want.n)
    BOOST_TEST((nth_attempt(want.n, 15s).pause_before == want.pause));
}

BOOST_AUTO_TEST_CASE(
    never_gives_an_attempt_more_than_the_login_timeout, *utf::label("T2") * utf::label("C50")
) {
    for (const duration timeout :
         {duration(0), duration(1ns), duration(99ns), duration(5s), duration::max()})
        for (const int n : {-5, 0, 1, 7, 23, 24, 25, 26, 1000, std::numeric_limits<int>::max()}) {
            const auto made = nth_attempt(n, timeout);
            BOOST_TEST((made.slice >= 0ns));
            BOOST_TEST((made.slice <= timeout));
            BOOST_TEST((made.pause_before >= 0ns));
            BOOST_TEST((made.pause_before <= 1s));
            BOOST_TEST((made.partner == 0 || made.partner == 1));
        }
    BOOST_TEST((nth_attempt(24, 15s).slice == 15s)); // Round 13 would have 104 %.
}

BOOST_AUTO_TEST_SUITE_END()

}
