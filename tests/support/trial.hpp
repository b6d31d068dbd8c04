// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/auto_failover.hpp"
#include "support/clients.hpp"
#include "support/ledger.hpp"

#include <hadr/connection_manager.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hadr::test {

double milliseconds(duration length);

/// What the trials of one suite found, kept in a file so that a last test can add up all suites of
/// a run: a name and a number a line. Sums, but for names that end in "_ms": the worst.
class sheet {
public:
    /// Begins a new one for the suite that is running.
    sheet();

    void add(const std::string& name, double value);
    /// Every sheet of this run, added up, and taken away.
    static std::map<std::string, double> take_all();

private:
    void save() const;

    std::string file_;
    std::map<std::string, double> entries_;
};

/// A store under judgement, with everything that judges it: the observer process, a control thread
/// for the lateness of this machine, the threads before it was opened.
class court {
public:
    explicit court(std::vector<std::string> observed);
    ~court();

    void open(const std::string& connection_string);

    connection_manager& store() const { return **store_; }
    std::vector<naming> namings() const { return observer_.namings(); }
    sheet& record() noexcept { return record_; }
    /// A call may be back late by as much as this machine wakes anybody up.
    void was_late(duration overrun) noexcept { overrun_ = std::max(overrun_, overrun); }

private:
    control_thread control_;
    observer observer_;
    sheet record_;
    std::size_t threads_before_ = 0;
    duration overrun_{};
    std::unique_ptr<observed_store> store_;
};

/// Four writers at 200 commits a second or more before a fault, writers after it, and the
/// judgement.
class trial {
public:
    struct terms {
        int cuts = 1; ///< Moments at which statements in flight may lose their answer.
        duration deadline = ledger_writers::usual;
    };

    trial(std::string kind, court& judged_by, terms with);
    trial(std::string kind, court& judged_by) : trial(std::move(kind), judged_by, terms()) {}

    /// Waits for more commits.
    void goes_on(std::uint64_t commits = 20, duration within = std::chrono::seconds(30)) const;
    void end(int primary_port);

private:
    static constexpr int writers = 4;

    void assert_no_harm(const verdict& found, const tally& told);
    std::uint64_t in_flight_at_cuts(const verdict& found) const;

    const std::string kind_;
    court& court_;
    const terms with_;
    hadr_client client_;
    ledger_writers ledger_;
};

/// A plain pair under judgement; somebody must promote its mirror.
struct pair_on_trial {
    postgres_pair pair;
    court judged;

    pair_on_trial();
};

/// pg_auto_failover under judgement. It may have been judged before: everything of it is made whole
/// and its ledger new.
struct engine_on_trial {
    auto_failover_cluster& engine;
    court judged;

    explicit engine_on_trial(auto_failover_cluster& made);

    /// Everything that was killed runs again, and the pair is whole.
    void settle() const;
    void wait_for_other_than(std::size_t primary) const;
};

}
