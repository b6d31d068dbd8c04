// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

namespace hadr::benchmark {

using moment = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

inline double milliseconds(duration length) {
    return std::chrono::duration<double, std::milli>(length).count();
}

/// Of an even number the upper one; zero of none.
inline double median(std::vector<double> of) {
    if (of.empty())
        return 0;
    const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
    std::nth_element(of.begin(), middle, of.end());
    return *middle;
}

inline double least(const std::vector<double>& of) {
    return of.empty() ? 0 : *std::min_element(of.begin(), of.end());
}

inline double most(const std::vector<double>& of) {
    return of.empty() ? 0 : *std::max_element(of.begin(), of.end());
}

/// One line, as soon as it is known; a run of the tests gathers them.
inline void figure(std::string_view name, double value) {
    fmt::print("figure {} {:.3f}\n", name, value);
    std::fflush(stdout);
}

inline void say(std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

}
