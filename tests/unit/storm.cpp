// SPDX-License-Identifier: Apache-2.0
#include "core/storm.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <vector>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using core::bucket;
using core::storm_limit;
using core::take;

namespace {

constexpr time_point start{1h};

// When each of many logins that all want to begin at once may begin.
std::vector<time_point> storm_of(int logins, const storm_limit& limit) {
    std::vector<time_point> begun;
    bucket is;
    auto now = start;
    while (static_cast<int>(begun.size()) < logins) {
        const auto got = take(is, limit, now);
        if (got.granted)
            begun.push_back(now);
        else
            now = got.try_again;
        is = got.after;
    }
    return begun;
}

}

BOOST_AUTO_TEST_SUITE(login_storms)

BOOST_AUTO_TEST_CASE(let_a_burst_through_and_then_the_rate, *utf::label("F56")) {
    const auto begun = storm_of(6, {10, 3});
    const std::vector<duration> after{0ms, 0ms, 0ms, 100ms, 200ms, 300ms};
    for (std::size_t i = 0; i < after.size(); ++i)
        BOOST_TEST((begun[i] - start == after[i]));
}

BOOST_AUTO_TEST_CASE(are_capped_in_every_second, *utf::label("F56")) {
    for (const int rate : {1, 3, 7, 50, 333})
        for (const int burst : {1, 2, 10}) {
            const auto begun = storm_of(3 * rate + burst, {rate, burst});
            for (const auto& from : begun) {
                const auto until = std::upper_bound(begun.begin(), begun.end(), from + 1s - 1ns);
                const auto first = std::lower_bound(begun.begin(), begun.end(), from);
                BOOST_TEST((until - first <= rate + burst));
            }
        }
}

BOOST_AUTO_TEST_CASE(
    say_exactly_when_to_try_again, *utf::label("F56") * utf::label("T3") * utf::label("F58")
) {
    for (const int rate : {0, 1, 50, 999})
        for (const int burst : {0, 1, 5}) {
            bucket is;
            for (int i = 0; i < 20; ++i) {
                const auto got = take(is, {rate, burst}, start);
                if (got.granted) {
                    is = got.after;
                    continue;
                }
                BOOST_TEST((got.after == is)); // Who is refused takes nothing.
                BOOST_TEST((got.try_again > start));
                BOOST_TEST(!take(is, {rate, burst}, got.try_again - 1ns).granted);
                BOOST_TEST(take(is, {rate, burst}, got.try_again).granted);
            }
        }
}

BOOST_AUTO_TEST_CASE(
    forget_nothing_but_fill_up_in_quiet_times, *utf::label("F56") * utf::label("F12")
) {
    const auto used = take(take({}, {10, 2}, start).after, {10, 2}, start).after;
    BOOST_TEST(!take(used, {10, 2}, start).granted);
    // A process that slept for an hour gets its burst, not an hour's logins.
    auto is = used;
    int granted = 0;
    for (int i = 0; i < 100; ++i) {
        const auto got = take(is, {10, 2}, start + 1h);
        granted += got.granted ? 1 : 0;
        is = got.after;
    }
    BOOST_TEST(granted == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}
