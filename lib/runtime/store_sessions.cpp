// SPDX-License-Identifier: Apache-2.0
#include "core/backoff.hpp"
#include "core/mark.hpp"
#include "core/pool_size.hpp"
#include "core/selection.hpp"
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::inline v0::runtime {

namespace {

// How many logins to one server may be under way for a store; more only queue in the server.
constexpr int opening_max = 8;
constexpr int burst = 8;
constexpr duration doubt_max = std::chrono::seconds(1);
constexpr core::backoff_rule open_backoff{
    std::chrono::milliseconds(10), std::chrono::milliseconds(1000)};

bool refused_credentials(const failure& why) noexcept {
    return why.next == advice::give_up;
}

// Rulings 14; but a login to a server that is silent would be silent too.
bool in_doubt(const server_pool& pool, const member& one, time_point now) noexcept {
    const bool silent = one.trouble && one.trouble->code == errc::deadline_exceeded;
    return pool.doubted && (silent || now - *pool.doubted < doubt_max);
}

}

void store::upkeep(time_point now) {
    if (closing_.load() || pools_.empty())
        return;
    std::vector<int> writes(pools_.size());
    std::vector<int> reads(pools_.size());
    {
        const std::lock_guard guard(wait_mutex_);
        for (const auto* one = waiters_.first(); one != nullptr; one = one->after) {
            if (one->wanted.intent == intent::write) {
                if (routed_)
                    ++writes[*routed_];
                continue;
            }
            std::array<std::size_t, 1> best;
            const core::read_rules rules{
                one->wanted.lag_bytes_max ? one->wanted.lag_bytes_max : spec_->lag_limit_bytes,
                one->wanted.primary_fallback};
            if (core::readers(belief_.is, rules, best) != 0 && best[0] < reads.size())
                ++reads[best[0]];
        }
    }
    shared_->on->cancel(upkeep_);
    upkeep_ = {};
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        // One that hung up in the hands of a taker was put back, and nobody looks at it any more.
        for (auto& one : pools_[i]->slots())
            if (one.hung_up.load())
                revoke_idle(one);
        upkeep(*pools_[i], writes[i], reads[i], now);
    }
}

void store::upkeep(server_pool& pool, int writes, int reads, time_point now) {
    const auto& one = belief_.is.members[pool.member];
    if (pool.blocked() || one.refused || one.offline || in_doubt(pool, one, now))
        return;
    const bool writer = routed_ == pool.member;
    const bool standby = !writer && one.plays == role::standby && !one.trouble;
    if (!writer && !standby)
        return;
    const int empty = pool.count(slot_state::empty);
    const int opening = pool.count(slot_state::opening) + pool.count(slot_state::busy);
    const int total = static_cast<int>(pool.slots().size());
    const int room = std::max(spec_->pool_max - replaced_sessions(pool.at), 0);
    int wanted = 0;
    auto use = writer ? session_use::write : session_use::read;
    if (writer) {
        wanted = core::sessions_to_open(
            {total - empty - opening, opening, pool.lendable(acceptance_.load()), writes + reads},
            {spec_->pool_min, room}
        );
    } else {
        const int warm = pool.count(slot_state::idle, session_use::warm) +
                         pool.count(slot_state::busy, session_use::warm) +
                         pool.count(slot_state::opening, session_use::warm);
        const int idle =
            pool.count(slot_state::idle) - pool.count(slot_state::idle, session_use::warm);
        wanted = core::sessions_to_open({total - empty - opening, opening, idle, reads}, {0, room});
        if (wanted == 0 && warm < spec_->warm) {
            use = session_use::warm;
            core::mark<"warm session wanted on a standby">();
            wanted = std::min(spec_->warm - warm, room - (total - empty));
        }
    }
    for (; wanted > 0 && pool.count(slot_state::opening) < opening_max; --wanted)
        if (!open(pool, use, now))
            return;
}

// One timer for all pools, at the earliest time that one of them waits for (T3).
void store::upkeep_at(time_point when) {
    const bool waits = upkeep_ != reactor::timer();
    if (waits && upkeep_.first <= when)
        return;
    shared_->on->cancel(upkeep_);
    upkeep_ = shared_->on->at(when, [self = weak_from_this()] {
        if (const auto here = self.lock())
            here->upkeep(here->shared_->on->now());
    });
}

