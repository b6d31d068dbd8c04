// SPDX-License-Identifier: Apache-2.0
#include "platform/agents.hpp"

#include <ctime>
#include <memory>
#include <vector>

#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hadr::inline v0 {

namespace {

// Of one process; until is a moment of the monotonic clock, which this kind of wait goes by.
void wait_while(const void* word, std::uint32_t is, time_point until) noexcept {
    timespec end{};
    const bool bounded = until != time_point::max();
    if (bounded)
        end = platform::length(until.time_since_epoch());
    syscall(
        SYS_futex,
        word,
        FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
        is,
        bounded ? &end : nullptr,
        nullptr,
        FUTEX_BITSET_MATCH_ANY
    );
}

void wake(const void* word) noexcept {
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
}

}

// There may be returns without a cause, such as a signal.
void agent::park(time_point until) noexcept {
    auto before = state::running;
    if (is_.compare_exchange_strong(before, state::parked))
        wait_while(&is_, static_cast<std::uint32_t>(state::parked), until);
    is_.exchange(state::running); // Whoever has woken this agent is heard.
}

void agent::unpark() noexcept {
    switch (is_.exchange(state::woken)) {
    case state::running:
    case state::woken: break;
    case state::parked: wake(&is_); break;
    case state::listening: {
        const std::lock_guard guard(mutex_);
        if (event_descriptor_ >= 0)
            static_cast<void>(eventfd_write(event_descriptor_, 1));
    }
    }
}

bool agent::listen(int event_descriptor) noexcept {
    const std::lock_guard guard(mutex_);
    auto before = state::running;
    if (!is_.compare_exchange_strong(before, state::listening)) {
        is_.exchange(state::running); // Sees what came before the unpark.
        return false;
    }
    event_descriptor_ = event_descriptor;
    return true;
}

// An unpark that is about to write finds no descriptor any more.
void agent::stop_listening() noexcept {
    const std::lock_guard guard(mutex_);
    if (is_.exchange(state::running) == state::woken) {
        eventfd_t ignored = 0;
        static_cast<void>(eventfd_read(event_descriptor_, &ignored));
    }
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
        own->begin_anew();
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
