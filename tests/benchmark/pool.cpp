// SPDX-License-Identifier: Apache-2.0
// What a lease costs: acquire and return of a warm session through the public interface of the
// shared library, all checks on, beside a pair of compare-and-swap, a pair of mutex calls and,
// where there is one, SOCI's pool. Through the client library that HADR_CLIENT names. Usage: pool
// [--short].
#include "benchmark/saturation.hpp"
#include "support/clients.hpp"
#include "support/guardian.hpp"
#include "support/postgres.hpp"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>

#include <benchmark/benchmark.h>

#ifdef HADR_SOCI
#include <soci/connection-pool.h>
#endif

namespace {

thread_local std::uint64_t allocations = 0;

}

void* operator new(std::size_t size) {
    ++allocations;
    if (void* const got = std::malloc(size != 0 ? size : 1))
        return got;
    throw std::bad_alloc();
}

void operator delete(void* what) noexcept {
    std::free(what);
}

void operator delete(void* what, std::size_t /*size*/) noexcept {
    std::free(what);
}

namespace hadr::benchmark {

using namespace std::chrono_literals;

namespace {

constexpr int threads_most = 32;
constexpr int sessions = 40;

connection_manager* warm_store = nullptr;
std::atomic<std::uint64_t> allocated{0};

struct alignas(64) place {
    std::atomic<std::uint32_t> state{0};
};

void cas_pair(::benchmark::State& state) {
    static place places[threads_most];
    auto& mine = places[state.thread_index()].state;
    for (auto _ : state) {
        std::uint32_t idle = 0;
        ::benchmark::DoNotOptimize(mine.compare_exchange_strong(idle, 1));
        std::uint32_t lent = 1;
        ::benchmark::DoNotOptimize(mine.compare_exchange_strong(lent, 0));
    }
}

void mutex_pair(::benchmark::State& state) {
    static std::mutex one;
    for (auto _ : state) {
        one.lock();
        ::benchmark::ClobberMemory();
        one.unlock();
    }
}

void lease_pair(::benchmark::State& state) {
    const request wanted{.intent = intent::write, .until = deadline::in(5s)};
    for (int i = 0; i < 100; ++i)
        static_cast<void>(warm_store->acquire(wanted));
    const auto before = allocations;
    for (auto _ : state) {
        auto held = warm_store->acquire(wanted);
        if (!held) {
            state.SkipWithError(to_string(held.error()).c_str());
            break;
        }
        ::benchmark::DoNotOptimize(*held);
    }
    allocated += allocations - before;
}

#ifdef HADR_SOCI
void soci_pair(::benchmark::State& state) {
    static soci::connection_pool pool(sessions);
    for (auto _ : state)
        pool.give_back(pool.lease());
}
#endif

/// Prints as usual, and keeps the best time of each benchmark.
class best_of final : public ::benchmark::ConsoleReporter {
public:
    best_of() : ConsoleReporter(OO_None) {} // Colours end in front of the first figure.

    void ReportRuns(const std::vector<Run>& all) override {
        ConsoleReporter::ReportRuns(all);
        for (const auto& one : all) {
            failed_ = failed_ || one.error_occurred;
            if (one.run_type != Run::RT_Iteration || one.error_occurred)
                continue;
            const auto name = fmt::format("{}/{}", one.run_name.function_name, one.threads);
            const auto time = one.GetAdjustedCPUTime(); // What else runs here does not count.
            const auto [at, fresh] = best_.emplace(name, time);
            if (!fresh)
                at->second = std::min(at->second, time);
        }
    }

