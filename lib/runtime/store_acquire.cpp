// SPDX-License-Identifier: Apache-2.0
#include "core/mark.hpp"
#include "core/schedule_point.hpp"
#include "core/selection.hpp"
#include "runtime/blocking.hpp"
#include "runtime/hand_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::inline v0::runtime {

namespace {

constexpr std::size_t members_max = 64;

}

[[gnu::noinline]] failure in_a_child() {
    return make_failure(
        errc::closed,
        advice::give_up,
        "this process is the child of a fork: only exec() gives it stores of its own"
    );
}

slot* store::take(const request& wanted, std::size_t place) noexcept {
    if (wanted.intent == intent::read)
        return take_read(wanted, place, search::ready);
    return take_write(place);
}

slot* store::take_write(std::size_t place) noexcept {
    if (refusing())
        return nullptr;
    auto* const pool = writer_pool_.load();
    return pool == nullptr ? nullptr : pool->take_for_write(acceptance_, place);
}

slot* store::take_any(const request& wanted) noexcept {
    if (auto* const one = take(wanted, 0))
        return one;
    if (wanted.intent == intent::read)
        return take_read(wanted, 0, search::all);
    if (refusing())
        return nullptr;
    auto* const pool = writer_pool_.load();
    return pool == nullptr ? nullptr : pool->take_restrained(acceptance_);
}

slot* store::take_read(const request& wanted, std::size_t place, search which) noexcept {
    if (refusing())
        return nullptr;
    const auto now = current();
    std::array<std::size_t, members_max> order;
    const auto count = core::readers(
        *now->view,
        {wanted.lag_bytes_max ? wanted.lag_bytes_max : now->spec->lag_limit_bytes,
         wanted.primary_fallback},
        order
    );
    for (std::size_t i = 0; i < count; ++i) {
        if (order[i] >= now->pools.size())
            continue;
        auto* const pool = now->pools[order[i]];
        auto* one = pool->take_for_read(place);
        if (one == nullptr && which == search::all && pool == writer_pool_.load())
            one = pool->take_for_write(acceptance_, place);
        if (one != nullptr)
            return one;
    }
    return nullptr;
}

// Another agent has what is at its place, or nobody has a session there.
[[gnu::noinline]] expected<lease> store::acquire_elsewhere(const request& wanted) {
    auto* const pool = writer_pool_.load(std::memory_order_acquire);
    auto* const taken = pool == nullptr ? nullptr : pool->take_for_write(acceptance_, 0);
    if (taken == nullptr)
        return acquire_at_length(wanted);
    world_.settle(pool->place_of(*taken));
    return lease_access::make(taken);
}

[[gnu::noinline]] expected<lease> store::acquire_at_length(const request& wanted) {
    if (!alive())
        return in_a_child();
    if (!wanted.intent) {
        auto named = wanted;
        named.intent =
            reads_by_default_.load(std::memory_order_relaxed) ? intent::read : intent::write;
        return acquire_at_length(named);
    }
    slot* taken = nullptr;
    if (waiting() == 0)
        if (const auto [at, place] = world_.look(); fresh(at))
            taken = take(wanted, place);
    if (taken == nullptr) {
        core::mark<"acquire has to wait">();
        auto waited = wait_for_one(wanted);
        if (!waited) {
            count_.acquire_failed.fetch_add(1, std::memory_order_relaxed);
            return waited.error();
        }
        taken = *waited;
    }
    if (wanted.hold)
        limit(*taken, *wanted.hold);
    return lease_access::make(taken);
}

// One timer for each place, whoever holds it: the former lease's has nothing left to cut.
void store::limit(slot& held, duration length) {
    const auto until = through().now() + length;
    shared_->on->post([self = shared_from_this(), one = &held, ticket = held.ticket.load(), until] {
        auto& home = *self->shared_->on;
        home.cancel(one->hold);
        one->hold = home.at(until, [self, one, ticket] {
            if (one->ticket.load() == ticket && one->state.load() == slot_state::lent)
                self->sever_held(*one);
        });
    });
}

