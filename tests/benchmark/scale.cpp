// SPDX-License-Identifier: Apache-2.0
// What the library costs while nothing happens, and how that grows with stores and servers. Usage:
// scale [--short]: without the real witness, which takes long to make.
#include "benchmark/scale.hpp"

#include "support/auto_failover.hpp"
#include "support/clients.hpp"
#include "support/guardian.hpp"
#include "support/postgres.hpp"

#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <sys/resource.h>

namespace hadr::benchmark {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

std::size_t threads_now() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
        count += entry.exists() ? 1U : 0U;
    return count;
}

std::size_t sockets_now() {
    std::size_t count = 0;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        count += std::filesystem::read_symlink(entry.path(), gone).string().starts_with("socket:")
                     ? 1U
                     : 0U;
    return count;
}

double rss_mib() {
    std::ifstream in("/proc/self/status");
    for (std::string word; in >> word;)
        if (word == "VmRSS:") {
            double kib = 0;
            in >> kib;
            return kib / 1024;
        }
    return 0;
}

namespace {

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& of) {
        return static_cast<double>(of.tv_sec) + static_cast<double>(of.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Of all threads that live now.
std::uint64_t wakeups() {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream in(entry.path() / "status");
        for (std::string word; in >> word;)
            if (word == "voluntary_ctxt_switches:") {
                std::uint64_t count = 0;
                in >> count;
                sum += count;
            }
    }
    return sum;
}

/// Statements that a server has ended, as it counts them about every second.
double statements_at(int port) {
    return std::stod(test::must(port, "select sum(xact_commit) from pg_stat_database"));
}

void measure_calm(duration length) {
    test::postgres_pair pair;
    const test::observed_store store(
        test::mirroring_string(pair.primary().port(), pair.mirror().port())
    );
    test::wait_until("all sessions", 30s, [&] { return store->counters().sessions_now >= 3; });
    std::this_thread::sleep_for(2s);
    const auto cpu = cpu_seconds();
    const auto woken = wakeups();
    const auto probes = store->counters().probes;
    const auto begun = steady::now();
    std::this_thread::sleep_for(length);
    const auto seconds = std::chrono::duration<double>(steady::now() - begun).count();
    figure("idle_cpu_percent", (cpu_seconds() - cpu) / seconds * 100);
    figure("idle_wakeups_per_second", static_cast<double>(wakeups() - woken) / seconds);
    figure(
        "idle_probes_per_second", static_cast<double>(store->counters().probes - probes) / seconds
    );
}

// They only watch: the engine's nodes take 60 sessions, and sessions to lend are bounded by
// Pool_Max and Pool_Warm of each store anyway.
void measure_fleet(duration length) {
    const test::auto_failover_cluster engine;
    const auto threads = threads_now();
    const auto sockets = sockets_now();
    const auto rss = rss_mib();
    std::vector<std::unique_ptr<test::observed_store>> all;
    for (std::size_t i = 0; i < stores_of_a_fleet; ++i)
        all.push_back(std::make_unique<test::observed_store>(test::mirroring_string(
            engine.port(0),
            engine.port(1),
            fmt::format(
                "Witness=pg_auto_failover:127.0.0.1:{};Store_Name=store_{};Pool_Min=0;Pool_Warm=0",
                engine.monitor_port(),
                i
            )
        )));
    for (const auto& one : all)
        test::wait_until("a primary", 30s, [&] { return (*one)->view()->writer.has_value(); });
    std::this_thread::sleep_for(2s);
    const auto asked = [&] {
        return statements_at(engine.port(0)) + statements_at(engine.port(1));
    };
    const auto before = asked();
    const auto cpu = cpu_seconds();
    std::this_thread::sleep_for(length);
    const auto seconds = std::chrono::duration<double>(length).count();
    figure("cpu_percent_100_stores", (cpu_seconds() - cpu) / seconds * 100);
    figure("statements_per_second_100_stores", (asked() - before) / seconds);
    figure("threads_100_stores", static_cast<double>(threads_now() - threads));
    figure("sockets_100_stores", static_cast<double>(sockets_now() - sockets));
    figure("rss_mib_100_stores", rss_mib() - rss);
}

int run(int count, char** words) {
    const bool in_short = count > 1 && std::string_view(words[1]) == "--short";
    try {
        simulate_a_storm();
        simulate_a_fleet();
        measure_calm(in_short ? 1s : 10s);
        if (!in_short)
            measure_fleet(10s);
        return 0;
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
