// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hadr::inline v0::core {

struct pool_counts {
    int open = 0; ///< Idle and lent ones.
    int opening = 0;
    int idle = 0;
    int waiters = 0;
};

struct pool_limits {
    int minimum = 0;
    int maximum = 0;
};

/// How many logins to begin now: enough for the waiters whom no idle or opening session will serve,
/// and up to the minimum; never beyond the maximum (P2); none when nobody waits and the minimum is
/// met (P7).
int sessions_to_open(const pool_counts& now, const pool_limits& limits) noexcept;

}
