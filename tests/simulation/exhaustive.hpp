// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace hadr::test {

struct exhausted {
    std::uint64_t points = 0; ///< Pairs of an I/O point of a script and a fault, each run once.
    std::uint64_t violations = 0;
};

/// Every script, every point of it, every kind of fault; a share of the work of so many jobs.
exhausted run_exhaustive(std::uint64_t job, std::uint64_t jobs);

}
