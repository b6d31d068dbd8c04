// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/time.hpp>
#include <hadr/topology.hpp>

#include <optional>

namespace hadr::inline v0::core {

/// How long an absence is ridden out, and how long a return must last before it counts (B6, H8).
struct level_rules {
    duration ride_out{};
    duration hold{};
};

//  from         | writable             | not writable
//  full         | full                 | riding_out
//  riding_out   | full                 | resiliency once away for ride_out
//  resiliency   | full after hold      | resiliency; a return shorter than hold is forgotten
struct standing {
    service_level level = service_level::full;
    std::optional<time_point> away_since = {};
    std::optional<time_point> back_since = {};

    friend bool operator==(const standing&, const standing&) = default;
};

standing
next(const standing& was, bool writable, time_point now, const level_rules& rules) noexcept;

/// When time alone would change it.
std::optional<time_point> wake_at(const standing& is, const level_rules& rules) noexcept;

}