expected<slot*> store::wait_for_one(const request& wanted) {
    auto& through = *shared_->through;
    const auto until = wanted.until.resolve(through.now(), current()->spec->acquire_timeout);
    count_.acquire_waited.fetch_add(1, std::memory_order_relaxed);
    for (bool again = false;; again = true) {
        reclaim();
        if (auto refusal = refused_at_once(wanted))
            return *std::move(refusal);
        waiter self{wanted, through.self()};
        core::schedule_point();
        if (auto refusal = stand_in_line(self, again))
            return *std::move(refusal);
        const std::stop_callback stopped(wanted.stop, [&] { through.unpark(self.who); });
        serve();
        if (wanted.intent == intent::read || !full())
            demand();
        for (;;) {
            const bool stop = wanted.stop.stop_requested();
            const bool late = through.now() >= until;
            {
                const std::lock_guard guard(wait_mutex_);
                if (self.answered())
                    break;
                if (late || stop) {
                    core::mark<"deadline passed or stopped while waiting">();
                    waiters_.erase(self);
                    ahead_.fetch_sub(1);
                    break;
                }
            }
            through.park(self.who, until);
        }
        if (self.given != nullptr) {
            auto proven = turn(*self.given, *wanted.intent, until);
            if (proven)
                proven = check_stale(*self.given, wanted, until);
            if (proven) {
                core::mark<"session handed to a waiter">();
                return self.given;
            }
            core::mark<"stale view and the session failed its proof">();
            give_back(*self.given);
            if (through.now() < until && !wanted.stop.stop_requested())
                continue;
        }
        if (self.failed)
            return *std::move(self.failed);
        if (wanted.stop.stop_requested())
            return make_failure(errc::stopped, advice::retry, "stopped by the caller's stop token");
        return none_in_time(wanted);
    }
}

// One whose session proved unfit goes before those who came later (P5).
std::optional<failure> store::stand_in_line(waiter& one, bool again) {
    {
        const std::lock_guard guard(wait_mutex_);
        if (!again && waiters_.size() >= static_cast<std::size_t>(current()->spec->waiters_max))
            return make_failure(
                errc::deadline_exceeded,
                advice::retry,
                fmt::format("{} callers wait already (Waiters_Max)", waiters_.size())
            );
        again ? waiters_.push_first(one) : waiters_.push(one);
        ahead_.fetch_add(1);
    }
    // F55: whoever failed those in line did not see this one if it came in between.
    if (auto refusal = refused_at_once(one.wanted))
        fail(one, *std::move(refusal));
    return std::nullopt;
}

std::optional<failure> store::refused_at_once(const request& wanted) const {
    if (closing_.load())
        return make_failure(errc::closed, advice::give_up, "the connection manager is closed");
    if (draining_.load())
        return make_failure(errc::closed, advice::give_up, "the connection manager is draining");
    const auto now = current();
    const auto open = std::find(now->blocked.begin(), now->blocked.end(), std::nullopt);
    if (!now->blocked.empty() && open == now->blocked.end())
        return now->blocked.front();
    if (wanted.intent != intent::write)
        return std::nullopt;
    if (now->view->level == service_level::resiliency)
        return make_failure(
            errc::read_only_degraded,
            advice::retry,
            fmt::format(
                "writes are refused: {}; reads go on, and writes return by themselves",
                now->view->cause.empty() ? "there is no primary" : now->view->cause
            )
        );
    const auto writer = now->view->writer;
    if (writer && *writer < now->blocked.size())
        return now->blocked[*writer];
    return std::nullopt;
}

// F46, T4: while the view is older than it may be, the session itself is asked before it is lent.
expected<void> store::check_stale(slot& held, const request& wanted, time_point until) {
    if (fresh(through().coarse_now()))
        return {};
    if (through().now() >= until)
        return make_failure(
            errc::deadline_exceeded,
            advice::retry,
            "the view is too old to go by, and no time is left to ask the session itself"
        );
    const auto now = current();
    core::mark<"hand-out while the view is older than it may be">();
    answer proof;
    attention with(through(), deadline::at(until), {});
    const auto asked = run_blocking(*held.wire, {now->by->proof()}, proof, with);
    held.broken = held.broken || !held.wire->usable();
    if (!asked)
        return asked;
    const auto standing = now->by->judge(now->known, held.home->member, proof);
    const bool fit = wanted.intent == intent::write ? standing.may_write : standing.may_read;
    if (fit && current_stamp(held))
        return {};
    held.broken = true;
    count_.stale_refused.fetch_add(1, std::memory_order_relaxed);
    return standing.refused.value_or(make_failure(
        errc::wrong_role,
        advice::retry,
        fmt::format("{} no longer serves this", to_string(held.home->at))
    ));
}

