// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/time.hpp>

namespace hadr::inline v0::core {

/// One attempt of the published schedule for a mirrored pair of which nothing is known.
struct connection_attempt {
    int round = 1;
    int partner = 0;         ///< 0: the initial partner, 1: the failover partner.
    duration slice{};        ///< How long the attempt may take.
    duration pause_before{}; ///< Before its round, if the last one was answered at once.

    friend bool operator==(const connection_attempt&, const connection_attempt&) = default;
};

/// C44: both partners in turn, 8 % of the login time-out more in each round. C45: between rounds
/// 100, 200, 400, 800 ms, then 1 s. N counts from 0.
connection_attempt nth_attempt(int n, duration login_timeout) noexcept;

}
