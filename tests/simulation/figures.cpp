// SPDX-License-Identifier: Apache-2.0
#include "simulation/figures.hpp"

#include "simulation/exhaustive.hpp"
#include "simulation/marks.hpp"
#include "simulation/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace hadr::test {

namespace {

constexpr std::uint64_t twice_every = 100;
constexpr std::size_t failures_shown = 5;

/// What one process counted; passed to its parent as numbers.
struct sums {
    std::uint64_t scenarios = 0;
    std::uint64_t failovers = 0;
    std::uint64_t violations = 0;
    std::uint64_t faulted = 0;
    std::uint64_t mismatches = 0;
    std::uint64_t busiest_second = 0;
    std::uint64_t unknown = 0;
    std::uint64_t points = 0;
    std::uint64_t point_violations = 0;
    std::vector<std::uint64_t> traces;
    std::vector<std::uint64_t> events;
    std::vector<std::uint64_t> marks;

    void add(const sums& other) {
        scenarios += other.scenarios;
        failovers += other.failovers;
        violations += other.violations;
        faulted += other.faulted;
        mismatches += other.mismatches;
        busiest_second = std::max(busiest_second, other.busiest_second);
        unknown += other.unknown;
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
              &failovers,
              &violations,
              &faulted,
              &mismatches,
              &busiest_second,
              &unknown,
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

sums run_some(const simulation_range& what, std::uint64_t job) {
    sums made;
    for (auto i = job; i < what.count; i += what.jobs) {
        const auto drawn = draw(what.first + i);
        const auto how = run(drawn);
        ++made.scenarios;
        made.failovers += how.failovers;
        made.faulted += how.faulted ? 1 : 0;
        made.busiest_second = std::max(made.busiest_second, how.busiest_second);
        made.unknown += how.unknown;
        made.traces.push_back(how.trace);
        made.events.push_back(how.events);
        if (!how.broken.empty() && ++made.violations <= failures_shown)
            show_failure(drawn, how);
        if (i % twice_every == 0 && run(drawn).trace != how.trace) {
            ++made.mismatches;
            fmt::print("FAILED: seed {} gave another trace the second time (S3)\n", drawn.seed);
        }
    }
    if (what.exhaustive) {
        const auto all = run_exhaustive(job, what.jobs);
        made.points = all.points;
        made.point_violations = all.violations;
    }
    for (const auto& one : all_marks())
        made.marks.push_back(one.times);
    return made;
}

void write_to(int pipe_end, sums what) {
    std::vector<std::uint64_t> flat;
    what.each([&](std::uint64_t& one) { flat.push_back(one); });
    auto* const out = fdopen(pipe_end, "wb");
    std::fwrite(flat.data(), sizeof flat[0], flat.size(), out);
    std::fclose(out);
}

sums read_from(int pipe_end) {
    sums made;
    auto* const in = fdopen(pipe_end, "rb");
    made.each([&](std::uint64_t& one) {
        if (std::fread(&one, sizeof one, 1, in) != 1)
            one = 0;
    });
    std::fclose(in);
    return made;
}

sums run_all(const simulation_range& what) {
    struct child {
        pid_t id;
        int from;
    };
    std::vector<child> children;
    for (std::uint64_t job = 0; job < what.jobs; ++job) {
        int ends[2] = {};
        std::fflush(stdout);
        if (pipe(ends) != 0)
            std::abort();
        const auto id = fork();
        if (id == 0) {
            close(ends[0]);
            write_to(ends[1], run_some(what, job));
            std::fflush(stdout);
            _exit(0);
        }
        close(ends[1]);
        children.push_back({id, ends[0]});
    }
    sums all;
    for (const auto& one : children) {
        all.add(read_from(one.from));
        int ended = 0;
        waitpid(one.id, &ended, 0);
        if (ended != 0) {
            fmt::print("FAILED: a process of the simulation ended with {}\n", ended);
            ++all.violations;
        }
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
    std::sort(all.traces.begin(), all.traces.end());
    const auto distinct = static_cast<std::uint64_t>(
        std::unique(all.traces.begin(), all.traces.end()) - all.traces.begin()
    );
    const auto median = all.events.empty() ? 0 : all.events[all.events.size() / 2];
    const printer figure{what.prefix};
    figure("simulation_scenarios", all.scenarios);
    figure("simulation_failovers", all.failovers);
    figure("simulation_violations", all.violations);
    figure("simulation_seconds", fmt::format("{:.1f}", seconds.count()));
    figure("simulation_distinct_percent", percent(distinct, all.scenarios));
    figure("simulation_faulted_percent", percent(all.faulted, all.scenarios));
    figure("simulation_median_events", median);
    figure("simulation_replay_mismatches", all.mismatches);
    figure("simulation_unknown_outcomes", all.unknown);
    figure("simulation_busiest_second", all.busiest_second);
    if (what.exhaustive) {
        figure("exhaustive_points", all.points);
        figure("exhaustive_violations", all.point_violations);
    }
    figure("marks", all_marks().size());
    figure("marks_missed", names.size());
    const bool well = all.violations == 0 && all.mismatches == 0 && all.point_violations == 0 &&
                      (names.empty() || what.count < 10'000);
    return well ? 0 : 1;
}

}
