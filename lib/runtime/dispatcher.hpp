// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/connection_manager.hpp>
#include <hadr/world.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace hadr::inline v0::runtime {

/// Tells listeners and log sinks on an agent of its own, so that a slow one delays nobody but other
/// listeners (F45). Thread-safe.
class dispatcher : public std::enable_shared_from_this<dispatcher> {
public:
    /// Per listener or log; beyond it events coalesce, and lines are dropped.
    static constexpr std::size_t pending_max = 256;
    static constexpr int lines_per_second = 100; ///< Per log.

    explicit dispatcher(std::shared_ptr<world> in);
    dispatcher(const dispatcher&) = delete;

    struct tally {
        std::atomic<std::uint64_t> coalesced{0};
        std::atomic<std::uint64_t> failed{0};
        std::atomic<std::uint64_t> lines_dropped{0};
    };

    /// One listener or log; told until its owner lets go of it.
    class subscription;
    std::shared_ptr<subscription> subscribe(listener to, std::shared_ptr<tally> counted);
    std::shared_ptr<subscription> subscribe(log_sink to, std::shared_ptr<tally> counted);
    /// Drops what it was not told yet. Returns when no call of it is running, or at the moment; at
    /// once if called from within a listener.
    void unsubscribe(const std::shared_ptr<subscription>& which, time_point until);
    /// As unsubscribe(), after it was told everything.
    void finish(const std::shared_ptr<subscription>& which, time_point until);
    /// True within a listener.
    bool here() const;

    void tell(const std::vector<std::shared_ptr<subscription>>& whom, const event& what);
    void log(const std::shared_ptr<subscription>& to, log_level level, std::string line);

    /// Delivers what is queued, then ends. False if the deadline came first.
    bool stop(time_point until);

private:
    void queue(const std::shared_ptr<subscription>& which);
    void wake_up();
    void turn();
    bool deliver_one();

    const std::shared_ptr<world> through_;
    mutable std::mutex mutex_; // Guards everything below, and every subscription.
    std::deque<std::shared_ptr<subscription>> ready_;
    agent* agent_ = nullptr;
    bool stopping_ = false;
    bool starting_ = false;
    std::unique_ptr<started> running_;
};

}
