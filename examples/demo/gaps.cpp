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

gap_book::change& gap_book::next() {
    auto made = changes_.empty() ? change{} : changes_.back();
    made.since = std::chrono::steady_clock::now();
    return changes_.emplace_back(std::move(made));
}

void gap_book::writable(int port, bool is) {
    const std::lock_guard guard(mutex_);
    next().writable[port] = is;
}

void gap_book::named(int port) {
    const std::lock_guard guard(mutex_);
    next().named = port;
}

duration gap_book::served(moment from, moment to) const {
    duration sum{};
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        const auto begin = std::max(from, changes_[i].since);
        const auto end = i + 1 < changes_.size() ? std::min(to, changes_[i + 1].since) : to;
        if (changes_[i].serves() && begin < end)
            sum += end - begin;
    }
    return sum;
}

std::vector<gap> gap_book::longer_than(duration least) const {
    const std::lock_guard guard(mutex_);
    std::vector<gap> all;
    for (const auto& [from, to] : pauses_) {
        if (to - from < least)
            continue;
        const auto library = served(from, to);
        all.push_back({from, to - from, to - from - library, library});
    }
    return all;
}

}