// Hands idle sessions to those who wait, in order; each intent has its own order, since a read need
// not wait for the primary.
void store::serve() {
    for (;;) {
        std::array<agent*, 32> wake;
        std::size_t count = 0;
        {
            const std::lock_guard guard(wait_mutex_);
            const core::holding_still still;
            bool writes = true;
            for (auto* one = waiters_.first(); one != nullptr && count < wake.size();) {
                auto* const next = one->after;
                const bool write = one->wanted.intent == intent::write;
                if (!write || writes) {
                    if (auto* const taken = take_any(one->wanted)) {
                        core::mark<"waiter served in order">();
                        one->given = taken;
                        waiters_.erase(*one);
                        ahead_.fetch_sub(1);
                        wake[count++] = one->who;
                    } else if (write) {
                        core::mark<"next writer in the order must wait">();
                        writes = false;
                    }
                }
                one = next;
            }
        }
        for (std::size_t i = 0; i < count; ++i)
            through().unpark(wake[i]);
        reclaim();
        if (count < wake.size())
            return;
    }
}

void store::fail(waiter& one, failure why) {
    const std::lock_guard guard(wait_mutex_);
    if (one.answered())
        return;
    one.failed = std::move(why);
    waiters_.erase(one);
    ahead_.fetch_sub(1);
}

void store::fail_waiters(const failure& why, bool writes_only) {
    for (;;) {
        std::array<agent*, 32> wake;
        std::size_t count = 0;
        {
            const std::lock_guard guard(wait_mutex_);
            for (auto* one = waiters_.first(); one != nullptr && count < wake.size();) {
                auto* const next = one->after;
                if (!writes_only || one->wanted.intent == intent::write) {
                    core::mark<"waiters failed at once">();
                    one->failed = why;
                    waiters_.erase(*one);
                    ahead_.fetch_sub(1);
                    wake[count++] = one->who;
                }
                one = next;
            }
        }
        for (std::size_t i = 0; i < count; ++i)
            through().unpark(wake[i]);
        if (count < wake.size())
            return;
    }
}

bool store::full() const noexcept {
    const auto* pool = writer_pool_.load();
    return pool != nullptr && pool->full();
}

// Asks for more sessions, once for all who ask meanwhile.
void store::demand() {
    if (demanded_.exchange(true))
        return;
    shared_->on->post([self = weak_from_this()] {
        if (const auto here = self.lock()) {
            here->demanded_.store(false);
            here->upkeep(here->through().now());
        }
    });
}

[[gnu::noinline]] void store::give_back_unfit(slot& held) noexcept {
    if (!alive()) {
        held.wire->abandon();
        return;
    }
    core::mark<"dirty, stale or broken session returned">();
    held.state.store(slot_state::busy);
    end_returned(held);
}

void store::end_returned(slot& held) {
    auto* const which = &held;
    if (!shared_->on->post([self = shared_from_this(), which] { self->returned(*which); }))
        late_return(held);
}

[[gnu::noinline]] void store::pass_on(slot& returned) noexcept {
    // P8: a close in between found it lent and counts on its return.
    if (closing_.load())
        returned_to_closed(returned);
    else if (waiting() != 0)
        serve();
}

void store::returned_to_closed(slot& held) {
    auto idle = slot_state::idle;
    if (held.state.compare_exchange_strong(idle, slot_state::busy))
        end_returned(held);
}

[[gnu::noinline]] void store::refuse(slot& unfit) noexcept {
    if (!current_stamp(unfit))
        count_.stale_refused.fetch_add(1, std::memory_order_relaxed);
    set_aside(unfit);
}

void store::set_aside(slot& unfit) noexcept {
    unfit.state.store(slot_state::busy);
    unfit.aside = aside_.load();
    while (!aside_.compare_exchange_weak(unfit.aside, &unfit)) {
    }
}

void store::reclaim() {
    if (aside_.load() == nullptr)
        return;
    for (auto* one = aside_.exchange(nullptr); one != nullptr;)
        end_returned(*std::exchange(one, one->aside));
}

// The runtime has ended: the last lease to come back also lets go of the store.
void store::late_return(slot& held) {
    core::mark<"lease returned after the runtime had ended">();
    auto old = std::move(held.wire);
    old->sever();
    old.reset();
    held.state.store(slot_state::empty);
    std::shared_ptr<store> last;
    const std::lock_guard guard(end_mutex_);
    int out = 0;
    for (const auto* pools : {&pools_, &retired_})
        for (const auto& pool : *pools)
            out += pool->count(slot_state::lent) + pool->count(slot_state::busy);
    if (out == 0)
        last = std::move(self_);
}

void store::sever_held(slot& held) noexcept {
    if (!alive())
        return; // P10: the socket is the parent's.
    core::mark<"lent session severed">();
    held.wire->sever();
    count_.severed.fetch_add(1, std::memory_order_relaxed);
}

}