bool store::open(server_pool& pool, session_use use, time_point now) {
    if (now < pool.not_before) {
        core::mark<"login waits for its backoff">();
        upkeep_at(pool.not_before);
        return false;
    }
    const auto permit = core::take(pool.connects, {spec_->connects_per_second, burst}, now);
    pool.connects = permit.after;
    if (!permit.granted) {
        core::mark<"login waits for the storm limit">();
        upkeep_at(permit.try_again);
        return false;
    }
    auto* const into = pool.empty_slot();
    if (into == nullptr)
        return false;
    into->state.store(slot_state::opening);
    into->use = use;
    into->generation = pool.generation;
    into->through = driver_;
    into->dialing = dial::begin(
        {*shared_->on, shared_->by, driver_, shared_->lent_calls},
        target_of(pool, use),
        now + spec_->connect_timeout,
        [self = shared_from_this(), into, generation = pool.generation, now](
            expected<std::unique_ptr<session>> how
        ) { self->opened(*into, generation, now, std::move(how)); }
    );
    return true;
}

void store::opened(
    slot& into, std::uint64_t generation, time_point asked, expected<std::unique_ptr<session>> how
) {
    auto& pool = *into.home;
    if (into.dialing)
        count_.logins_abandoned.fetch_add(
            static_cast<std::uint64_t>(into.dialing->given_up()), std::memory_order_relaxed
        );
    into.dialing.reset();
    if (!how) {
        open_failed(into, asked, how.error());
        return;
    }
    count_.sessions_opened.fetch_add(1, std::memory_order_relaxed);
    pool.took_a_login = true;
    unblock(pool);
    pool.watched_by->unblock();
    into.wire = *std::move(how);
    into.state.store(slot_state::busy);
    into.dirty = false;
    into.in_transaction = false;
    into.broken = false;
    into.hung_up.store(false);
    into.acceptance.store(0);
    into.kept.store(0);
    into.reading.store(0);
    into.born = shared_->on->now();
    // Spread over 10 %, so that sessions opened together do not end together.
    const auto jitter = static_cast<duration::rep>(through().random() % 1000);
    into.retires = into.born + spec_->lifetime - spec_->lifetime / 10'000 * jitter;
    if (closing_.load() || pool.retired || generation != pool.generation) {
        core::mark<"half-made session of an old generation">();
        retire(into); // F23: half-made sessions of an old generation never become idle.
    } else
        prove(into);
}

void store::open_failed(slot& into, time_point asked, const failure& why) {
    auto& pool = *into.home;
    into.state.store(slot_state::empty);
    count_.logins_failed.fetch_add(1, std::memory_order_relaxed);
    if (closing_.load() || pool.retired)
        return;
    core::mark<"login failed">();
    ++pool.failures;
    pool.login_failed = why;
    pool.not_before =
        shared_->on->now() + core::delay(open_backoff, pool.failures, through().random());
    if (refused_credentials(why)) {
        core::mark<"credentials refused to a session">();
        block(pool, why);
    }
    happened(reported{pool.member, asked, shared_->on->next_sequence(), why});
}

// F26: nothing but the pool's own logins ends. Its sessions serve on (rulings 20), and its watcher
// asks on, for stores with another database as well.
void store::block(server_pool& pool, const failure& why) {
    unblock(pool);
    pool.refused_login = why;
    pool.unblock =
        shared_->on->at(shared_->on->now() + watcher::block_time, [kept = weak_from_this(), &pool] {
            if (const auto here = kept.lock()) {
                pool.refused_login.reset();
                here->upkeep(here->shared_->on->now());
            }
        });
}

void store::unblock(server_pool& pool) noexcept {
    shared_->on->cancel(pool.unblock);
    pool.refused_login.reset();
}

void store::prove(slot& which) {
    const auto asked = shared_->on->now();
    const auto sequence = shared_->on->next_sequence();
    shared_->on->run(
        *which.wire,
        proof_of(which, asked + spec_->watch_timeout),
        [self = shared_from_this(), one = &which, asked, sequence](
            const expected<void>& how, answer& what
        ) {
            answered with{
                {subject::kind::member, one->home->member},
                asked,
                sequence,
                self->shared_->on->now(),
                failure{}};
            if (how)
                with.what = std::move(what);
            else
                with.what = how.error();
            self->proved(*one, with);
        }
    );
}

