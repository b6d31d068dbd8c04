// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hadr::test {

/// A named point of interest, and how often it was passed in this process.
struct passed_mark {
    std::string name;
    std::uint64_t times = 0;
};

/// All marks of the program, passed or not, by name.
std::vector<passed_mark> all_marks();

}
