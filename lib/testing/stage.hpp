// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "testing/fiber.hpp"

#include <hadr/testing/manual_world.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hadr::inline v0::testing {

/// Chance from a seed: splitmix64, one word of state.
class seeded_chance {
public:
    explicit seeded_chance(std::uint64_t seed) noexcept;

    std::uint64_t operator()() noexcept;
    std::uint64_t below(std::uint64_t limit) noexcept { return (*this)() % limit; }

private:
    std::uint64_t state_;
};

/// An agent; the test's own body is one without a fiber.
struct player {
    std::uint64_t serial = 0;
    std::string name;
    std::unique_ptr<fiber> runs;
    bool parked = false;
    bool token = false;     ///< An unpark() not consumed yet.
    bool attentive = false; ///< While parked: unpark() wakes it.
    bool ended = false;
    bool ready = false; ///< In the ready list.
    std::uint64_t sleep = 0;
    std::uint64_t priority = 0;
    std::vector<std::uint64_t> joining;
};

/// Runs agents and timers one at a time: whoever can go on, in the order drawn, and time moves only
/// when nobody can.
class stage {
public:
    explicit stage(std::uint64_t seed);

    /// One agent runs until it waits, or one timer fires. False if nothing can happen up to the
    /// limit.
    bool step(time_point limit);

    /// When step() would do something next, or earlier.
    time_point due() const noexcept;

    player& begin(std::string name, std::function<void()> what);
    player* find(std::uint64_t serial) noexcept;
    /// The current agent waits: until unparked if attentive, until woken by wake() in any case.
    void wait(time_point until, bool attentive);
    void wake(std::uint64_t serial) noexcept;
    void unpark(std::uint64_t serial) noexcept;

    void later(time_point when, std::function<void()> what);
    void pause(duration length);
    void note(std::uint64_t what) noexcept;

    player& current() noexcept { return *current_; }
    std::size_t agents() const noexcept { return living_; }

    time_point now{std::chrono::hours(1)};
    seeded_chance chance;
    manual_world::order order = manual_world::order::random;
    manual_world::tally counted;

private:
    /// A timer, or the end of an agent's sleep; the earliest is on top of the heap.
    struct entry {
        time_point when;
        std::uint64_t sequence = 0;
        std::uint32_t timer = 0; ///< Into timers_, or none.
        std::uint64_t serial = 0;
    };
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    static bool later_than(const entry& a, const entry& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
    }

    void push(entry what);
    bool stale(const entry& one) noexcept;
    player& choose();
    void run(player& one);
    void fire(const entry& due);
    void make_ready(player& one);
    void count_event() noexcept;

    std::vector<std::unique_ptr<player>> players_; // By serial - 1.
    std::vector<player*> ready_;
    std::vector<entry> heap_;
    std::vector<std::function<void()>> timers_;
    std::vector<std::uint32_t> free_timers_;
    std::uint64_t sequence_ = 0;
    std::size_t living_ = 0;
    player* current_;
    time_point paused_until_ = time_point::min();
    time_point window_;
    std::uint64_t in_window_ = 0;
    std::uint64_t at_once_ = 0;
};

[[noreturn]] void bug_in_world(const char* what);

}