void store::proved(slot& which, const answered& with) {
    auto& pool = *which.home;
    if (closing_.load() || pool.retired) {
        core::mark<"session proved after its pool was retired">();
        retire(which);
        after_retirement();
        return;
    }
    const auto* proof = std::get_if<answer>(&with.what);
    if (proof == nullptr) {
        happened(reported{pool.member, with.asked, with.sequence, with.what});
        core::mark<"session lost before it was proved">();
        retire(which);
        return;
    }
    const auto standing = adapter_->judge(belief_, pool.member, *proof);
    if (standing.may_write && routed_ == pool.member && routed_epoch_) {
        core::mark<"session gets the epoch of the writer">();
        // E5: the epoch it gets now is its own for life.
        which.acceptance.store(acceptance_.load());
        which.reading.store(0);
        which.use = session_use::write;
    } else if (stays(which, standing)) {
        core::mark<"session stays warm or reads">();
        which.reading.store(which.use == session_use::read ? pool.reading.load() : 0);
    } else if (with.sequence < routed_since_) {
        core::mark<"session asked before the writer was known">();
        prove(which);
        return;
    } else {
        misfit(which);
        return;
    }
    pool.failures = 0;
    if (std::exchange(pool.login_failed, std::nullopt))
        publish(belief_.is);
    which.generation = pool.generation;
    if (which.use == session_use::read)
        restrain(which);
    else if (!mark_reign(which))
        make_idle(which);
}

// A session speaks for itself alone: its login may have led to another server than its member's
// watcher sees (F10, F20). The watcher is asked, and no login begins before it has answered.
void store::misfit(slot& which) {
    core::mark<"session does not fit what is believed by now">();
    auto& pool = *which.home;
    const auto now = shared_->on->now();
    ++pool.failures;
    pool.not_before = now + core::delay(open_backoff, pool.failures, through().random());
    retire(which);
    happened(suspected{pool.member, now});
    demand();
}

// Rulings 11: the first write session of a reign marks it before it is lent. One that cannot is
// given up, since its statement may still wait for a mirror; the next one then serves without.
bool store::mark_reign(slot& which) {
    const auto number = which.acceptance.load();
    if (number == 0 || number == marked_)
        return false;
    auto mark = adapter_->mark(belief_, through().random());
    if (!mark)
        return false;
    marked_ = number;
    shared_->on->run(
        *which.wire,
        {std::move(mark->text), statement_kind::text, shared_->on->now() + spec_->watch_timeout},
        [self = shared_from_this(),
         one = &which,
         hint = std::move(mark->if_refused)](const expected<void>& how, answer&) {
            const bool fit = one->wire->usable() && !self->closing_.load() && !one->home->retired &&
                             self->current_stamp(*one);
            if (!how && !self->closing_.load())
                self->tell(
                    {.what = event_kind::advice,
                     .cause = fmt::format("{}: {}", hint, to_string(how.error())),
                     .member = one->home->member}
                );
            if (fit) {
                self->make_idle(*one);
                return;
            }
            self->retire(*one);
            self->after_retirement();
        }
    );
    return true;
}

void store::make_idle(slot& which) {
    which.idle_since = shared_->on->now();
    const auto idle = which.wire->waits_for();
    if (idle.descriptor >= 0) {
        which.watched = idle.descriptor;
        shared_->on->watch(idle.descriptor, readiness::hangup, which);
    }
    which.state.store(slot_state::idle);
    if (waiting() != 0)
        serve();
}

void store::hung_up(slot& which) {
    // Level-triggered, so it is forgotten at once; a lent session's owner notices by himself.
    shared_->on->forget(which.watched);
    which.watched = -1;
    which.hung_up.store(true);
    core::mark<"idle session hung up">();
    auto idle = slot_state::idle;
    const auto member = which.home->member;
    const bool mine = which.state.compare_exchange_strong(idle, slot_state::busy);
    const bool retired = which.home->retired;
    if (mine)
        retire(which);
    if (!retired && !closing_.load())
        happened(suspected{member, shared_->on->now()});
}

