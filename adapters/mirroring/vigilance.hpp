// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/epoch.hpp>
#include <hadr/error.hpp>
#include <hadr/ha_adapter.hpp>
#include <hadr/time.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace hadr::inline v0::mirroring {

/// What is kept of a member of any engine. Evidence is ordered by its sequence, which grows with
/// asking.
struct member_watch {
    std::uint64_t sequence = 0;
    time_point asked = time_point::min();
    time_point facts_asked{};
    std::optional<failure> trouble;
    bool answered_once = false;
    bool present = false; ///< Its last question brought an answer.
    bool offline = false;
    bool dropped = false;          ///< Learned, and the engine lists it no more: left alone.
    std::optional<epoch> outruled; ///< Claimed when an operator ruled for another member (F14).
};

/// How closely a pair is watched (rulings 14).
struct vigilance {
    std::optional<time_point> suspected;
    std::optional<std::size_t> suspect; ///< Whose answer ends the suspicion.
    std::optional<time_point> without;  ///< Since when no writer has been known, or a troubled one.
};

/// Whether a suspicion has not yet lasted its time.
bool suspicious(const vigilance& have, time_point now) noexcept;

/// The gap between two questions to a member.
duration pace(const vigilance& have, duration watch_interval, time_point now);

/// When a pair is to be looked at if nothing happens before.
time_point wake_of(const vigilance& have, duration watch_interval, time_point now);

/// Once for a member, until its watcher has heard of it again.
void doubt(vigilance& into, const member_watch& of, std::size_t index, time_point from);

/// A slow query is no fault: a member that has just answered is left in peace for a while.
void take_doubt(vigilance& into, const member_watch& of, const suspected& event, time_point now);

void suspicion_answered(vigilance& into, std::size_t by);
void trouble_begins(vigilance& into, std::size_t of, time_point now);
/// When it ended, if it does.
std::optional<time_point> end_old_suspicion(vigilance& into, time_point now);

/// What falls due at about the same time is asked at once: to wake up costs more than to ask.
void ask_together(std::vector<inquiry>& all, duration apart);

}
