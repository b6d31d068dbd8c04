// SPDX-License-Identifier: Apache-2.0
#include "core/pool_size.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>

namespace hadr::test {

namespace utf = boost::unit_test;
using core::pool_counts;
using core::pool_limits;
using core::sessions_to_open;

namespace {

struct size_row {
    const char* when;
    pool_counts now;
    pool_limits limits;
    int open;
};

// clang-format off
//                                                          open opening idle waiters
constexpr size_row size_rows[] = {
    {"an empty pool is filled to its minimum",              {0,  0,      0,   0},   {2, 10}, 2},
    {"nobody waits and the minimum is met",                 {2,  0,      0,   0},   {2, 10}, 0},
    {"logins under way count for the minimum",              {0,  2,      0,   0},   {2, 10}, 0},
    {"one waits and all are lent",                          {3,  0,      0,   1},   {2, 10}, 1},
    {"one waits and a login is under way for it",           {3,  1,      0,   1},   {2, 10}, 0},
    {"three wait, one login under way, one idle",           {3,  1,      1,   3},   {2, 10}, 1},
    {"many wait and there is room for two",                 {8,  0,      0,   50},  {2, 10}, 2},
    {"many wait and the pool is full",                      {9,  1,      0,   50},  {2, 10}, 0},
    {"the maximum was lowered below what is open",          {9,  1,      0,   50},  {2, 5},  0},
    {"a pool without a minimum is idle when nobody waits",  {0,  0,      0,   0},   {0, 10}, 0},
};
// clang-format on

void for_every_pool(const std::function<void(const pool_counts&, const pool_limits&)>& check) {
    for (int open = 0; open <= 5; ++open)
        for (int opening = 0; opening <= 4; ++opening)
            for (int idle = 0; idle <= open; ++idle)
                for (int waiters = 0; waiters <= 6; ++waiters)
                    for (int most = 0; most <= 6; ++most)
                        for (int least = 0; least <= most; ++least)
                            check({open, opening, idle, waiters}, {least, most});
}

}

BOOST_AUTO_TEST_SUITE(pool_size)

BOOST_AUTO_TEST_CASE(
    opens_what_waiters_and_minimum_need, *utf::label("P2") * utf::label("P7") * utf::label("P9")
) {
    for (const auto& [when, now, limits, open] : size_rows)
        BOOST_TEST_CONTEXT(when) BOOST_TEST(sessions_to_open(now, limits) == open);
}

BOOST_AUTO_TEST_CASE(never_goes_beyond_the_maximum, *utf::label("P2")) {
    for_every_pool([](const pool_counts& now, const pool_limits& limits) {
        const int open = sessions_to_open(now, limits);
        if (open < 0 || (open > 0 && now.open + now.opening + open > limits.maximum))
            BOOST_ERROR("beyond the maximum");
    });
}

BOOST_AUTO_TEST_CASE(never_opens_when_nobody_waits_and_the_minimum_is_met, *utf::label("P7")) {
    for_every_pool([](const pool_counts& now, const pool_limits& limits) {
        if (now.waiters == 0 && now.open + now.opening >= limits.minimum &&
            sessions_to_open(now, limits) != 0)
            BOOST_ERROR("opened for nobody");
    });
}

BOOST_AUTO_TEST_CASE(leaves_no_waiter_without_a_session_while_there_is_room, *utf::label("P9")) {
    for_every_pool([](const pool_counts& now, const pool_limits& limits) {
        const int open = sessions_to_open(now, limits);
        const bool full = now.open + now.opening + open >= limits.maximum;
        if (!full && now.idle + now.opening + open < now.waiters)
            BOOST_ERROR("a waiter is forgotten");
        if (!full && now.open + now.opening + open < limits.minimum)
            BOOST_ERROR("below the minimum");
    });
    BOOST_TEST(sessions_to_open({0, 0, 0, 1}, {0, 1}) == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}
