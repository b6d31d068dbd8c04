// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>
#include <hadr/world.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace hadr::inline v0::runtime {

/// What is told of a descriptor.
class descriptor_handler {
public:
    virtual void ready(readiness what) = 0;

protected:
    ~descriptor_handler() = default;
};

/// One agent that multiplexes sessions, timers and posted work; everything it owns needs no lock.
/// All functions but post() and stop() are for that agent only.
class reactor : public std::enable_shared_from_this<reactor> {
public:
    explicit reactor(std::shared_ptr<world> in);
    reactor(const reactor&) = delete;
    ~reactor();

    /// Runs what on the reactor's agent, in order of posting. Any agent. False once stopped.
    bool post(std::function<void()> what);

    /// Ends the agent and waits for it; false if the deadline came first. On the reactor's own
    /// agent it only asks for the end.
    bool stop(time_point until);

    using timer = std::pair<time_point, std::uint64_t>;
    timer at(time_point when, std::function<void()> what);
    void cancel(const timer& which) noexcept;

    /// Watches a descriptor for one handler until forgotten.
    void watch(int descriptor, readiness wanted, descriptor_handler& by);
    void forget(int descriptor) noexcept;

    /// Sessions that wait for a worker are advanced after every wake-up.
    void poll(descriptor_handler& by) { polled_.push_back(&by); }
    void unpoll(descriptor_handler& by) noexcept { std::erase(polled_, &by); }

    struct asked {
        std::string text;
        statement_kind kind;
        time_point until;
        preparation prepare = preparation::none;
    };
    using ended = std::function<void(expected<void>, answer&)>;
    /// Runs a statement; the session must live until ended is called. At the deadline it is
    /// severed.
    void run(session& on, asked what, ended then);

    world& through() const noexcept { return *world_; }
    time_point now() const noexcept { return world_->now(); }
    std::uint64_t next_sequence() noexcept { return ++sequence_; }
    /// True on the reactor's own agent.
    bool here() const noexcept { return world_->self() == agent_; }

private:
    class exchange;

    void turn();
    void take_posted();
    void run_due_timers();
    void poll_workers();
    void end_exchanges();
    void forget_timers();
    void wait();

    std::shared_ptr<world> world_;
    std::unique_ptr<descriptor_set> descriptors_;
    std::map<int, std::uint64_t> tokens_;
    std::unordered_map<std::uint64_t, descriptor_handler*> handlers_;
    std::map<timer, std::function<void()>> timers_;
    std::vector<descriptor_handler*> polled_;
    std::vector<exchange*> under_way_;
    std::uint64_t timer_count_ = 0;
    std::uint64_t token_count_ = 0;
    std::uint64_t sequence_ = 0;
    agent* agent_ = nullptr;

    std::mutex mutex_; // Guards posted_, agent_known_, stopping_, started_.
    std::vector<std::function<void()>> posted_;
    agent* agent_known_ = nullptr;
    bool stopping_ = false;
    std::unique_ptr<started> started_;
};

}
