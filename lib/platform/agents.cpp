// SPDX-License-Identifier: Apache-2.0
#include "platform/agents.hpp"

#include <ctime>
#include <memory>
#include <vector>

#include <sys/eventfd.h>
#include <unistd.h>

namespace hadr::inline v0 {

void agent::park(time_point until) noexcept {
    std::unique_lock lock(mutex_);
    if (until == time_point::max())
        changed_.wait(lock, [&] { return token_; });
    else
        changed_.wait_until(lock, until, [&] { return token_; });
    token_ = false;
}

void agent::unpark() noexcept {
    const std::lock_guard guard(mutex_);
    token_ = true;
    if (event_descriptor_ >= 0)
        static_cast<void>(eventfd_write(event_descriptor_, 1));
    else
        changed_.notify_one();
}

bool agent::listen(int event_descriptor) noexcept {
    const std::lock_guard guard(mutex_);
    if (token_) {
        token_ = false;
        return false;
    }
    event_descriptor_ = event_descriptor;
    return true;
}

void agent::stop_listening() noexcept {
    const std::lock_guard guard(mutex_);
    if (token_ && event_descriptor_ >= 0) {
        eventfd_t ignored = 0;
        static_cast<void>(eventfd_read(event_descriptor_, &ignored));
    }
    token_ = false;
    event_descriptor_ = -1;
}

}

namespace hadr::inline v0::platform {

namespace {

struct agent_store {
    std::mutex mutex; // Guards what follows.
    std::vector<agent*> free;
    std::size_t made = 0;
};

// Never destroyed: threads may end after the process has begun to.
agent_store& all_agents() {
    static auto* const all = new agent_store;
    return *all;
}

struct held_agent {
    agent* own;

    held_agent() {
        auto& all = all_agents();
        const std::lock_guard guard(all.mutex);
        if (all.free.empty()) {
            own = new agent(all.made);
            ++all.made;
            return;
        }
        own = all.free.back();
        all.free.pop_back();
    }

    held_agent(const held_agent&) = delete;

    ~held_agent() {
        auto& all = all_agents();
        const std::lock_guard guard(all.mutex);
        all.free.push_back(own);
    }
};

}

agent* current_agent() noexcept {
    // Without a destructor and at a fixed place: every hand-out reads it.
    [[gnu::tls_model("initial-exec")]] static thread_local agent* known = nullptr;
    if (known != nullptr)
        return known;
    thread_local held_agent mine;
    known = mine.own;
    return known;
}

timespec* remaining(time_point until, timespec& into) noexcept {
    if (until == time_point::max())
        return nullptr;
    into = length(until - std::chrono::steady_clock::now());
    return &into;
}

timespec length(duration of) noexcept {
    const auto left = std::max(of, duration::zero());
    if (left < std::chrono::seconds(1)) // Nearly always; a division costs more.
        return {0, static_cast<long>(left.count())};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    return {static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
}

}
