// SPDX-License-Identifier: Apache-2.0
#include "gaps.hpp"

#include <algorithm>

namespace demo {

namespace {

// Shorter pauses are the pace of the writers.
constexpr auto pause_min = std::chrono::milliseconds(50);

}

void gap_book::committed(moment when) {
    const std::lock_guard guard(mutex_);
    if (last_ != moment{} && when - last_ >= pause_min)
        pauses_.emplace_back(last_, when);
    last_ = std::max(last_, when);
}

void gap_book::writable(moment when) {
    const std::lock_guard guard(mutex_);
    ready_.push_back(when);
}

std::vector<gap> gap_book::longer_than(duration least) const {
    const std::lock_guard guard(mutex_);
    std::vector<gap> all;
    for (const auto& [from, to] : pauses_) {
        if (to - from < least)
            continue;
        // Where nobody saw a server begin to take writes, it is the engine that held them back.
        auto ready = to;
        for (const auto when : ready_)
            if (when > from && when < ready)
                ready = when;
        all.push_back({from, to - from, ready - from, to - ready});
    }
    return all;
}

}
