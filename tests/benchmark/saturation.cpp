// SPDX-License-Identifier: Apache-2.0
#include "benchmark/saturation.hpp"

#include <atomic>
#include <mutex>
#include <numeric>
#include <thread>

namespace hadr::benchmark {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

struct user {
    std::vector<double> waits;
    double held_ms = 0;
    std::uint64_t failed = 0;
};

user use(
    connection_manager& store, const std::atomic<bool>& counted, const std::atomic<bool>& over
) {
    user mine;
    while (!over) {
        const auto asked = steady::now();
        const auto held = store.acquire({.intent = intent::write, .until = deadline::in(10s)});
        const auto got = steady::now();
        if (!held) {
            ++mine.failed;
            continue;
        }
        std::this_thread::sleep_for(1ms);
        if (!counted)
            continue;
        mine.waits.push_back(milliseconds(got - asked));
        mine.held_ms += milliseconds(steady::now() - got);
    }
    return mine;
}

}

void saturation::print() const {
    say(fmt::format(
        "{} threads on {} sessions held 1 ms: {} leases, ideal wait {:.2f} ms, p50 {:.2f}, p99 "
        "{:.2f}, worst {:.2f}, fairness {:.2f}, {} failed",
        threads,
        sessions,
        leases,
        ideal_ms,
        p50_ms,
        p99_ms,
        worst_ms,
        fairness,
        failed
    ));
}

saturation saturate(connection_manager& store, duration length) {
    std::atomic<bool> counted{false};
    std::atomic<bool> over{false};
    std::vector<user> users(saturation::threads);
    {
        std::vector<std::jthread> all;
        for (auto& one : users)
            all.emplace_back([&] { one = use(store, counted, over); });
        std::this_thread::sleep_for(100ms);
        counted = true;
        std::this_thread::sleep_for(length);
        over = true;
    }
    saturation made;
    std::vector<double> waits;
    std::vector<double> counts;
    double held = 0;
    for (const auto& one : users) {
        waits.insert(waits.end(), one.waits.begin(), one.waits.end());
        counts.push_back(static_cast<double>(one.waits.size()));
        held += one.held_ms;
        made.failed += one.failed;
    }
    std::sort(waits.begin(), waits.end());
    made.leases = waits.size();
    if (waits.empty())
        return made;
    made.p50_ms = waits[waits.size() / 2];
    made.p99_ms = waits[waits.size() * 99 / 100];
    made.worst_ms = waits.back();
    made.ideal_ms = held / static_cast<double>(waits.size()) *
                    (saturation::threads - saturation::sessions) / saturation::sessions;
    made.fairness = least(counts) / most(counts);
    return made;
}

}
