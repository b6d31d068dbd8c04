// SPDX-License-Identifier: Apache-2.0
#include "core/service_level.hpp"

#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using core::level_rules;
using core::standing;

namespace {

constexpr level_rules rules{30min, 2s};
constexpr time_point start{24h};
constexpr auto full_service = service_level::full;
constexpr auto riding = service_level::riding_out;
constexpr auto resiliency = service_level::resiliency;

struct step {
    const char* when;
    standing was;
    bool writable;
    duration at;
    standing then;
};

// clang-format off
const step steps[] = {
    {"nothing happens",                             {},                               true,  0s,         {}},
    {"the primary goes away",                       {},                               false, 0s,         {riding, start, {}}},
    {"it is away for a while",                      {riding, start, {}},              false, 29min,      {riding, start, {}}},
    {"it is back a moment before the half hour",    {riding, start, {}},              true,  30min - 1ns, {}},
    {"it is away for half an hour",                 {riding, start, {}},              false, 30min,      {resiliency, start, {}}},
    {"it stays away",                               {resiliency, start, {}},          false, 24h,        {resiliency, start, {}}},
    {"it comes back after that",                    {resiliency, start, {}},          true,  1h,         {resiliency, start, start + 1h}},
    {"it has been back for less than the hold",     {resiliency, start, start + 1h},  true,  1h + 2s - 1ns, {resiliency, start, start + 1h}},
    {"it has been back for the hold",               {resiliency, start, start + 1h},  true,  1h + 2s,    {}},
    {"it flaps: gone again within the hold",        {resiliency, start, start + 1h},  false, 1h + 1s,    {resiliency, start, {}}},
};
// clang-format on

std::vector<standing> every_standing() {
    std::vector<standing> all{{}};
    for (const auto away : {0s, 10s, 1800s}) {
        all.push_back({riding, start + away, {}});
        all.push_back({resiliency, start + away, {}});
        all.push_back({resiliency, start + away, start + away + 1800s});
    }
    return all;
}

}

BOOST_AUTO_TEST_SUITE(service_levels)

BOOST_AUTO_TEST_CASE(
    follow_the_table, *utf::label("B6") * utf::label("B7") * utf::label("H8") * utf::label("C19")
) {
    for (const auto& [when, was, writable, at, then] : steps)
        BOOST_TEST_CONTEXT(when)
    BOOST_TEST((core::next(was, writable, start + at, rules) == then));
}

BOOST_AUTO_TEST_CASE(are_resiliency_at_once_where_nothing_is_ridden_out, *utf::label("B6")) {
    BOOST_TEST(core::next({}, false, start, {0s, 0s}).level == resiliency);
    BOOST_TEST((core::next({resiliency, start, {}}, true, start, {0s, 0s}) == standing{}));
}

BOOST_AUTO_TEST_CASE(never_refuse_writes_before_the_ride_out_is_over, *utf::label("B6")) {
    for (const auto& was : every_standing())
        for (auto at = start; at < start + 2h; at += 7min) {
            const auto is = core::next(was, false, at, rules);
            const auto away = was.away_since.value_or(at);
            const bool early = was.level != resiliency && at - away < rules.ride_out;
            BOOST_TEST((is.level == resiliency) != early);
            BOOST_TEST((is.away_since == away));
            BOOST_TEST(!is.back_since.has_value());
        }
}

BOOST_AUTO_TEST_CASE(
    end_by_themselves_and_never_before_the_hold, *utf::label("H8") * utf::label("B6")
) {
    for (const auto& was : every_standing())
        for (auto at = start + 1h; at < start + 2h; at += 7s) {
            const auto is = core::next(was, true, at, rules);
            const bool held =
                was.level == resiliency && at - was.back_since.value_or(at) < rules.hold;
            BOOST_TEST((is.level == full_service) != held);
        }
}

// What wake_at promises: nothing changes before it, and something does at it.
BOOST_AUTO_TEST_CASE(
    wake_exactly_when_time_alone_changes_them,
    *utf::label("B6") * utf::label("H8") * utf::label("T3")
) {
    for (const auto& was : every_standing())
        for (const bool writable : {false, true})
            BOOST_TEST_CONTEXT(to_string(was.level) << " writable " << writable) {
                const auto is = core::next(was, writable, start + 1h, rules);
                const auto wake = core::wake_at(is, rules);
                if (!wake) {
                    BOOST_TEST((core::next(is, writable, start + 1000h, rules) == is));
                    continue;
                }
                BOOST_TEST((*wake > start + 1h));
                BOOST_TEST((core::next(is, writable, *wake - 1ns, rules) == is));
                BOOST_TEST(core::next(is, writable, *wake, rules).level != is.level);
            }
}

BOOST_AUTO_TEST_SUITE_END()

}
