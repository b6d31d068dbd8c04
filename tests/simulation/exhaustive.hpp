// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace hadr::test {

struct exhausted {
    std::uint64_t points = 0;
    std::uint64_t violations = 0;
};

/// Every script, with every kind of fault at each of its messages; the share of one job of several.
exhausted run_exhaustive(std::uint64_t job, std::uint64_t jobs);

/// One of them again: the fault by its number. The exit code of the program.
int replay_point(std::string_view script, std::uint64_t message, std::size_t fault);

}
