// SPDX-License-Identifier: Apache-2.0
#include "mirroring/vigilance.hpp"

#include "core/mark.hpp"

#include <algorithm>

namespace hadr::inline v0::mirroring {

namespace {

using namespace std::chrono_literals;

// Rulings 14.
constexpr duration suspicion_step = 1ms;
constexpr duration suspicion_length = 1s;
// For how long a member that has answered is not suspected for a slow statement.
constexpr duration suspicion_rest = 25ms;
constexpr duration search_step_least = 2ms;
constexpr duration search_step = 20ms;
// While there is no writer the search is finer than that, a part of the time it has lasted,
// so that what it adds to an outage does not grow with it; and it costs less the longer it takes.
constexpr int search_fraction = 2000;

}

bool suspicious(const vigilance& have, time_point now) noexcept {
    return have.suspected && now - *have.suspected < suspicion_length;
}

duration pace(const vigilance& have, duration watch_interval, time_point now) {
    if (suspicious(have, now) && now >= *have.suspected)
        return suspicion_step;
    if (!have.without)
        return watch_interval;
    const auto lasts = now - *have.without;
    return std::min(
        std::clamp(lasts / search_fraction, search_step_least, search_step), watch_interval
    );
}

time_point wake_of(const vigilance& have, duration watch_interval, time_point now) {
    if (have.suspected && now < *have.suspected)
        return *have.suspected;
    if (suspicious(have, now))
        return *have.suspected + suspicion_length;
    return now + 2 * watch_interval; // An answer comes before, and moves it.
}

void doubt(vigilance& into, const member_watch& of, std::size_t index, time_point from) {
    if ((into.suspected && *into.suspected <= from) || of.trouble)
        return;
    into.suspected = from;
    into.suspect = index;
}

void take_doubt(vigilance& into, const member_watch& of, const suspected& event, time_point now) {
    const bool rests = event.why == suspected::cause::slow && of.present;
    const auto from = rests ? std::max(now, of.facts_asked + suspicion_rest) : now;
    doubt(into, of, event.member, from);
}

void suspicion_answered(vigilance& into, std::size_t by) {
    if (into.suspect != by)
        return;
    core::mark<"suspicion ends by an answer">();
    into.suspected.reset();
    into.suspect.reset();
}

void trouble_begins(vigilance& into, std::size_t of, time_point now) {
    if (into.suspected && *into.suspected <= now)
        return;
    into.suspected = now;
    into.suspect = of;
}

std::optional<time_point> end_old_suspicion(vigilance& into, time_point now) {
    if (!into.suspected || suspicious(into, now))
        return std::nullopt;
    core::mark<"suspicion ends by time">();
    const auto ended = *into.suspected + suspicion_length;
    into.suspected.reset();
    into.suspect.reset();
    return ended;
}

void ask_together(std::vector<inquiry>& all, duration apart) {
    const auto first =
        std::min_element(all.begin(), all.end(), [](const inquiry& a, const inquiry& b) {
            return a.due < b.due;
        });
    if (first == all.end())
        return;
    const auto due = first->due;
    for (auto& one : all)
        if (one.due - due <= apart)
            one.due = due;
}

}
