// SPDX-License-Identifier: Apache-2.0
#include "simulation/checks.hpp"

#include "core/epoch_order.hpp"
#include "core/mark.hpp"
#include "runtime/lease_access.hpp"
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::test {

using testing::site;

namespace {

// Once the witness has named another and nothing keeps the client from hearing so, no write session
// is given on the old one for longer than this: a silence is noticed within Watch_Timeout, and the
// witness is dialled again within its backoff.
constexpr duration news_limit = 900ms;

constexpr int connects_per_second = 50; // The default.
constexpr int burst = 8;

site site_of(const endpoint& where) {
    return where.host == "one" ? site::one : where.host == "two" ? site::two : site::witness;
}

}

checks::checks(testing::manual_world& in, testing::simulated_store& on, const plan& of)
    : world_(in)
    , store_(on)
    , plan_(of)
    , view_changed_(in.now())
    , clear_since_(in.now()) {}

void checks::watch(connection_manager* store) {
    manager_ = store;
    if (!plan_.remembers)
        accepted_.reset(); // A new store of the process begins anew.
    reopened_ = reopened_ || version_ != 0;
    version_ = 0;
    view_changed_ = world_.now();
}

void checks::broke(std::string_view rule, std::string what) {
    if (broken_.size() < 20)
        broken_.push_back(fmt::format(
            "{}: {} (at {} us)",
            rule,
            what,
            std::chrono::duration_cast<std::chrono::microseconds>(
                world_.now().time_since_epoch() - 1h
            )
                .count()
        ));
}

void checks::follow_view() {
    const auto view = manager_->view();
    if (view->version == version_)
        return;
    version_ = view->version;
    view_changed_ = world_.now();
    if (!view->accepted)
        return;
    if (accepted_) {
        const auto order = core::compare(*view->accepted, *accepted_);
        const bool back = order != epoch_order::same && order != epoch_order::newer;
        if (back && rulings_ == 0)
            broke(
                "E2",
                "the accepted epoch went from " + to_string(*accepted_) + " to " +
                    to_string(*view->accepted)
            );
        if (back && rulings_ > 0)
            --rulings_;
    }
    accepted_ = view->accepted;
}

void checks::step() {
    if (manager_ != nullptr)
        follow_view();
    for (const auto where : {site::one, site::two}) {
        const auto held = store_.client_sessions(where);
        // What was lent or busy in a pool that was replaced ends beside the new one (C12), each
        // time.
        const int pools = 1 + reconfigured_ + (reopened_ ? 1 : 0);
        const auto allowed = plan_.pool_max * pools;
        if (held > allowed)
            broke("P2", fmt::format("{} sessions with {}, of {}", held, to_string(where), allowed));
    }
    if (named_ != store_.named() || !store_.reachable(site::witness)) {
        named_ = store_.named();
        clear_since_ = world_.now();
    }
}

std::size_t checks::begins(intent wanted, time_point until) {
    const auto number = ++call_count_;
    calls_[number] = {world_.self(), wanted, until, manager_->counters().stale_refused};
    return number;
}

void checks::acquired(std::size_t number, const expected<lease>& how) {
    const auto mine = calls_.at(number);
    back_by(mine.until, "acquire");
    if (how) {
        const auto* const slot = lease_access::slot_of(*how);
        if (!lent_.insert(slot).second)
            broke("P1", "a session was lent twice");
        if (mine.wanted == intent::write) {
            judge_epoch(*how);
            judge_order(number);
        }
    }
    calls_.erase(number);
}

void checks::judge_epoch(const lease& held) {
    const auto view = manager_->view();
    if (!view->accepted) {
        broke("E1", "a write session and no epoch accepted");
        return;
    }
    const auto now = store_.state(*lease_access::slot_of(held)->wire);
    // What changed at this very moment may be later than the hand-out.
    if (view_changed_ < world_.now() && view->version == version_ && now.alive &&
        (now.lineage != view->accepted->lineage || now.timeline < view->accepted->term.value_or(0)))
        broke(
            "E1",
            fmt::format(
                "a write session on {} of timeline {}, and {} is accepted",
                to_string(now.with),
                now.timeline,
                to_string(*view->accepted)
            )
        );
    judge_stale(held);
}

void checks::judge_stale(const lease& held) {
    const auto where = site_of(held.server());
    const auto clear = std::max(clear_since_, paused_until_);
    if (named_ != site::client && where != named_ && world_.now() - clear > news_limit)
        broke(
            "E1",
            fmt::format(
                "a write session on {} long after the witness named {}",
                to_string(where),
                to_string(named_)
            )
        );
}

// None who began later may come before one that still waits, with nobody about to wake it (P5).
void checks::judge_order(std::size_t number) {
    const auto stale = manager_->counters().stale_refused;
    for (const auto& [other, one] : calls_)
        if (other < number && one.wanted == intent::write && world_.parked(one.who) &&
            one.stale_before == stale)
            broke("P5", "a writer was overtaken");
}

void checks::returns(const lease& held) {
    lent_.erase(lease_access::slot_of(held));
}

void checks::back_by(time_point until, std::string_view what) {
    const auto last = std::max(until, paused_until_);
    if (world_.now() > last)
        broke(
            "P4",
            fmt::format(
                "{} came back {} us late",
                what,
                std::chrono::duration_cast<std::chrono::microseconds>(world_.now() - last).count()
            )
        );
}

void checks::wrote(const std::string& token, told outcome) {
    const auto [place, fresh] = tokens_.emplace(token, outcome);
    if (!fresh)
        broke("C4", token + " has a second outcome");
    unknown_ += outcome == told::in_doubt ? 1 : 0;
}

void checks::judge_ledger(const std::vector<std::string>& ledger) {
    std::map<std::string_view, int> there;
    for (const auto& one : ledger)
        ++there[one];
    for (const auto& [token, outcome] : tokens_) {
        const auto found = there.find(token);
        const int times = found == there.end() ? 0 : found->second;
        if (times > 1)
            broke("C5", fmt::format("{} is there {} times", token, times));
        if (outcome == told::committed && times == 0 && apart_.contains(token))
            core::mark<"acknowledged by a server promoted apart, and lost">();
        else if (outcome == told::committed && times == 0)
            broke("C1", token + " was acknowledged and is lost");
        if (outcome == told::not_committed && times != 0)
            broke("C2", token + " was reported as not committed and is there");
        if (outcome == told::in_doubt)
            times == 0 ? core::mark<"in doubt, and not there">()
                       : core::mark<"in doubt, and there">();
    }
    for (const auto& [token, times] : there)
        if (!tokens_.contains(std::string(token)))
            broke("C4", std::string(token) + " is there without an outcome");
}

// The bucket of F56 never runs dry: what began could have been granted.
void checks::judge_logins() {
    if (reconfigured_ > 0)
        return; // Each pool has a bucket of its own.
    for (const auto where : {site::one, site::two}) {
        auto full_at = time_point::min();
        for (const auto at : store_.login_times(where)) {
            const duration each = std::chrono::nanoseconds(1s) / connects_per_second;
            full_at = std::max(full_at, at) + each;
            // A worker may begin a login later than it was granted, while another one lasts.
            if (full_at - at > each * (2 * burst + plan_.pool_max))
                broke("F56", fmt::format("too many logins to {} at once", to_string(where)));
        }
    }
}

}
