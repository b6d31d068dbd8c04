// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/odbc_handles.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace hadr::test {

/// What this process holds before anything of a test does, and how much more it is left with.
class left_over {
public:
    struct counts {
        long threads = 0;
        long descriptors = 0;
        long handles = 0;

        bool none() const noexcept { return threads == 0 && descriptors == 0 && handles == 0; }
    };

    /// More than at the beginning, once that is nothing, or 5 s later.
    counts after() const {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        auto made = more();
        while (!made.none() && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            made = more();
        }
        return made;
    }

    const counts& before() const noexcept { return before_; }

private:
    static counts now() {
        return {
            static_cast<long>(threads_now()),
            static_cast<long>(descriptors_now()),
            odbc_handles_now()};
    }

    // What was somebody else's and has gone meanwhile is no debt of ours.
    counts more() const {
        const auto is = now();
        return {
            std::max(is.threads - before_.threads, 0L),
            std::max(is.descriptors - before_.descriptors, 0L),
            std::max(is.handles - before_.handles, 0L)};
    }

    const counts before_ = now();
};

}
