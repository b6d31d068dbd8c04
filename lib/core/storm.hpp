// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/time.hpp>

namespace hadr::inline v0::core {

/// How fast a store may log in to one server, after a failover too (F56).
struct storm_limit {
    int per_second = 0; ///< At least 1.
    int burst = 0;      ///< At least 1: logins that may begin at once.
};

/// Kept as the moment at which the bucket would be full: exact, and full when new.
struct bucket {
    time_point full_at = time_point::min();

    friend bool operator==(const bucket&, const bucket&) = default;
};

struct permit {
    bucket after;
    bool granted = false;
    time_point try_again; ///< If not granted: when one token will be there.
};

permit take(const bucket& was, const storm_limit& limit, time_point now) noexcept;

}
