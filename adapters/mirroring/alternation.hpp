// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/connection_schedule.hpp"

#include <hadr/time.hpp>

#include <optional>
#include <span>

namespace hadr::inline v0::mirroring {

/// Where a pair of which nothing is known stands in the published schedule (C44, C45).
struct alternation {
    int attempt = 0;
    std::optional<time_point> began; ///< The first attempt of this login time-out.
    time_point due{};                ///< When the attempt may begin.

    friend bool operator==(const alternation&, const alternation&) = default;
};

/// The last attempt of a login time-out has what remains of it.
core::connection_attempt current(const alternation& of, duration login_timeout) noexcept;

/// Of the places, the one that the attempt is for: the first one, and in between the others, the
/// one learned last first, since the engine's word replaces a configured name (C43).
std::size_t partner_of(const alternation& of, std::span<const std::size_t> places) noexcept;

/// Its attempt has been asked: the first one begins the login time-out.
alternation begun(alternation was, time_point asked) noexcept;

/// After an attempt, begun before, that failed at one of so many partners. Once the next pause
/// would pass the login time-out it begins anew, as the next connect would (C50). Who is alone
/// makes a round: a second attempt at once would only repeat the first.
alternation after_failure(
    const alternation& was, std::size_t partners, duration login_timeout, time_point now
) noexcept;

}
