// SPDX-License-Identifier: Apache-2.0
#include "testing/stage.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace hadr::inline v0::testing {

namespace {

constexpr std::uint64_t at_once_max = 2'000'000;
constexpr duration longest_wait = std::chrono::hours(24);
constexpr std::uint64_t change_every = 24;

constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30U)) * 0xBF58'476D'1CE4'E5B9ULL;
    x = (x ^ (x >> 27U)) * 0x94D0'49BB'1331'11EBULL;
    return x ^ (x >> 31U);
}

}

void bug_in_world(const char* what) {
    std::fprintf(stderr, "manual_world: %s\n", what);
    std::abort();
}

// Mixed, since the streams of neighbours would be the same, one step apart.
seeded_chance::seeded_chance(std::uint64_t seed) noexcept
    : state_(mixed(seed + 0x632B'E59B'D9B4'E019ULL)) {}

std::uint64_t seeded_chance::operator()() noexcept {
    state_ += 0x9E37'79B9'7F4A'7C15ULL;
    return mixed(state_);
}

stage::stage(std::uint64_t seed) : chance(seed), window_(now) {
    auto body = std::make_unique<player>();
    body->serial = 1;
    body->name = "body";
    current_ = body.get();
    players_.push_back(std::move(body));
}

time_point stage::due() const noexcept {
    const auto first = heap_.empty() ? time_point::max() : heap_.front().when;
    return ready_.empty() ? std::max(first, now) : std::min(first, std::max(now, paused_until_));
}

player& stage::begin(std::string name, std::function<void()> what) {
    auto made = std::make_unique<player>();
    auto& own = *made;
    own.serial = players_.size() + 1;
    own.name = std::move(name);
    own.priority = chance();
    own.runs = std::make_unique<fiber>([this, &own, what = std::move(what)] {
        what();
        own.ended = true;
        for (const auto serial : own.joining)
            unpark(serial);
        own.joining.clear();
    });
    players_.push_back(std::move(made));
    ++living_;
    make_ready(own);
    return own;
}

player* stage::find(std::uint64_t serial) noexcept {
    return serial == 0 || serial > players_.size() ? nullptr : players_[serial - 1].get();
}

void stage::make_ready(player& one) {
    if (one.ready || !one.runs)
        return;
    one.ready = true;
    ready_.push_back(&one);
}

void stage::wake(std::uint64_t serial) noexcept {
    auto* const one = find(serial);
    if (one == nullptr || !one->parked)
        return;
    one->parked = false;
    make_ready(*one);
}

void stage::unpark(std::uint64_t serial) noexcept {
    auto* const one = find(serial);
    if (one == nullptr || one->ended)
        return;
    one->token = true;
    if (one->attentive)
        wake(serial);
}

void stage::wait(time_point until, bool attentive) {
    if (until <= now)
        return;
    auto& self = *current_;
    self.parked = true;
    self.attentive = attentive;
    self.sleep = ++sequence_;
    if (self.runs) {
        if (until != time_point::max())
            push({until, self.sleep, none, self.serial});
        self.runs->yield();
    } else {
        const auto patience = now + longest_wait;
        while (self.parked && now < until) {
            if (now >= patience)
                bug_in_world("the test's body has waited for a day");
            if (!step(until)) {
                if (until == time_point::max())
                    bug_in_world("every agent waits, and nothing would wake one: a notification is "
                                 "missing");
                now = until;
            }
        }
    }
    self.parked = false;
    self.attentive = false;
    self.sleep = 0;
}

void stage::later(time_point when, std::function<void()> what) {
    std::uint32_t place = 0;
    if (free_timers_.empty()) {
        place = static_cast<std::uint32_t>(timers_.size());
        timers_.push_back(std::move(what));
    } else {
        place = free_timers_.back();
        free_timers_.pop_back();
        timers_[place] = std::move(what);
    }
    push({when, ++sequence_, place, 0});
}

void stage::pause(duration length) {
    paused_until_ = std::max(paused_until_, now + length);
    // Something must happen at the end, so that time can get there.
    later(paused_until_, [] {});
}

void stage::note(std::uint64_t what) noexcept {
    counted.trace = mixed(counted.trace ^ what) + 0x9E37'79B9'7F4A'7C15ULL;
}

void stage::push(entry what) {
    heap_.push_back(what);
    std::push_heap(heap_.begin(), heap_.end(), later_than);
}

bool stage::stale(const entry& one) noexcept {
    if (one.timer != none)
        return false;
    const auto* const whose = find(one.serial);
    return whose == nullptr || !whose->parked || whose->sleep != one.sequence;
}

player& stage::choose() {
    std::size_t which = 0;
    switch (order) {
    case manual_world::order::random: which = chance.below(ready_.size()); break;
    case manual_world::order::priority_change:
        for (std::size_t i = 1; i < ready_.size(); ++i)
            if (ready_[i]->priority > ready_[which]->priority)
                which = i;
        if (chance.below(change_every) == 0)
            ready_[which]->priority /= 2;
        break;
    case manual_world::order::round_robin: break;
    }
    auto& chosen = *ready_[which];
    ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(which));
    chosen.ready = false;
    return chosen;
}

void stage::count_event() noexcept {
    ++counted.events;
    if (++at_once_ > at_once_max)
        bug_in_world("time stands still: agents wake one another without end");
    if (now - window_ >= std::chrono::seconds(1)) {
        window_ = now;
        in_window_ = 0;
    }
    counted.busiest_second = std::max(counted.busiest_second, ++in_window_);
}

void stage::run(player& one) {
    note(one.serial ^ static_cast<std::uint64_t>(now.time_since_epoch().count()));
    auto* const before = current_;
    current_ = &one;
    one.runs->resume();
    current_ = before;
    if (one.ended) {
        --living_;
        players_[one.serial - 1].reset();
    }
}

void stage::fire(const entry& due) {
    if (due.timer == none) {
        wake(due.serial);
        return;
    }
    note(due.sequence);
    const auto what = std::move(timers_[due.timer]);
    timers_[due.timer] = nullptr;
    free_timers_.push_back(due.timer);
    what();
}

bool stage::step(time_point limit) {
    const bool running = now >= paused_until_;
    if (running && !ready_.empty()) {
        count_event();
        run(choose());
        return true;
    }
    while (!heap_.empty() && stale(heap_.front())) {
        std::pop_heap(heap_.begin(), heap_.end(), later_than);
        heap_.pop_back();
    }
    if (heap_.empty() || heap_.front().when > limit)
        return false;
    std::pop_heap(heap_.begin(), heap_.end(), later_than);
    const auto due = heap_.back();
    heap_.pop_back();
    if (due.when > now) {
        now = due.when;
        at_once_ = 0;
    }
    count_event();
    fire(due);
    return true;
}

}
