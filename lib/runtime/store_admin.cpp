// SPDX-License-Identifier: Apache-2.0
#include "core/mark.hpp"
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::runtime {

namespace {

failure is_closed() {
    return make_failure(errc::closed, advice::give_up, "the connection manager is closed");
}

/// Something that another agent waits for, once.
struct settled {
    std::mutex mutex; // Guards the rest.
    bool over = false;
    agent* who = nullptr;
    expected<void> how;

    void finish(world& through, expected<void> with) {
        agent* wake = nullptr;
        {
            const std::lock_guard guard(mutex);
            if (over)
                return;
            over = true;
            how = std::move(with);
            wake = who;
        }
        through.unpark(wake);
    }

    bool wait(world& through, time_point until) {
        for (;;) {
            {
                const std::lock_guard guard(mutex);
                if (over)
                    return true;
            }
            if (through.now() >= until)
                return false;
            through.park(who, until);
        }
    }
};

}

std::shared_ptr<dispatcher::subscription> store::subscribe(listener to) {
    auto made = shared_->events->subscribe(std::move(to), tally_);
    const std::lock_guard guard(listeners_mutex_);
    listeners_.push_back(made);
    return made;
}

void store::unsubscribe(const std::shared_ptr<dispatcher::subscription>& which) {
    if (!alive())
        return;
    {
        const std::lock_guard guard(listeners_mutex_);
        std::erase(listeners_, which);
    }
    const auto now = through().now();
    shared_->events->unsubscribe(which, now + current()->spec->close_timeout);
}

std::vector<std::shared_ptr<dispatcher::subscription>> store::listeners() const {
    const std::lock_guard guard(listeners_mutex_);
    return listeners_;
}

void store::silence(time_point until) {
    auto all = listeners();
    if (log_)
        all.push_back(log_);
    for (const auto& one : all)
        shared_->events->unsubscribe(one, until);
}

void store::warn(const std::vector<std::string>& warnings) {
    for (const auto& one : warnings)
        shared_->events->log(log_, log_level::warning, spec_->name + ": " + one);
}

metrics store::counted() const {
    metrics made;
    made.acquired = count_.acquired_elsewhere.load();
    made.logins_abandoned = count_.logins_abandoned.load();
    made.acquire_waited = count_.acquire_waited.load();
    made.acquire_failed = count_.acquire_failed.load();
    made.sessions_opened = count_.sessions_opened.load();
    made.sessions_closed = count_.sessions_closed.load();
    made.logins_failed = count_.logins_failed.load();
    made.probes = count_.probes.load();
    made.probes_failed = count_.probes_failed.load();
    made.pushes = count_.pushes.load();
    made.failovers = count_.failovers.load();
    made.sessions_severed = count_.severed.load();
    made.stale_refused = count_.stale_refused.load();
    made.resets = count_.resets.load();
    made.outcomes_unknown = count_.outcomes_unknown.load();
    made.events = count_.events.load();
    made.events_coalesced = tally_->coalesced.load();
    made.listener_failures = tally_->failed.load();
    made.log_lines_dropped = tally_->lines_dropped.load();
    made.leases_leaked = count_.leaked.load();
    made.waiters_now = waiting();
    made.logins_stuck_now = shared_->stuck();
    const auto now = current();
    for (const auto* pools : {&now->pools, &now->replaced})
        for (auto* pool : *pools)
            for (const auto& one : pool->slots()) {
                const auto state = one.state.load();
                const bool idle = state == slot_state::idle;
                const bool lent = state == slot_state::lent;
                const bool stamped = one.acceptance.load() != 0 || one.reading.load() != 0;
                // A replaced pool's are among acquired_elsewhere.
                made.acquired +=
                    pools == &now->pools ? one.ticket.load(std::memory_order_relaxed) : 0U;
                made.sessions_now += idle || lent ? 1U : 0U;
                made.sessions_lent_now += lent ? 1U : 0U;
                made.sessions_warm_now += idle && !stamped ? 1U : 0U;
            }
    return made;
}

expected<operation_plan> store::consider(const operation& wanted) const {
    const auto now = current();
    auto made = now->by->consider(now->known, wanted, shared_->through->now());
    if (made)
        made->topology_version = now->view->version;
    return made;
}

expected<void> store::operate(const operation_plan& what, deadline until) {
    if (!alive())
        return in_a_child();
    const auto now = current();
    if (now->view->version != what.topology_version)
        return make_failure(
            errc::rejected_by_server,
            advice::retry,
            "the store has changed since the plan was made; plan again"
        );
    const auto end = until.resolve(through().now(), now->spec->statement_timeout);
    for (const auto& step : what.steps) {
        auto waits = std::make_shared<settled>();
        waits->who = through().self();
        const bool posted =
            shared_->on->post([self = shared_from_this(), wanted = what.wanted, step, end, waits] {
                self->carry_out(wanted, step, end, [self, waits](expected<void> how) {
                    waits->finish(self->through(), std::move(how));
                });
            });
        if (!posted)
            return is_closed();
        if (!waits->wait(through(), end))
            return make_failure(
                errc::outcome_unknown,
                advice::verify,
                fmt::format("no answer in time to: {}", step.why)
            );
        if (!waits->how) {
            core::mark<"engine refused an operation">();
            return waits->how;
        }
    }
    return {};
}

// C37: judged again after the login, during which a silent primary may have come back.
expected<void>
store::still_due(const operation& wanted, const operation_step& step, const endpoint& at) const {
    if (closing_.load())
        return is_closed();
    const auto again = adapter_->consider(belief_, wanted, shared_->on->now());
    if (!again)
        return again.error();
    const bool here = step.where == operation_step::place::witness ||
                      (step.member < pools_.size() && pools_[step.member]->at == at);
    const bool same =
        here &&
        std::any_of(again->steps.begin(), again->steps.end(), [&](const operation_step& one) {
            return one.where == step.where && one.member == step.member && one.text == step.text;
        });
    if (same)
        return {};
    return make_failure(
        errc::rejected_by_server,
        advice::retry,
        "the store has changed since the plan was made; plan again"
    );
}

void store::carry_out(
    const operation& wanted,
    const operation_step& step,
    time_point until,
    std::function<void(expected<void>)> then
) {
    const bool on_witness = step.where == operation_step::place::witness;
    if (closing_.load() ||
        (on_witness ? !spec_->witness.has_value() : step.member >= pools_.size())) {
        then(make_failure(
            errc::configuration_invalid, advice::give_up, "no such server: " + step.why
        ));
        return;
    }
    const target to{
        on_witness ? spec_->witness->at : pools_[step.member]->at,
        {},
        on_witness ? spec_->witness->with : spec_->with,
        on_witness ? purpose::witness : purpose::watch,
        on_witness ? std::string() : std::string(adapter_->waits_in().database)};
    tell({.what = event_kind::advice, .cause = "an operator asked: " + step.why});
    dial::begin(
        {*shared_->on, shared_->by, driver_, shared_->own_calls},
        to,
        until,
        [self = shared_from_this(), wanted, step, at = to.at, until, then = std::move(then)](
            expected<std::unique_ptr<session>> how
        ) {
            if (!how) {
                core::mark<"no session for an operation">();
                then(how.error());
                return;
            }
            const auto due = self->still_due(wanted, step, at);
            if (!due) {
                dispose(self->shared_->by, std::move(*how));
                then(due);
                return;
            }
            auto wire = std::make_shared<std::unique_ptr<session>>(std::move(*how));
            auto& on = **wire;
            self->shared_->on->run(
                on,
                {step.text, statement_kind::text, until},
                [self, wire, then](expected<void> ended, answer&) {
                    dispose(self->shared_->by, std::move(*wire));
                    then(std::move(ended));
                }
            );
        }
    );
}

expected<void> store::rule(const endpoint& which, ruled::verdict what) {
    if (!alive())
        return in_a_child();
    const auto now = current();
    const auto& members = now->view->members;
    const auto found = std::find_if(members.begin(), members.end(), [&](const member& one) {
        return one.at == which;
    });
    if (found == members.end())
        return make_failure(
            errc::configuration_invalid,
            advice::give_up,
            fmt::format("{} is no member of this store", to_string(which))
        );
    const auto index = static_cast<std::size_t>(found - members.begin());
    const bool posted = shared_->on->post([self = shared_from_this(), index, what] {
        core::mark<"operator ruled">();
        // Its name may lead elsewhere by now: who was ruled for would be seen there for ever (F10).
        if (what == ruled::verdict::accept_lineage && index < self->pools_.size())
            self->pools_[index]->ruled_for = true;
        self->happened(ruled{what, index});
    });
    return posted ? expected<void>() : is_closed();
}

expected<void> store::reconfigure(
    std::shared_ptr<const store_specification> spec,
    std::shared_ptr<const ha_adapter> by,
    std::shared_ptr<driver> through_driver
) {
    if (!alive())
        return in_a_child();
    const bool posted = shared_->on->post(
        [self = shared_from_this(), spec = std::move(spec), by = std::move(by), through_driver] {
            if (self->closing_.load())
                return;
            // The highest epoch outlives the change (E2); everything else is learned anew.
            const auto kept = self->belief_.is.accepted;
            const auto version = self->belief_.is.version;
            self->tear_down();
            self->spec_ = spec;
            self->adapter_ = by;
            self->driver_ = through_driver;
            self->belief_ = by->begin();
            self->belief_.is.version = version + 1;
            if (kept) {
                core::mark<"epoch outlives a reconfigure">();
                self->belief_ =
                    by->apply(self->belief_, remembered{*kept, {}}, self->shared_->on->now());
            }
            self->tell({.what = event_kind::reconfigured});
            self->start();
        }
    );
    return posted ? expected<void>() : is_closed();
}

// Lets go of all servers; leases that are out live on until they are returned (C12).
void store::tear_down() {
    writer_pool_.store(nullptr);
    acceptance_.store(0);
    routed_.reset();
    shared_->on->cancel(wake_);
    shared_->on->cancel(upkeep_);
    for (auto& pool : pools_) {
        pool->retired = true;
        pool->reign = routed_epoch_;
        pool->reading.store((pool->reading.load() / 2 + 1) * 2);
        pool->watched_by->unsubscribe(pool->subscription);
        shared_->watching.released(pool->watched_by);
        for (auto& one : pool->slots()) {
            count_.acquired_elsewhere.fetch_add(one.ticket.load(), std::memory_order_relaxed);
            if (one.dialing) {
                core::mark<"login abandoned by a teardown">();
                one.dialing->abandon();
                one.dialing.reset();
                one.state.store(slot_state::empty);
            }
            auto idle = slot_state::idle;
            if (one.state.compare_exchange_strong(idle, slot_state::busy))
                retire(one);
        }
        const std::lock_guard guard(end_mutex_);
        retired_.push_back(std::move(pool));
    }
    pools_.clear();
    if (witness_) {
        witness_->unsubscribe(witness_subscription_);
        shared_->watching.released(witness_);
        witness_.reset();
    }
}

expected<void> store::drain(deadline until) {
    if (!alive())
        return in_a_child();
    const auto end = until.resolve(through().now(), current()->spec->close_timeout);
    draining_.store(true);
    ahead_.fetch_or(refusing_flag);
    fail_waiters(
        make_failure(errc::closed, advice::give_up, "the connection manager is draining"), false
    );
    for (;;) {
        const auto out = counted().sessions_lent_now;
        if (out == 0)
            break;
        const auto now = through().now();
        if (now >= end)
            return make_failure(
                errc::deadline_exceeded, advice::retry, fmt::format("{} leases are still out", out)
            );
        through().park(through().self(), std::min(end, now + std::chrono::milliseconds(10)));
    }
    close(deadline::at(end));
    return {};
}

// P10, F43: a child has none of the agents that would have to end.
std::size_t store::close(deadline until) {
    if (!alive())
        return 0;
    const auto end = until.resolve(through().now(), current()->spec->close_timeout);
    const bool first = !closing_.exchange(true);
    ahead_.fetch_or(refusing_flag);
    fail_waiters(is_closed(), false);
    auto waits = std::make_shared<settled>();
    waits->who = through().self();
    if (shared_->on->post([self = shared_from_this(), waits] {
            self->close_down();
            waits->finish(self->through(), {});
        }))
        waits->wait(through(), end);
    // A listener that closes is told the rest when it is back.
    if (!shared_->events->here()) {
        for (const auto& one : listeners())
            shared_->events->finish(one, end);
        if (log_)
            shared_->events->finish(log_, end);
    }
    if (!first)
        return shared_->stuck();
    const auto left = runtime_is_shared_ ? leave_shared_runtime(shared_, end) : 0;
    return std::max(left, shared_->stuck());
}

// Idempotent. What is lent stays valid; the last lease to come back lets the store go.
void store::close_down() {
    if (!torn_down_) {
        torn_down_ = true;
        tear_down();
        if (sweep_)
            shared_->remove_sweep(*sweep_);
        sweep_.reset();
        publish(belief_.is);
        tell({.what = event_kind::closed});
    }
    int out = 0;
    for (const auto& pool : retired_)
        out += pool->count(slot_state::lent) + pool->count(slot_state::busy);
    const std::lock_guard guard(end_mutex_);
    if (out != 0) {
        core::mark<"closed while leases are out">();
        self_ = shared_from_this();
    } else
        self_.reset();
}

}
