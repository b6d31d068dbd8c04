// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <algorithm>
#include <cstddef>

namespace hadr::inline v0::runtime {

/// How old a statement may grow before its member is suspected (rulings 14). A failover of a silent
/// primary cannot be followed faster than this; what it costs with slow queries is bounded by the
/// adapter, which leaves a member that answers in peace.
constexpr duration suspicion_age = std::chrono::milliseconds(10);

/// Called once when a statement grows older than suspicion_age; a plain pointer, since a query pays
/// for it.
struct slow_call {
    void (*call)(void* self) = nullptr;
    void* self = nullptr;
};

/// Waits until the deadline, and calls once for help when the statement grows old. The default
/// length is for a deadline that is not said. Where a length of time was given, an answer that
/// comes in one piece and in time costs no reading of the clock.
class attention final : public patience {
public:
    attention(world& through, deadline until, duration otherwise, slow_call slow = {}) noexcept
        : patience(through, first(until, otherwise))
        , until_(until)
        , otherwise_(otherwise)
        , slow_(slow) {}

    /// Surely not past, without a look at the clock.
    bool ample() const noexcept { return first_ > duration::zero(); }
    bool over() const noexcept { return is_ == stage::over; }

    duration longest() const noexcept override;

private:
    enum class stage : unsigned char {
        fresh, ///< Or it has waited once, and nobody has looked at a clock.
        dated,
        over,
    };

    static duration first(deadline until, duration otherwise) noexcept {
        return until.fixed() ? duration(-1) : std::min(until.length(otherwise), suspicion_age);
    }

    bool wait_on(waiting what) noexcept override;

    const deadline until_;
    const duration otherwise_;
    slow_call slow_;
    stage is_ = stage::fresh;
    bool waited_ = false;
    time_point begun_{}; ///< Known once dated, as is the end.
    time_point end_{};
};

/// What became of a statement whose patience was over.
expected<void> late(const expected<void>& how);

/// Runs one statement on the calling agent; at the deadline the session is cut.
[[gnu::always_inline]] inline expected<void>
run_blocking(session& on, const statement& what, answer& into, attention& with) {
    auto how = on.run(what, into, with);
    if (with.over())
        return late(how);
    return how;
}

}
