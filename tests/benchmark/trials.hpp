// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "benchmark/crowd.hpp"
#include "benchmark/stages.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hadr::benchmark {

enum class failure_kind {
    crash,
    silence,
};

/// What happens in each trial of a case.
struct scenario {
    std::string name;
    int writers = 1;
    failure_kind fails = failure_kind::crash;
    duration outage_least = duration::zero(); ///< From the failure to the promotion.
    duration outage_most = duration::zero();
    duration pause = duration::zero(); ///< Of a writer, between commits.
    duration patience = std::chrono::seconds(20);
};

/// Of one client over all trials of a scenario, in milliseconds.
struct series {
    std::string client;
    int trials = 0;
    int given_up = 0;                ///< Trials in which a writer had not committed in time.
    std::vector<double> outage = {}; ///< t1 - t0
    std::vector<double> first = {};  ///< t2 - t1 of the first, the middle and the last writer.
    std::vector<double> middle = {};
    std::vector<double> last = {};
    std::vector<double> whole = {}; ///< t2 - t0 of the last writer.
    crowd::report errors = {};      ///< Sums.

    void add(const crowd::report& found, moment failed, moment accepted);
    void give_up(const crowd::report& found, duration lasted);
    void take_errors(const crowd::report& found);
    void print(std::string_view scenario) const;
};

/// What a client is called by and made from, anew for each trial.
enum class client {
    hadr,
    loop,    ///< Reconnects at once.
    loop_1s, ///< Reconnects after a second.
};

std::string_view to_string(client which) noexcept;

/// One failure, told to all clients given; adds what it found to their series.
void run_trial(
    stage& on, const scenario& what, double progress, const std::vector<series*>& clients
);

/// Trials of all groups in turn; the clients of a group share each failure.
std::vector<series> run_trials(
    stage& on, const scenario& what, int trials, const std::vector<std::vector<client>>& groups
);

}
