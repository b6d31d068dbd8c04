// SPDX-License-Identifier: Apache-2.0
#include "simulation/marks.hpp"

#include "core/mark.hpp"
#include "core/schedule_point.hpp"

#include <exception>
#include <functional>
#include <map>
#include <utility>

namespace hadr::inline v0::core {

namespace {

struct counter {
    unsigned long long times = 0;
    bool of_library = false;
};

std::map<std::string, counter, std::less<>>& counters() {
    static std::map<std::string, counter, std::less<>> all;
    return all;
}

testing::manual_world* switching = nullptr;
std::map<agent*, time_point> preempted;
std::function<void()> interruption;
int points_before = 0;

}

#ifdef HADR_MARKS

unsigned long long& counter_of_mark(std::string_view name, bool of_library) {
    auto& made = counters()[std::string(name)];
    made.of_library = made.of_library || of_library;
    return made.times;
}

namespace {

constexpr std::uint64_t switch_every = 12;
constexpr std::uint64_t longest = std::chrono::nanoseconds(std::chrono::milliseconds(2)).count();
int locks_held = 0;

}

void hold_still(int more) noexcept {
    locks_held += more;
}

void schedule_point() noexcept {
    const bool unwinding = std::uncaught_exceptions() != 0 || std::current_exception();
    if (locks_held != 0 || unwinding)
        return;
    if (interruption && points_before-- == 0) {
        std::exchange(interruption, nullptr)();
        return;
    }
    if (switching == nullptr)
        return;
    const auto drawn = switching->random();
    if (drawn % switch_every != 0)
        return;
    auto* const self = switching->self();
    switching->preempt(duration(static_cast<duration::rep>(drawn / switch_every % longest)));
    preempted[self] = switching->now();
}

#endif

}

namespace hadr::test {

std::vector<passed_mark> all_marks() {
    std::vector<passed_mark> made;
    for (const auto& [name, one] : core::counters())
        made.push_back({name, one.times, one.of_library});
    return made;
}

void switch_in(testing::manual_world* world) noexcept {
    core::switching = world;
    core::preempted.clear();
}

void interrupt_after(int points, std::function<void()> by) {
    core::points_before = points;
    core::interruption = std::move(by);
}

time_point preempted_until(agent* who) noexcept {
    const auto found = core::preempted.find(who);
    return found == core::preempted.end() ? time_point::min() : found->second;
}

}
