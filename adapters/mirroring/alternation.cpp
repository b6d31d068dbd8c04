// SPDX-License-Identifier: Apache-2.0
#include "mirroring/alternation.hpp"

#include <algorithm>

namespace hadr::inline v0::mirroring {

core::connection_attempt current(const alternation& of, duration login_timeout) noexcept {
    auto made = core::nth_attempt(of.attempt, login_timeout);
    if (of.began)
        made.slice = std::min(made.slice, *of.began + login_timeout - of.due);
    return made;
}

std::size_t partner_of(const alternation& of, std::span<const std::size_t> places) noexcept {
    const auto others = places.size() - 1;
    if (of.attempt % 2 == 0 || others == 0)
        return places.front();
    const auto round = static_cast<std::size_t>(of.attempt / 2);
    return places[others - round % others];
}

alternation begun(alternation was, time_point asked) noexcept {
    was.began = was.began.value_or(asked);
    return was;
}

alternation after_failure(
    const alternation& was, std::size_t partners, duration login_timeout, time_point now
) noexcept {
    const int attempt = partners < 2 ? (was.attempt / 2 + 1) * 2 : was.attempt + 1;
    const auto next = core::nth_attempt(attempt, login_timeout);
    const auto began = was.began.value_or(now);
    const auto due = now + next.pause_before;
    if (due - began >= login_timeout)
        return {0, std::nullopt, due};
    return {attempt, began, due};
}

}
