// SPDX-License-Identifier: Apache-2.0
#include "simulation/checks.hpp"

#include "core/epoch_order.hpp"
#include "core/mark.hpp"
#include "runtime/lease_access.hpp"
#include "runtime/store.hpp"
#include "simulation/marks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::test {

using testing::site;

namespace {

// As connection_string_of() says.
constexpr duration watch_interval = 100ms;
constexpr duration watch_timeout = 200ms;
constexpr duration connect_timeout = 500ms;
constexpr duration preemptions = 8ms; // Of those who bring the news.

// Once the witness has named another and nothing keeps the client from hearing so, no write session
// is given on the old one for longer than this: a question or a login without an answer ends, the
// witness is dialled again after a pause that is no longer than its absence, asked, and answers.
duration news_limit(const testing::simulated_store::settings& engine, duration absence) {
    const auto silence = absence == duration::zero() ? absence : watch_timeout;
    return silence + std::min(absence, runtime::watcher::reconnect_most) + engine.login_time +
           watch_interval + engine.answer_time + 8 * engine.link_delay + preemptions;
}

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
    , clear_since_(in.now())
    , pool_max_(of.pool_max) {}

void checks::watch(connection_manager* store) {
    manager_ = store;
    if (!plan_.remembers)
        accepted_.reset(); // A new store of the process begins anew.
    if (version_ != 0)
        replaced(pool_max_);
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
    judge_sessions_held();
    if (store_.counted().commits_cancelled != 0)
        broke("C6", "a commit under way was cancelled, and became a local one");
    follow_witness();
}

void checks::follow_witness() {
    const auto now = world_.now();
    const auto teller = plan_.mirrored() ? store_.named() : site::witness; // C9
    const bool deaf = witness_unnamed_ || !store_.reachable(teller) || now < paused_until_;
    if (deaf) {
        if (!deaf_since_)
            deaf_since_ = now;
        clear_since_ = now;
    } else if (heard()) {
        deaf_since_.reset();
    }
    if (named_ == store_.named())
        return;
    named_ = store_.named();
    clear_since_ = now;
}

void checks::cut_off() {
    deaf_since_ = deaf_since_.value_or(world_.now());
    clear_since_ = world_.now();
}

void checks::reconfigured(int pool_max) {
    reconfigured_ = true;
    replaced(pool_max);
}

void checks::replaced(int pool_max) {
    draining_.push_back({pool_max_, world_.now()});
    pool_max_ = pool_max;
}

void checks::judge_sessions_held() {
    // The last lease ends by its deadline, the last login by its own; then what it opened is
    // closed.
    const auto longest = plan_.patience + connect_timeout + watch_timeout + 100ms;
    int allowed = pool_max_;
    for (const auto& one : draining_)
        if (world_.now() <= std::max(one.since, paused_until_) + longest)
            allowed += one.sessions;
    for (const auto where : {site::one, site::two}) {
        const auto held = store_.client_sessions(where);
        if (held > allowed)
            broke("P2", fmt::format("{} sessions with {}, of {}", held, to_string(where), allowed));
    }
}

bool checks::inside_call() const {
    return committing_ > 0 || !calls_.empty() ||
           (manager_ != nullptr && manager_->counters().waiters_now > 0);
}

std::size_t checks::begins(intent wanted, time_point until) {
    const auto number = ++call_count_;
    const auto counted = manager_->counters();
    call mine{
        manager_, world_.self(), wanted, until, counted.stale_refused, counted.acquire_waited, {}};
    for (const auto& [other, one] : calls_)
        if (one.wanted == intent::write && world_.parked(one.who))
            mine.ahead.push_back(other);
    calls_[number] = std::move(mine);
    return number;
}

void checks::acquired(std::size_t number, const expected<lease>& how) {
    const auto mine = std::move(calls_.at(number));
    calls_.erase(number);
    back_by(mine.until, "acquire");
    if (!how)
        return;
    if (!lent_.insert(lease_access::slot_of(*how)).second)
        broke("P1", "a session was lent twice");
    judge_session(mine, *how);
    if (mine.wanted == intent::write) {
        judge_epoch(*how);
        judge_order(mine);
    }
}

// As it leaves the library: nobody else has run since, unless its caller waited.
void checks::judge_session(const call& mine, const lease& held) {
    const auto& slot = *lease_access::slot_of(held);
    const auto is = store_.state(*slot.wire);
    if (is.alive && !is.clean)
        broke("P6", "a session was given with a transaction or a setting of another's");
    const bool at_once = manager_ == mine.of && mine.of != nullptr &&
                         manager_->counters().acquire_waited == mine.waited_before;
    if (mine.wanted == intent::write && at_once && !slot.home->of.current_stamp(slot))
        broke("E1", "a session was given whose reign had ended");
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

// The client has had the time to hear what the witness says now, and so much more.
bool checks::heard(duration longer) const noexcept {
    const auto absence = deaf_since_ ? clear_since_ - *deaf_since_ : duration::zero();
    return named_ != site::client &&
           world_.now() - clear_since_ > news_limit(plan_.engine, absence) + longer;
}

void checks::judge_stale(const lease& held) {
    if (!heard())
        return;
    core::mark<"write session given while the witness could be heard">();
    const auto where = site_of(held.server());
    if (where != named_)
        broke(
            "E1",
            fmt::format(
                "a write session on {} and {} us that the witness could be heard naming {}",
                to_string(where),
                (world_.now() - clear_since_) / std::chrono::microseconds(1),
                to_string(named_)
            )
        );
}

void checks::forced(site at) {
    const auto there = store_.ledger(at);
    const auto lost = store_.ledger(at == site::one ? site::two : site::one);
    for (const auto& one : lost)
        if (std::find(there.begin(), there.end(), one) == there.end())
            apart_.insert(one);
}

void checks::passes(testing::commit_step at, site where, const std::string& token) {
    if (plan_.mirrored() && at == testing::commit_step::logged) {
        const auto elsewhere = store_.state(where == site::one ? site::two : site::one);
        if (!elsewhere.in_recovery && elsewhere.timeline > store_.state(where).timeline &&
            (where == named_ || !heard(plan_.patience)))
            apart_.insert(token);
    }
    if (at != testing::commit_step::logged || !store_.state(where).apart)
        return;
    if (where == named_ || !heard(plan_.patience))
        apart_.insert(token);
}

// None may come before one that waited when it came, and still does with nobody about to wake it.
void checks::judge_order(const call& mine) {
    const auto stale = manager_->counters().stale_refused;
    for (const auto other : mine.ahead) {
        const auto found = calls_.find(other);
        if (found != calls_.end() && world_.parked(found->second.who) &&
            found->second.stale_before == stale)
            broke("P5", "a writer was overtaken");
    }
}

void checks::returns(const lease& held) {
    lent_.erase(lease_access::slot_of(held));
}

void checks::back_by(time_point until, std::string_view what) {
    const auto last = std::max({until, paused_until_, preempted_until(world_.self())});
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

std::size_t checks::unknown() const noexcept {
    return static_cast<std::size_t>(std::count_if(
        tokens_.begin(), tokens_.end(), [](const auto& one) { return one.second == told::in_doubt; }
    ));
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
        if (outcome == told::committed && times == 0 && apart_.contains(token)) {
            core::mark<"acknowledged by a server promoted apart, and lost">();
            ++lost_apart_;
        } else if (outcome == told::committed && times == 0)
            broke("C1", token + " was acknowledged and is lost");
        if (outcome == told::not_committed && times != 0)
            broke("C2", token + " was reported as not committed and is there");
        if (outcome == told::in_doubt)
            times == 0 ? core::mark<"in doubt, and not there">()
                       : core::mark<"in doubt, and there">();
    }
    for (const auto& token : store_.local_commits())
        if (tokens_.contains(token) && tokens_.at(token) == told::committed)
            broke("C4", token + " was committed locally alone, and reported as if replicated");
    for (const auto& [token, times] : there)
        if (!tokens_.contains(std::string(token)))
            broke("C4", std::string(token) + " is there without an outcome");
}

// The bucket of F56 never runs dry: what began could have been granted.
void checks::judge_logins() {
    if (reconfigured_)
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
