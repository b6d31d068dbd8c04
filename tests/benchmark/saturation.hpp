// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "benchmark/figures.hpp"

#include <hadr/connection_manager.hpp>

#include <cstdint>

namespace hadr::benchmark {

/// More threads than sessions, each of which is held for a millisecond.
struct saturation {
    static constexpr int threads = 32;
    static constexpr int sessions = 10;

    double ideal_ms = 0; ///< What a strict queue would make each wait: (32 - 10) / 10 holds.
    double p50_ms = 0;
    double p99_ms = 0;
    double worst_ms = 0;
    double fairness =
        0; ///< Leases of the thread that got least, by those of the one that got most.
    std::uint64_t leases = 0;
    std::uint64_t failed = 0;

    void print() const;
};

saturation saturate(connection_manager& store, duration length);

}
