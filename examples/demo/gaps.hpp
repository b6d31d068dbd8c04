// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <vector>

namespace demo {

using moment = std::chrono::steady_clock::time_point;
using duration = std::chrono::steady_clock::duration;

/// A time without a commit: the library's part is as long as the server that the witness names took
/// writes, the engine's is the rest.
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
    /// The server at that port was found to take writes, or not to.
    void writable(int port, bool is);
    /// The witness named the server at that port; it still counts while the witness is silent.
    void named(int port);

    /// Of at least that length, in order.
    std::vector<gap> longer_than(duration least) const;

private:
    /// What is known from that moment on.
    struct change {
        moment since;
        int named = 0;
        std::map<int, bool> writable{};

        bool serves() const {
            const auto found = writable.find(named);
            return found != writable.end() && found->second;
        }
    };

    change& next();
    duration served(moment from, moment to) const;

    mutable std::mutex mutex_; // Guards the rest.
    moment last_{};
    std::vector<change> changes_;
    std::vector<std::pair<moment, moment>> pauses_;
};

}
