// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/testing/manual_world.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hadr::test {

/// A named point of interest, and how often it was passed in this process.
struct passed_mark {
    std::string name;
    std::uint64_t times = 0;
    bool of_library = false; ///< It stands in lib/ or adapters/.
};

/// All marks of the program, passed or not, by name.
std::vector<passed_mark> all_marks();

/// Where agents are preempted for a moment at the library's schedule points, now and then by chance
/// of that world; nowhere if null.
void switch_in(testing::manual_world* world) noexcept;
/// What happens once, at the schedule point after as many others.
void interrupt_after(int points, std::function<void()> by);
/// When that agent was last, for which no deadline of the library's can answer.
time_point preempted_until(agent* who) noexcept;

}
