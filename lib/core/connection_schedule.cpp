// SPDX-License-Identifier: Apache-2.0
#include "core/connection_schedule.hpp"

#include <algorithm>

namespace hadr::inline v0::core {

namespace {

constexpr int slice_percent = 8;
constexpr duration first_pause = std::chrono::milliseconds(100);
constexpr duration longest_pause = std::chrono::seconds(1);

duration pause_before_round(int round) noexcept {
    if (round == 1)
        return {};
    auto pause = first_pause;
    for (int i = 2; i < round && pause < longest_pause; ++i)
        pause *= 2;
    return std::min(pause, longest_pause);
}

}

connection_attempt nth_attempt(int n, duration login_timeout) noexcept {
    const int round = std::max(n, 0) / 2 + 1;
    const int partner = std::max(n, 0) % 2;
    // Divided first, so that a very long time-out in a late round does not overflow.
    const auto percent = login_timeout / 100;
    const bool whole = round > 100 / slice_percent;
    return {
        round,
        partner,
        whole ? login_timeout : std::min(login_timeout, percent * (round * slice_percent)),
        partner == 0 ? pause_before_round(round) : duration{}};
}

}
