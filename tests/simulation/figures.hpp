// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace hadr::test {

struct simulation_range {
    std::uint64_t first = 1;
    std::uint64_t count = 0;
    std::uint64_t jobs = 1;
    bool exhaustive = false; ///< And every script with every fault at every point.
    std::string prefix;      ///< Of the figures' names.
};

/// Runs the seeds in so many processes, prints what failed and the figures; the exit code.
int simulate(const simulation_range& what);

}
