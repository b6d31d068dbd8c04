// SPDX-License-Identifier: Apache-2.0
#include "core/backoff.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <limits>
#include <vector>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using core::backoff_rule;
using core::delay;

namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
constexpr std::array<std::uint64_t, 7> chances = {0, 1, 2, 77, 1'000'003, largest / 2, largest};

}

BOOST_AUTO_TEST_SUITE(backoff)

BOOST_AUTO_TEST_CASE(doubles_up_to_its_most, *utf::label("F56") * utf::label("F26")) {
    const std::vector<duration> steps{100ms, 200ms, 400ms, 800ms, 1s, 1s};
    for (std::size_t i = 0; i < steps.size(); ++i) {
        // The least by chance is half of the step.
        BOOST_TEST((delay({100ms, 1s}, static_cast<int>(i) + 1, 0) == steps[i] / 2));
        const auto spread = static_cast<std::uint64_t>((steps[i] - steps[i] / 2).count());
        BOOST_TEST((delay({100ms, 1s}, static_cast<int>(i) + 1, spread) == steps[i]));
    }
}

BOOST_AUTO_TEST_CASE(
    is_never_longer_than_its_most_nor_shorter_than_half_a_step,
    *utf::label("F56") * utf::label("T3")
) {
    for (const backoff_rule rule :
         {backoff_rule{1ms, 1s}, {1s, 1s}, {1s, 5ms}, {3ns, 7ns}, {1h, duration::max()}})
        for (int failures = -1; failures < 80; ++failures)
            for (const auto chance : chances) {
                const auto pause = delay(rule, failures, chance);
                BOOST_TEST((pause <= rule.most));
                BOOST_TEST((pause >= std::min(rule.first, rule.most) / 2));
                BOOST_TEST((pause > 0ns));
            }
}

BOOST_AUTO_TEST_CASE(spreads_those_who_failed_together, *utf::label("F56")) {
    bool differ = false;
    for (const auto chance : chances)
        differ = differ || delay({1s, 1min}, 3, chance) != delay({1s, 1min}, 3, 0);
    BOOST_TEST(differ);
}

BOOST_AUTO_TEST_SUITE_END()

}
