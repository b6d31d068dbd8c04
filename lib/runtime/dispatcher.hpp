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
    static constexpr std::size_t pending_max = 256; ///< Per listener; beyond it events coalesce.
    static constexpr int lines_per_second = 100;

    explicit dispatcher(std::shared_ptr<world> in);
    dispatcher(const dispatcher&) = delete;

    struct tally {
        std::atomic<std::uint64_t> coalesced{0};
        std::atomic<std::uint64_t> failed{0};
    };

    /// One listener; told until its owner lets go of it.
    class subscription;
    std::shared_ptr<subscription> subscribe(listener to, std::shared_ptr<tally> counted);
    /// Returns when no call of the listener is running, unless called from within it.
    void unsubscribe(const std::shared_ptr<subscription>& which);

    void tell(const std::vector<std::shared_ptr<subscription>>& whom, const event& what);
    void log(const log_sink& to, log_level level, std::string line);

    /// Delivers what is queued, then ends. False if the deadline came first.
    bool stop(time_point until);

private:
    struct line {
        log_sink to;
        log_level level = log_level::info;
        std::string text;
    };

    void wake_up();
    void turn();
    bool deliver_one();
    void call(const std::shared_ptr<subscription>& to, const event& what);
    void write(const line& what);

    const std::shared_ptr<world> through_;
    std::mutex mutex_; // Guards everything below, and every subscription.
    std::deque<std::shared_ptr<subscription>> ready_;
    std::deque<line> lines_;
    time_point second_{};
    int lines_in_second_ = 0;
    std::uint64_t lines_dropped_ = 0;
    agent* agent_ = nullptr;
    bool stopping_ = false;
    bool starting_ = false;
    std::unique_ptr<started> running_;
};

}