// Precondition: busy.
void store::retire(slot& which) {
    if (which.watched >= 0)
        shared_->on->forget(which.watched);
    which.watched = -1;
    which.acceptance.store(0);
    which.kept.store(0);
    which.reading.store(0);
    dispose(shared_->by, std::move(which.wire));
    which.wire.reset();
    count_.sessions_closed.fetch_add(1, std::memory_order_relaxed);
    which.state.store(slot_state::empty);
}

void store::returned(slot& which) {
    auto& pool = *which.home;
    const bool stale = closing_.load() || pool.retired || !current_stamp(which);
    if (stale || which.broken || which.hung_up.load() || !which.wire->usable()) {
        core::mark<"returned session is beyond use">();
        retire(which);
        after_retirement();
        return;
    }
    count_.resets.fetch_add(1, std::memory_order_relaxed);
    shared_->on->run(
        *which.wire,
        {{}, statement_kind::reset, shared_->on->now() + spec_->watch_timeout},
        [self = shared_from_this(), one = &which](const expected<void>& how, answer&) {
            const bool fit = how && !self->closing_.load() && !one->home->retired &&
                             self->current_stamp(*one) && !one->hung_up.load() &&
                             one->wire->transaction() == transaction_status::idle;
            one->dirty = false;
            one->in_transaction = false;
            if (fit) {
                core::mark<"session reset for its next owner">();
                self->reset_done(*one);
                return;
            }
            core::mark<"session could not be reset">();
            self->retire(*one);
            self->after_retirement();
        }
    );
}

void store::after_retirement() {
    if (closing_.load())
        close_down();
    else
        upkeep(shared_->on->now());
}

bool store::revoke_idle(slot& which) {
    auto idle = slot_state::idle;
    const bool mine = which.state.compare_exchange_strong(idle, slot_state::busy);
    if (mine)
        retire(which);
    return mine;
}

void store::revoke(slot& which) {
    if (!revoke_idle(which) && which.state.load() == slot_state::lent) {
        core::mark<"lent session of a lost reign cut">();
        sever_held(which);
    }
}

void store::sweep(time_point now) {
    if (closing_.load())
        return;
    announce_stall(now);
    for (const auto& pool : pools_)
        for (auto& one : pool->slots())
            sweep(*pool, one, now);
    sweep_replaced(now);
    upkeep(now);
}

void store::watch_lease(const server_pool& pool, slot& which, time_point now) {
    const auto ticket = which.ticket.load();
    if (ticket != which.seen_ticket) {
        which.seen_ticket = ticket;
        which.lent_since = now;
        which.leak_told = false;
        return;
    }
    if (which.leak_told || now - which.lent_since < spec_->lease_limit)
        return;
    which.leak_told = true;
    count_.leaked.fetch_add(1, std::memory_order_relaxed);
    tell(
        {.what = event_kind::lease_leaked,
         .cause = fmt::format(
             "a lease on {} has been out for {} s",
             to_string(pool.at),
             std::chrono::duration_cast<std::chrono::seconds>(now - which.lent_since).count()
         ),
         .member = pool.retired ? member_at(pool.at) : pool.member,
         .generation = pool.generation}
    );
}

void store::sweep(server_pool& pool, slot& which, time_point now) {
    const auto state = which.state.load();
    if (state == slot_state::lent) {
        watch_lease(pool, which, now);
        return;
    }
    if (state != slot_state::idle)
        return;
    const auto ticket = which.ticket.load();
    if (ticket != which.seen_ticket) {
        which.seen_ticket = ticket; // Lent since the last sweep: not idle all along.
        which.idle_since = now;
    }
    const bool warm = which.use == session_use::warm;
    // What may not write on the writer only takes a place there.
    const bool stale = routed_ == pool.member ? which.reign() != acceptance_.load()
                                              : !warm && !current_stamp(which);
    const bool old = now >= which.retires || which.hung_up.load();
    const bool unused =
        !warm && now - which.idle_since >= spec_->idle_limit &&
        pool.count(slot_state::idle) + pool.count(slot_state::lent) > spec_->pool_min;
    auto idle = slot_state::idle;
    if ((stale || old || unused) && which.state.compare_exchange_strong(idle, slot_state::busy))
        retire(which);
}

}
