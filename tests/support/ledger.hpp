// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace hadr::test {

using moment = std::chrono::steady_clock::time_point;

/// What became of one append.
struct append_result {
    enum class end {
        acknowledged,
        unknown,
        refused, ///< Surely not done.
    };
    end how = end::refused;
    int port = 0;            ///< Of the server, by its own word; if unknown, of the lease.
    bool synchronous = true; ///< Likewise: commits there wait for a standby.
    std::string why;
};

/// A client under judgement: appends a token and is back by its deadline.
class ledger_client {
public:
    virtual ~ledger_client() = default;
    virtual append_result append(int writer, const std::string& token, duration within) = 0;
};

struct acknowledged {
    std::string token;
    moment when;
    int port = 0;
    bool synchronous = true;
};

struct unanswered {
    std::string token;
    int port = 0;
    bool at_its_deadline = false; ///< The call's own deadline cut it, not the fault.
};

struct tally {
    std::vector<acknowledged> rows;
    std::vector<unanswered> unknown;
    std::vector<std::string> refusals; ///< Distinct reasons.
    std::uint64_t refused = 0;
    duration overrun{}; ///< The latest that a call was back after its deadline.
    duration longest_gap{};
};

/// Several writers that append through one client until stopped.
class ledger_writers {
public:
    static constexpr duration usual = std::chrono::milliseconds(1500);

    ledger_writers(
        ledger_client& through, int writers, std::string prefix, duration deadline = usual
    );
    ~ledger_writers();

    /// Appends acknowledged so far.
    std::uint64_t count() const noexcept { return count_.load(); }
    /// Waits for so many more; throws if they do not come.
    void await(std::uint64_t more, duration within) const;
    /// Acknowledgements per second over a while.
    double rate(duration over) const;
    tally stop();

private:
    void write(int writer);

    ledger_client& through_;
    const std::string prefix_;
    const duration deadline_; // Of each call.
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> count_{0};
    std::mutex mutex_; // Guards all_.
    tally all_;
    std::vector<std::jthread> threads_;
};

/// Creates the ledger's table on a primary.
void create_ledger(int port);

struct naming {
    moment when;
    int port = 0;
};

/// The observer process, and what it has written (rulings 13).
class observer {
public:
    /// Arguments as observer_main.cpp takes them.
    explicit observer(std::vector<std::string> arguments);
    std::vector<naming> namings() const;

private:
    temporary_folder folder_{"hadr-observer"};
    std::unique_ptr<child> process_;
};

struct verdict {
    std::uint64_t lost = 0;         ///< Acknowledged by a primary whose commits waited.
    std::uint64_t exposed = 0;      ///< Rows acknowledged while no standby was waited for.
    std::uint64_t exposed_lost = 0; ///< Such rows that are gone: what asynchronous means.
    std::uint64_t duplicated = 0;
    std::uint64_t demoted_writes = 0;
    std::uint64_t unknown = 0;
    std::uint64_t unknown_present = 0;
    std::uint64_t unknown_at_deadline = 0; ///< On a new primary that was not cut itself.
    std::uint64_t promotions = 0;          ///< Timelines that the rows went through.
    std::vector<std::string> details;
};

/// Holds what was acknowledged against the table on the present primary and against the namings. A
/// demoted write is a row acknowledged by a server later than this process could have read that
/// another is named, or in an older timeline than a row acknowledged as much earlier (rulings 13).
verdict judge(const tally& told, int primary_port, const std::vector<naming>& namings);

/// How late a thread of this machine wakes up, measured all the while.
class control_thread {
public:
    control_thread();
    duration worst() const noexcept { return duration(worst_.load()); }

private:
    std::atomic<duration::rep> worst_{0};
    std::jthread thread_;
};

}
