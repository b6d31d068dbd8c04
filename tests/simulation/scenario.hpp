// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation/plan.hpp"

#include <string>
#include <vector>

namespace hadr::test {

/// What became of one run.
struct verdict {
    std::vector<std::string> broken; ///< Violated promises; empty is well.
    std::uint64_t trace = 0;
    std::uint64_t events =
        0; ///< An agent that ran until it waited, a delivery, or a timer or fault.
    std::uint64_t failovers = 0; ///< Promotions that the engine carried out.
    std::uint64_t busiest_second = 0;
    std::size_t unknown = 0;
    std::size_t lost_apart = 0; ///< Acknowledged by a server promoted apart (F16).
    std::uint64_t messages = 0; ///< Of the client, while a script ran.
    bool faulted = false;       ///< A fault took effect inside an acquire or a commit.
};

/// Runs a plan on the library as it ships: faults, then none, then all that was promised.
verdict run(const plan& what);

/// Without as many faults as can be left out while it still fails.
plan shrink(const plan& failing);

/// What replays the plan of a seed without some of its faults.
std::string replay_command(const plan& original, const plan& shrunk);

/// The plan of a seed but for the faults of those numbers.
plan without(const plan& of, const std::vector<std::size_t>& dropped);

}
