// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <vector>

namespace demo {

using moment = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

/// A time without a commit: the engine's part until some server took writes again, the library's
/// after that.
struct gap {
    moment from;
    duration whole{};
    duration engine{};
    duration library{};
};

/// Keeps the longest times without a commit. Thread-safe.
class gap_book {
public:
    void committed(moment when);
    /// A server was found to take writes that did not before.
    void writable(moment when);

    /// Of at least that length, in order.
    std::vector<gap> longer_than(duration least) const;

private:
    mutable std::mutex mutex_; // Guards the rest.
    moment last_{};
    std::vector<moment> ready_;
    std::vector<std::pair<moment, moment>> pauses_;
};

}
