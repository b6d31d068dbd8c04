// SPDX-License-Identifier: Apache-2.0
#include "simulation/figures.hpp"

#include "simulation/exhaustive.hpp"
#include "simulation/marks.hpp"
#include "simulation/processes.hpp"
#include "simulation/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace hadr::test {

namespace {

constexpr std::uint64_t twice_every = 100;
constexpr std::uint64_t mirrored_every = 5; ///< For so many seeds one of SQL Server's.
constexpr std::size_t failures_shown = 5;
constexpr std::uint64_t judged_from = 10'000;  ///< Fewer scenarios say nothing of shares.
constexpr std::uint64_t timed_count = 170'000; ///< 204,000 scenarios, SQL Server's included.

/// What one process counted; passed to its parent as numbers.
struct sums {
    std::uint64_t scenarios = 0;
    std::uint64_t mirrored = 0; ///< Of them, SQL Server's.
    std::uint64_t failovers = 0;
    std::uint64_t violations = 0;
    std::uint64_t faulted = 0;
    std::uint64_t mismatches = 0;
    std::uint64_t busiest_second = 0;
    std::uint64_t unknown = 0;
    std::uint64_t lost_apart = 0;
    std::uint64_t points = 0;
    std::uint64_t point_violations = 0;
    std::vector<std::uint64_t> traces;
    std::vector<std::uint64_t> events;
    std::vector<std::uint64_t> marks;

    void add(const sums& other) {
        scenarios += other.scenarios;
        mirrored += other.mirrored;
        failovers += other.failovers;
        violations += other.violations;
        faulted += other.faulted;
        mismatches += other.mismatches;
        busiest_second = std::max(busiest_second, other.busiest_second);
        unknown += other.unknown;
        lost_apart += other.lost_apart;
        points += other.points;
        point_violations += other.point_violations;
        traces.insert(traces.end(), other.traces.begin(), other.traces.end());
        events.insert(events.end(), other.events.begin(), other.events.end());
        marks.resize(std::max(marks.size(), other.marks.size()));
        for (std::size_t i = 0; i < other.marks.size(); ++i)
            marks[i] += other.marks[i];
    }

    template <class Use>
    void each(Use use) {
        for (auto* one :
             {&scenarios,
              &mirrored,
              &failovers,
              &violations,
              &faulted,
              &mismatches,
              &busiest_second,
              &unknown,
              &lost_apart,
              &points,
              &point_violations})
            use(*one);
        for (auto* list : {&traces, &events, &marks}) {
            std::uint64_t size = list->size();
            use(size);
            list->resize(size);
            for (auto& one : *list)
                use(one);
        }
    }
};

void show_failure(const plan& failing, const verdict& how) {
    const auto shrunk = shrink(failing);
    std::string text = fmt::format("FAILED {}\n", replay_command(failing, shrunk));
    for (const auto& one : shrunk.faults)
        text += "  fault: " + to_string(one) + "\n";
    for (const auto& one : how.broken)
        text += "  " + one + "\n";
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

void run_one(sums& made, std::uint64_t seed, bool twice) {
    const auto drawn = draw(seed);
    about_to_run(fmt::format("--seed {}", drawn.seed));
    const auto how = run(drawn);
    ++made.scenarios;
    if (drawn.mirrored())
        ++made.mirrored;
    made.failovers += how.failovers;
    made.faulted += how.faulted ? 1 : 0;
    made.busiest_second = std::max(made.busiest_second, how.busiest_second);
    made.unknown += how.unknown;
    made.lost_apart += how.lost_apart;
    made.traces.push_back(how.trace);
    made.events.push_back(how.events);
    if (!how.broken.empty() && ++made.violations <= failures_shown)
        show_failure(drawn, how);
    if (twice && run(drawn).trace != how.trace) {
        ++made.mismatches;
        fmt::print("FAILED: seed {} gave another trace the second time (S3)\n", drawn.seed);
    }
}

sums run_some(const simulation_range& what, std::uint64_t job) {
    sums made;
    for (auto i = job; i < what.count; i += what.jobs)
        run_one(made, what.first + i, i % twice_every == 0);
    for (auto i = job; i < what.count / mirrored_every; i += what.jobs)
        run_one(made, sql_server_seeds + what.first + i, i % twice_every == 0);
    if (what.exhaustive) {
        const auto all = run_exhaustive(job, what.jobs);
        made.points = all.points;
        made.point_violations = all.violations;
    }
    for (const auto& one : all_marks())
        made.marks.push_back(one.times);
    return made;
}

std::vector<std::uint64_t> flat(sums what) {
    std::vector<std::uint64_t> made;
    what.each([&](std::uint64_t& one) { made.push_back(one); });
    return made;
}

sums unfold(const std::vector<std::uint64_t>& numbers) {
    sums made;
    std::size_t at = 0;
    made.each([&](std::uint64_t& one) { one = at < numbers.size() ? numbers[at++] : 0; });
    return made;
}

sums run_all(const simulation_range& what) {
    sums all;
    const auto work = [&](std::uint64_t job) { return flat(run_some(what, job)); };
    for (const auto& one : in_processes(what.jobs, work)) {
        all.add(unfold(one.numbers));
        if (one.failure.empty())
            continue;
        fmt::print("FAILED: {}\n", one.failure);
        ++all.violations;
    }
    return all;
}

// Names of marks that nobody passed.
std::vector<std::string> missed(const sums& of) {
    std::vector<std::string> made;
    const auto names = all_marks();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (i >= of.marks.size() || of.marks[i] == 0)
            made.push_back(names[i].name);
    return made;
}

std::uint64_t distinct_of(std::vector<std::uint64_t> traces) {
    std::sort(traces.begin(), traces.end());
    return static_cast<std::uint64_t>(std::unique(traces.begin(), traces.end()) - traces.begin());
}

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : part * 100 / whole;
}

/// Prints the figures of one run.
struct printer {
    std::string_view prefix;

