// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hadr::test {

struct exhausted {
    std::uint64_t points = 0;
    std::uint64_t violations = 0;
};

/// Every script on each engine, with every kind of fault at each of its messages; the share of one
/// job of several.
exhausted run_exhaustive(std::uint64_t job, std::uint64_t jobs);

/// One of them again: the fault by its number. The exit code of the program.
struct point {
    std::string_view script;
    bool mirrored = false; ///< SQL Server's.
    std::uint64_t message = 0;
    std::size_t fault = 0;
};
int replay_point(const point& which);

}
