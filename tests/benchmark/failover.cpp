// SPDX-License-Identifier: Apache-2.0
// What a client adds to a failover: from the new primary's first moment of accepting writes, which
// a process of its own finds, to each writer's first commit there. Usage: failover [--trials N]
// [CASE...]; README.md lists the cases.
#include "benchmark/trials.hpp"
#include "support/guardian.hpp"
#include "support/ledger.hpp"

#include <cstdlib>
#include <exception>
#include <optional>
#include <set>

namespace hadr::benchmark {

using namespace std::chrono_literals;

namespace {

struct run_options {
    int trials = 15;
    std::set<std::string> cases; ///< Empty: all.
};

/// Sums of what the library's writers met in all cases.
struct totals {
    std::uint64_t connect_errors = 0;
    std::uint64_t unexplained = 0;
    int given_up = 0;

    void take(const series& of) {
        const auto& met = of.errors;
        connect_errors += met.connects_failed;
        unexplained += met.unexplained + met.refused + met.twice_cut;
        given_up += of.given_up;
        for (const auto& why : met.reasons)
            say(fmt::format("    {}", why));
    }
};

class program {
public:
    explicit program(run_options how) : how_(std::move(how)) {}

    int run();

private:
    bool wanted(const std::string& name) const {
        return how_.cases.empty() || how_.cases.contains(name);
    }

    /// Where a trial takes long and little depends on it.
    int few() const { return std::max(how_.trials / 5, 1); }

    std::vector<series>
    trials(stage& on, const scenario& what, const std::vector<std::vector<client>>& groups) {
        return trials(on, what, how_.trials, groups);
    }

    std::vector<series> trials(
        stage& on, const scenario& what, int number, const std::vector<std::vector<client>>& groups
    ) {
        auto all = run_trials(on, what, number, groups);
        for (const auto& one : all)
            if (one.client == "hadr")
                sums_.take(one);
        return all;
    }

    void one_writer(stage& on);
    void long_outage(stage& on);
    void crowd_of_32(stage& on);
    void crowd_of_200(stage& on);
    void silence(stage& on);
    void secure();
    void engine();

    const run_options how_;
    totals sums_;
    double short_median_ = 0;
};

// The loop that pauses costs next to nothing: it shares the library's failures.
void program::one_writer(stage& on) {
    const auto all =
        trials(on, {.name = "crash_1"}, {{client::hadr, client::loop_1s}, {client::loop}});
    short_median_ = median(all[0].last);
    figure("follow_crash_1_median_ms", short_median_);
    figure("loop_1s_crash_1_median_ms", median(all[1].last));
    figure("loop_crash_1_median_ms", median(all[2].last));
}

void program::long_outage(stage& on) {
    const scenario what{.name = "crash_1_long_outage", .outage_least = 3s, .outage_most = 7s};
    const auto all = trials(on, what, {{client::hadr, client::loop_1s}});
    const auto found = median(all[0].last);
    figure("follow_crash_1_long_outage_median_ms", found);
    if (short_median_ > 0)
        figure("follow_long_to_short_outage_ratio", found / short_median_);
    figure("loop_1s_crash_1_long_outage_median_ms", median(all[1].last));
    const auto loop = run_trials(on, what, few(), {{client::loop}});
    figure("loop_crash_1_long_outage_median_ms", median(loop[0].last));
    figure(
        "loop_connect_errors_long_outage",
        static_cast<double>(loop[0].errors.connects_failed) / loop[0].trials
    );
}

void program::crowd_of_32(stage& on) {
    const auto all = trials(
        on, {.name = "crash_32", .writers = 32, .pause = 2ms}, {{client::hadr}, {client::loop}}
    );
    figure("follow_crash_32_last_ms", median(all[0].last));
    figure("follow_crash_32_last_to_middle_ratio", median(all[0].last) / median(all[0].middle));
    figure("loop_crash_32_last_ms", median(all[1].last));
}

// The loop's storm takes from ten seconds to a minute.
void program::crowd_of_200(stage& on) {
    const auto all = trials(
        on,
        {.name = "crash_200", .writers = 200, .pause = 20ms, .patience = 60s},
        few(),
        {{client::hadr}, {client::loop}}
    );
    figure("follow_crash_200_ms", median(all[0].whole));
    figure("loop_crash_200_ms", median(all[1].whole));
    figure("follow_crash_200_ratio_to_loop", median(all[0].whole) / median(all[1].whole));
}

void program::silence(stage& on) {
    const auto all =
        trials(on, {.name = "hung_1", .fails = failure_kind::silence}, {{client::hadr}});
    figure("follow_hung_1_median_ms", median(all[0].last));
    figure("follow_hung_1_worst_ms", most(all[0].last));
    // It waits for the dead socket: seen once, and not until its end.
    const auto loop = run_trials(
        on, {.name = "hung_1", .fails = failure_kind::silence, .patience = 3s}, 1, {{client::loop}}
    );
    figure("loop_hung_1_given_up_after_3_s", loop[0].given_up);
}

void program::secure() {
    pair_stage on(pair_stage::login::tls_and_scram);
    const scenario what{.name = "crash_1_tls_scram"};
    const auto all = trials(on, what, {{client::hadr}});
    figure("follow_tls_scram_crash_1_median_ms", median(all[0].last));
    const auto loop = run_trials(on, what, few(), {{client::loop}});
    figure("loop_tls_scram_crash_1_median_ms", median(loop[0].last));
}

void program::engine() {
    engine_stage on;
    const auto all =
        trials(on, {.name = "pg_auto_failover_crash_1", .pause = 2ms}, few(), {{client::hadr}});
    figure("follow_pg_auto_failover_crash_1_median_ms", median(all[0].last));
    figure("pg_auto_failover_decides_median_ms", median(all[0].outage));
}

int program::run() {
    const std::vector<std::pair<std::string, void (program::*)(stage&)>> plain = {
        {"crash_1", &program::one_writer},
        {"crash_1_long_outage", &program::long_outage},
        {"crash_32", &program::crowd_of_32},
        {"hung_1", &program::silence},
        {"crash_200", &program::crowd_of_200}};
    const test::control_thread control;
    std::optional<pair_stage> on;
    for (const auto& [name, part] : plain)
        if (wanted(name)) {
            if (!on)
                on.emplace(pair_stage::login::trusted);
            (this->*part)(*on);
        }
    on.reset();
    if (wanted("tls_scram"))
        secure();
    if (wanted("pg_auto_failover"))
        engine();
    figure("follow_connect_errors", static_cast<double>(sums_.connect_errors));
    figure("follow_unexplained_errors", static_cast<double>(sums_.unexplained));
    figure("follow_given_up", sums_.given_up);
    figure("follow_trials_per_case", how_.trials);
    figure("follow_warm_sessions", store_specification().warm);
    figure("control_lateness_worst_ms", milliseconds(control.worst()));
    return sums_.given_up == 0 ? 0 : 1;
}

run_options read(int count, char** words) {
    run_options made;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--trials" && i + 1 < count)
            made.trials = std::atoi(words[++i]);
        else
            made.cases.insert(word);
    }
    return made;
}

int run(int count, char** words) {
    try {
        return program(read(count, words)).run();
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