    template <class Value>
    void operator()(std::string_view name, const Value& value) const {
        fmt::print("figure {}{} {}\n", prefix, name, value);
    }
};

}

int simulate(const simulation_range& what) {
    const auto begun = std::chrono::steady_clock::now();
    auto all = run_all(what);
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun);
    const auto names = missed(all);
    for (const auto& one : names)
        fmt::print("missed mark: {}\n", one);
    std::sort(all.events.begin(), all.events.end());
    const auto distinct = distinct_of(all.traces);
    const auto median = all.events.empty() ? 0 : all.events[all.events.size() / 2];
    const printer figure{what.prefix};
    figure("simulation_scenarios", all.scenarios);
    figure("simulation_mirrored_scenarios", all.mirrored);
    figure("simulation_failovers", all.failovers);
    figure("simulation_violations", all.violations);
    figure("simulation_seconds", fmt::format("{:.1f}", seconds.count()));
    figure("simulation_distinct_percent", percent(distinct, all.scenarios));
    figure("simulation_faulted_percent", percent(all.faulted, all.scenarios));
    figure("simulation_median_events", median);
    figure("simulation_replay_mismatches", all.mismatches);
    figure("simulation_unknown_outcomes", all.unknown);
    figure("simulation_lost_apart", all.lost_apart);
    figure("simulation_busiest_second", all.busiest_second);
    if (what.exhaustive) {
        figure("exhaustive_points", all.points);
        figure("exhaustive_violations", all.point_violations);
    }
    const auto marks = all_marks();
    const auto in_library = static_cast<std::uint64_t>(
        std::count_if(marks.begin(), marks.end(), [](const auto& one) { return one.of_library; })
    );
    figure("marks", marks.size());
    figure("marks_in_library", in_library);
    figure("marks_missed", names.size());
    bool well = all.violations == 0 && all.mismatches == 0 && all.point_violations == 0;
    if (what.count < judged_from)
        return well ? 0 : 1;
    const auto at_least = [&](std::string_view name, std::uint64_t is, std::uint64_t least) {
        if (is < least)
            fmt::print("FAILED: {} is {}, and should be {} at least\n", name, is, least);
        well = well && is >= least;
    };
    at_least("simulation_scenarios", all.scenarios, what.count);
    at_least("simulation_mirrored_scenarios", all.mirrored, what.count / mirrored_every);
    at_least("simulation_failovers", all.failovers, 2 * what.count);
    at_least("simulation_distinct_percent", percent(distinct, all.scenarios), 95);
    at_least("simulation_faulted_percent", percent(all.faulted, all.scenarios), 90);
    at_least("simulation_median_events", median, 800);
    if (!marks.empty()) { // A sanitized build counts none.
        at_least("marks", marks.size(), 80);
        at_least("marks_in_library", in_library, 50);
        at_least("marks passed", marks.size() - names.size(), marks.size());
    }
    if (what.count == timed_count && seconds.count() > 300) {
        fmt::print("FAILED: {} scenarios took {:.0f} s, of 300\n", what.count, seconds.count());
        well = false;
    }
    return well ? 0 : 1;
}

}
