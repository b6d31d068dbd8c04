// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace hadr::inline v0 {

using duration = std::chrono::steady_clock::duration;

/// Monotonic: wall-clock time takes part in no decision (T1).
using time_point = std::chrono::steady_clock::time_point;

/// When a call must be back. Resolved once, by the manager's own clock, at the moment the call
/// first has to wait, so that a call which need not wait reads no clock (rulings 5). Immutable.
class deadline {
public:
    /// The store's default for the call: Acquire_Timeout or Statement_Timeout.
    constexpr deadline() noexcept = default;

    /// A length of time from the moment the call first waits. Zero or less is already past.
    static constexpr deadline in(duration length) noexcept { return {kind::in, length}; }

    /// A moment of the manager's clock.
    static constexpr deadline at(time_point when) noexcept {
        return {kind::at, when.time_since_epoch()};
    }

    /// No end. Never the default: an endless wait must be asked for by name (C50).
    static constexpr deadline never() noexcept { return {kind::at, duration::max()}; }

    /// True if neither in, at nor never was chosen.
    constexpr bool defaulted() const noexcept { return kind_ == kind::unset; }

    /// True if a moment was named, at or never, not a length of time.
    constexpr bool fixed() const noexcept { return kind_ == kind::at; }

    /// The length meant, where no moment was named, of a call whose default length is otherwise.
    constexpr duration length(duration otherwise) const noexcept {
        return kind_ == kind::unset ? otherwise : span_;
    }

    /// The moment meant by a call that first waits at now and whose default length is otherwise.
    constexpr time_point resolve(time_point now, duration otherwise) const noexcept {
        switch (kind_) {
        case kind::unset: return later(now, otherwise);
        case kind::in: return later(now, span_);
        case kind::at: return time_point(span_);
        }
        return now;
    }

private:
    enum class kind : unsigned char {
        unset,
        in,
        at,
    };

    constexpr deadline(kind what, duration span) noexcept : span_(span), kind_(what) {}

    static constexpr time_point later(time_point now, duration by) noexcept {
        return by > time_point::max() - now ? time_point::max() : now + by;
    }

    duration span_{};
    kind kind_ = kind::unset;
};

}
