// SPDX-License-Identifier: Apache-2.0
#include "simulation/exhaustive.hpp"

#include "simulation/scenario.hpp"
#include "simulation/scripts.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>

namespace hadr::test {

namespace {

constexpr std::uint64_t shown_max = 5;

// Every kind of fault that one point can meet.
std::vector<fault> all_faults() {
    std::vector<fault> made;
    for (const auto at : {aim::primary, aim::mirror, aim::witness}) {
        for (const auto what :
             {fault_kind::kill,
              fault_kind::freeze,
              fault_kind::split,
              fault_kind::reset,
              fault_kind::full,
              fault_kind::slow})
            made.push_back({.what = what, .at = at, .amount = 30});
        for (const bool outward : {true, false})
            made.push_back({.what = fault_kind::cut, .at = at, .outward = outward});
    }
    for (const auto what :
         {fault_kind::kill_server,
          fault_kind::kill_keeper,
          fault_kind::starting,
          fault_kind::switch_over,
          fault_kind::pause})
        made.push_back({.what = what});
    made.push_back({.what = fault_kind::split, .to_client = false});
    for (auto& one : made)
        one.lasts = 100ms;
    return made;
}

plan plan_of(const script& what) {
    plan made = draw(1);
    made.order = testing::manual_world::order::round_robin;
    made.pool_min = 1;
    made.pool_max = 2;
    made.warm = 1;
    made.operates = made.reconfigures = made.reopens = false;
    made.faults.clear();
    made.scripted = &what;
    return made;
}

}

exhausted run_exhaustive(std::uint64_t job, std::uint64_t jobs) {
    exhausted made;
    const auto faults = all_faults();
    std::uint64_t number = 0;
    for (const auto& one : all_scripts()) {
        auto what = plan_of(one);
        const auto messages = run(what).messages;
        for (std::uint64_t point = 1; point <= messages; ++point)
            for (const auto& strikes : faults) {
                if (number++ % jobs != job)
                    continue;
                what.faults = {strikes};
                what.faults[0].message = point;
                ++made.points;
                const auto how = run(what);
                if (how.broken.empty() || ++made.violations > shown_max)
                    continue;
                fmt::print("FAILED: {}, message {}: {}\n", one.name, point, to_string(strikes));
                for (const auto& why : how.broken)
                    fmt::print("  {}\n", why);
            }
    }
    std::fflush(stdout);
    return made;
}

}