    double of(std::string_view name, int threads) const {
        const auto found = best_.find(fmt::format("{}/{}", name, threads));
        if (found == best_.end())
            throw std::runtime_error(fmt::format("{} was not measured", name));
        return found->second;
    }
    bool failed() const noexcept { return failed_; }

private:
    std::map<std::string, double> best_;
    bool failed_ = false;
};

/// Of a lease through the client library under trial.
void lease_figure(std::string_view name, double value) {
    const auto& by = test::client_library_under_trial();
    figure(by.calls_block ? fmt::format("{}_{}", by.figures, name) : std::string(name), value);
}

void measure_pairs(double seconds, int repetitions) {
    std::vector<std::pair<const char*, void (*)(::benchmark::State&)>> all = {
        {"cas_pair", &cas_pair}, {"mutex_pair", &mutex_pair}, {"lease_pair", &lease_pair}};
#ifdef HADR_SOCI
    const bool with_soci = !test::client_library_under_trial().calls_block; // Once is enough.
    if (with_soci)
        all.emplace_back("soci_pair", &soci_pair);
#endif
    for (const int threads : {1, 2, 4, 8, 16, 32})
        for (const auto& [name, body] : all)
            ::benchmark::RegisterBenchmark(name, body)
                ->Threads(threads)
                ->UseRealTime()
                ->MinTime(seconds)
                ->Repetitions(repetitions);
    best_of found;
    ::benchmark::RunSpecifiedBenchmarks(&found);
    if (found.failed())
        throw std::runtime_error("a benchmark failed");
    for (const int threads : {1, 2, 4, 8, 16, 32})
        lease_figure(
            fmt::format("pool_ratio_to_cas_pair_{}", threads),
            found.of("lease_pair", threads) / found.of("cas_pair", threads)
        );
    lease_figure("pool_ns_1", found.of("lease_pair", 1));
    lease_figure(
        "pool_ratio_to_mutex_pair_32", found.of("lease_pair", 32) / found.of("mutex_pair", 32)
    );
#ifdef HADR_SOCI
    if (with_soci)
        for (const int threads : {1, 32})
            figure(
                fmt::format("soci_ratio_to_cas_pair_{}", threads),
                found.of("soci_pair", threads) / found.of("cas_pair", threads)
            );
#endif
    lease_figure("pool_allocations_per_acquire", static_cast<double>(allocated.load()));
}

std::unique_ptr<test::observed_store> open_store(test::postgres_pair& pair, int of_sessions) {
    auto made = std::make_unique<test::observed_store>(test::mirroring_string(
        pair.primary().port(),
        pair.mirror().port(),
        fmt::format("Pool_Min={0};Pool_Max={0};Connects_Per_Second=1000", of_sessions)
    ));
    const auto wanted = static_cast<std::uint64_t>(of_sessions) + 2;
    test::wait_until("all sessions", 60s, [&] {
        return (*made)->counters().sessions_now >= wanted;
    });
    return made;
}

int measure(bool in_short) {
    test::postgres_pair pair(
        test::postgres_pair::replication::asynchronous, {"max_connections = 100"}
    );
    {
        const auto open = open_store(pair, sessions);
        warm_store = &**open;
        measure_pairs(in_short ? 0.01 : 0.1, in_short ? 1 : 5);
    }
    const auto open = open_store(pair, saturation::sessions);
    const auto found = saturate(**open, in_short ? 200ms : 3s);
    found.print();
    lease_figure("pool_saturated_p99_ratio_to_ideal", found.p99_ms / found.ideal_ms);
    lease_figure("pool_saturated_fairness", found.fairness);
    return 0;
}

int run(int count, char** words) {
    try {
        const bool in_short = count > 1 && std::string_view(words[1]) == "--short";
        char interleaved[] = "--benchmark_enable_random_interleaving=true";
        char* arguments[] = {words[0], interleaved, nullptr};
        int number = 2;
        ::benchmark::Initialize(&number, arguments);
        return measure(in_short);
    } catch (const std::exception& broken) {
        say(fmt::format("the benchmark broke: {}", broken.what()));
        return 1;
    }
}

}

}

int main(int count, char** words) {
    return hadr::test::guarded(&hadr::benchmark::run, count, words);
}
