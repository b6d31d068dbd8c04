// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/expected.hpp>
#include <hadr/time.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0 {

/// A thread, or a fiber of a simulation: whatever can wait. Compared by address only.
class agent;

/// What is waited for on a descriptor, or what happened there. Combined with |.
enum class readiness : unsigned {
    none = 0,
    readable = 1,
    writable = 2,
    hangup = 4, ///< The peer closed or reset, or sever() was called. Always reported.
};

constexpr readiness operator|(readiness a, readiness b) noexcept {
    return static_cast<readiness>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

constexpr bool has(readiness all, readiness one) noexcept {
    return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}

/// Many descriptors under one waiting agent. Not thread-safe, but for the kernel's own events.
class HADR_EXPORT descriptor_set {
public:
    struct event {
        std::uint64_t token = 0;
        readiness what = readiness::none;
    };

    virtual ~descriptor_set() = default;

    /// Replaces what is watched on the descriptor; readiness::hangup alone is allowed.
    virtual void watch(int descriptor, readiness wanted, std::uint64_t token) = 0;
    virtual void forget(int descriptor) noexcept = 0;

    /// Waits until a descriptor is ready, the calling agent is unparked, or the moment is reached.
    /// Returns the number of events written.
    virtual std::size_t wait(std::span<event> into, time_point until) = 0;
};

/// An agent that was started. Destroying it without join() leaves the agent running on its own.
class HADR_EXPORT started {
public:
    virtual ~started() = default;

    /// True once the agent has ended; false if the moment came first.
    virtual bool join(time_point until) = 0;
};

/// The only way from the library to the world (rulings 1): time, waiting, agents, names, chance,
/// files, environment. Production has the real one, a simulation its own on virtual time.
/// No function is called while a lock is held or inside an exception handler. Thread-safe.
class HADR_EXPORT world {
public:
    virtual ~world() = default;

    virtual time_point now() const noexcept = 0;
    /// As now(), cheaper, and up to 10 ms late.
    virtual time_point coarse_now() const noexcept = 0;

    virtual agent* self() noexcept = 0;

    /// coarse_now(), and where a hand-out to the calling agent begins its search: what it has
    /// settled for, or a number that no other agent has at the time, as small as the world can make
    /// it. One call, since every hand-out asks both.
    struct glance {
        time_point at;
        std::size_t place = 0;
    };
    virtual glance look() noexcept = 0;
    /// The calling agent found something there, and looks there first from now on. A world may take
    /// no notice.
    virtual void settle(std::size_t /*place*/) noexcept {}

    /// Waits until unparked or the moment. An unpark() that came before is consumed at once, so
    /// none is lost; there may be returns without a cause. Only for the calling agent.
    virtual void park(agent* self, time_point until) noexcept = 0;
    virtual void unpark(agent* other) noexcept = 0;

    /// Waits on one descriptor; readiness::none at the moment. Does not consume unpark().
    virtual readiness wait(int descriptor, readiness wanted, time_point until) noexcept = 0;
    /// As wait(), for a length of time at most, from which what has passed is taken off; true if
    /// anything happened, be it a signal. Reads no clock where the world can do without.
    virtual bool wait_for(int descriptor, readiness wanted, duration& left) noexcept;
    /// Throws std::system_error if there is none to be had (F48).
    virtual std::unique_ptr<descriptor_set> descriptors() = 0;

    /// Starts an agent. Errors: unreachable (no thread to be had; F48).
    virtual expected<std::unique_ptr<started>>
    spawn(std::string_view name, std::function<void()> body) = 0;

    /// Gives the numeric addresses of a host, in the resolver's order, at most 64. The completion
    /// runs once, on an agent of the world's, at the latest at the deadline, also while other names
    /// hang (F9). A numeric host is its own answer.
    using addresses = expected<std::vector<std::string>>;
    virtual void
    resolve(std::string host, time_point until, std::function<void(addresses)> completion) = 0;

    virtual std::uint64_t random() noexcept = 0;

    /// A whole file of at most 1 MiB. Errors: configuration_invalid; native is ENOENT where there
    /// is none.
    virtual expected<std::string> load(const std::string& path) = 0;
    /// Replaces a file as a whole: a reader, or a crash, sees the old or the new one.
    virtual expected<void> save(const std::string& path, std::string_view bytes) = 0;
    virtual expected<std::string> environment(const std::string& name) = 0;

    /// "program:pid" or the like, for the default application_name.
    virtual std::string process_name() const = 0;

    /// Holds 1, and 0 in the child of a fork (F43). Valid as long as the world.
    virtual const std::atomic<std::uint32_t>& alive() const noexcept = 0;
};

/// The real world of this process. Never destroyed.
HADR_EXPORT std::shared_ptr<world> real_world();

}
