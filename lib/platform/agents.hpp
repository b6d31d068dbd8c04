// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <time.h>

namespace hadr::inline v0 {

/// A thread that can wait. Never freed, only used again by a later thread, so that a late unpark()
/// reaches at worst another thread, which looks again at what it waits for.
class agent {
public:
    explicit agent(std::size_t number) noexcept : number_(number), place_(number) {}
    agent(const agent&) = delete;

    /// Where it has settled, or how many there were before it: no more than ever lived at a time,
    /// since they are used again. Only for the agent itself, as is the next.
    std::size_t place() const noexcept { return place_; }
    void settle(std::size_t place) noexcept { place_ = place; }
    /// Another thread has it now.
    void begin_anew() noexcept { place_ = number_; }

    void park(time_point until) noexcept;
    void unpark() noexcept;

    /// For descriptor_set::wait: the calling agent waits on this event descriptor instead. False if
    /// an unpark has come already, which is consumed.
    bool listen(int event_descriptor) noexcept;
    /// Ends listening and consumes an unpark that came meanwhile.
    void stop_listening() noexcept;

private:
    const std::size_t number_;
    std::size_t place_;
    /// What the kernel waits on; a statement that another thread runs pays for two of these waits.
    enum class state : std::uint32_t {
        running,
        woken, ///< An unpark that is not consumed.
        parked,
        listening,
    };

    std::atomic<state> is_{state::running};
    std::mutex mutex_; // Guards event_descriptor_.
    int event_descriptor_ = -1;
};

}

namespace hadr::inline v0::platform {

/// The agent of the calling thread, taken on its first call and given back at its end.
agent* current_agent() noexcept;

/// As a timespec for calls that take a length of time; null for never.
timespec* remaining(time_point until, timespec& into) noexcept;
/// A negative length is none.
timespec length(duration of) noexcept;

}
