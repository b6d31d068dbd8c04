// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <functional>
#include <memory>

namespace hadr::inline v0::runtime {

/// Agents for what may block: logins, slow closes, files. Capped, started on demand, ended when
/// idle. Urgent jobs (watchers) find a worker also while all others hang on silent servers. A job
/// that outlives its deadline is given up by whoever waits for it: its worker is then stuck, no
/// longer counts against the cap, and owns all it touches (rulings 2 and 17).
/// Thread-safe.
class workers {
public:
    static constexpr int cap = 16;
    static constexpr int urgent_cap = 8; ///< More, for urgent jobs alone.
    static constexpr int stuck_cap = 64;
    static constexpr duration idle_limit = std::chrono::seconds(5);

    struct crew;
    struct job_state;

    /// Shared by the job and whoever waits for it. Thread-safe.
    class ticket {
    public:
        ticket() = default;
        explicit ticket(std::shared_ptr<job_state> of) noexcept : state_(std::move(of)) {}

        /// False if no worker could be had (F48): the job will not run.
        explicit operator bool() const noexcept { return state_ != nullptr; }

        /// Gives the job up: a queued one never runs, a running one leaves its worker stuck until
        /// it ends.
        void abandon() const;
        bool abandoned() const;

    private:
        std::shared_ptr<job_state> state_;
    };

    using job = std::function<void(const ticket& own)>;

    explicit workers(std::shared_ptr<world> in);
    workers(const workers&) = delete;
    ~workers();

    /// Queues a job; urgent ones go before the others.
    ticket run(job what, bool urgent);

    /// Takes no more jobs, drops the queued ones but for urgent ones, and waits for those and the
    /// running ones. Returns how many are left.
    std::size_t stop(time_point until);

    std::size_t stuck() const;

private:
    std::shared_ptr<crew> crew_;
};

}
