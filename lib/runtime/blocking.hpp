// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <algorithm>
#include <cstddef>

namespace hadr::inline v0::runtime {

/// How old a statement may grow before its member is suspected (rulings 14).
constexpr duration suspicion_age = std::chrono::milliseconds(25);

/// Called once when a statement grows older than suspicion_age; a plain pointer, since a query pays
/// for it.
struct slow_call {
    void (*call)(void* self, std::size_t member) = nullptr;
    void* self = nullptr;
    std::size_t member = 0;
};

/// Waits until the deadline, and calls once for help when the statement grows old. The default
/// length is for a deadline that is not said. Where a length of time was given, an answer that
/// comes in one piece and in time costs no reading of the clock.
class attention final : public patience {
public:
    attention(world& through, deadline until, duration otherwise, slow_call slow = {}) noexcept
        : through_(through)
        , until_(until)
        , otherwise_(otherwise)
        , slow_(slow) {}

    bool over() const noexcept { return over_; }

    // The first wait is nearly always the only one, and itself says how long it took.
    bool wait(const waiting& what) noexcept override {
        if (waited_ || what.descriptor < 0 || until_.fixed())
            return wait_on(what);
        waited_ = true;
        const auto all = std::max(until_.length(otherwise_), duration::zero());
        const auto most = slow_.call == nullptr ? all : std::min(all, suspicion_age);
        auto rest = most;
        through_.wait_for(what.descriptor, what.wanted, rest);
        spent_ = most - rest;
        return true;
    }

private:
    bool wait_on(const waiting& what) noexcept;

    world& through_;
    const deadline until_;
    const duration otherwise_;
    slow_call slow_;
    duration spent_{};
    time_point begun_;
    time_point end_;
    bool waited_ = false;
    bool dated_ = false;
    bool over_ = false;
};

/// What became of a statement whose patience was over.
expected<void> late(const expected<void>& how);

/// Runs one statement on the calling agent; at the deadline the session is cut.
inline expected<void>
run_blocking(session& on, const statement& what, answer& into, attention&& with) {
    auto how = on.run(what, into, with);
    if (with.over())
        return late(how);
    return how;
}

}
