// SPDX-License-Identifier: Apache-2.0
#include "core/mark.hpp"
#include "core/schedule_point.hpp"
#include "runtime/state_file.hpp"
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace hadr::inline v0::runtime {

namespace {

// A busy loop is impossible whatever an adapter asks for (T3).
constexpr duration gap_min = std::chrono::milliseconds(1);

// What others may act on; seen and lag change with every answer.
bool same_but_for_freshness(topology a, const topology& b) {
    a.version = b.version;
    if (a.members.size() != b.members.size())
        return false;
    for (std::size_t i = 0; i < a.members.size(); ++i) {
        a.members[i].seen = b.members[i].seen;
        a.members[i].lag = b.members[i].lag;
        a.members[i].lag_bytes = b.members[i].lag_bytes;
    }
    return a == b;
}

}

store::store(parts from)
    : shared_(std::move(from.shared))
    , runtime_is_shared_(from.runtime_is_shared)
    , tally_(std::make_shared<dispatcher::tally>())
    , log_(from.log ? shared_->events->subscribe(std::move(from.log), tally_) : nullptr)
    , world_(*shared_->through)
    , alive_(world_.alive())
    , state_(std::make_shared<state_keeper>(
          shared_->through,
          [events = std::weak_ptr(shared_->events), log = log_](const failure& why) {
              if (const auto to = events.lock())
                  to->log(log, log_level::error, "State_File cannot be written: " + to_string(why));
          }
      ))
    , driver_(std::move(from.through))
    , adapter_(std::move(from.by))
    , spec_(std::move(from.spec))
    , belief_(adapter_->begin()) {
    statement_timeout_.store(spec_->statement_timeout);
    reads_by_default_.store(spec_->read_intent);
    kind_.store(spec_->kind);
    if (from.on_event)
        listeners_.push_back(shared_->events->subscribe(std::move(from.on_event), tally_));
    auto first = std::make_shared<snapshot>();
    first->view = std::make_shared<const topology>(belief_.is);
    first->known = belief_;
    first->by = adapter_;
    first->spec = spec_;
    published_ = std::move(first);
}

store::~store() = default;

expected<void> store::begin() {
    if (shared_->on->post([self = shared_from_this()] { self->start(); }))
        return {};
    auto why =
        make_failure(errc::unreachable, advice::retry, "no thread to watch the store with (F48)");
    why.native = local_cause;
    return why;
}

std::shared_ptr<const snapshot> store::current() const {
    const std::lock_guard guard(publish_mutex_);
    return published_;
}

void store::start() {
    if (closing_.load())
        return;
    const auto starting = ++starts_;
    if (spec_->state_file.empty() || spec_->state_file == recalled_from_) {
        set_up();
        return;
    }
    // E1 across restarts: nothing is asked before what was known is known again (rulings 12).
    const auto job =
        [self = shared_from_this(), starting, path = spec_->state_file](const workers::ticket&) {
            auto text = self->through().load(path);
            self->shared_->on->post([self, starting, path, text = std::move(text)] {
                if (self->closing_.load() || starting != self->starts_)
                    return;
                self->recalled_from_ = path;
                self->recall(text);
                self->set_up();
            });
        };
    if (shared_->by.run(job, true))
        return;
    shared_->on->at(
        shared_->on->now() + state_keeper::retry_time,
        [self = weak_from_this(), starting] {
            if (const auto here = self.lock(); here && starting == here->starts_)
                here->start();
        }
    );
}

void store::recall(const expected<std::string>& text) {
    if (!text && text.error().native == ENOENT)
        return;
    const auto found = text ? read_state(*text) : std::nullopt;
    if (!found)
        tell(
            {.what = event_kind::advice,
             .cause = fmt::format(
                 "State_File={} {}: the highest epoch accepted is forgotten, and nothing is taken "
                 "on its own word alone until a primary is proven",
                 recalled_from_,
                 text ? "is damaged" : "cannot be read: " + to_string(text.error())
             )}
        );
    else
        core::mark<"highest epoch remembered from a former process">();
    belief_ = adapter_->apply(belief_, found.value_or(remembered{}), shared_->on->now());
}

void store::set_up() {
    if (closing_.load())
        return;
    statement_timeout_.store(spec_->statement_timeout);
    reads_by_default_.store(spec_->read_intent);
    kind_.store(spec_->kind);
    resumable_.reset(); // An index of the former members.
    told_members_.clear();
    add_pools();
    if (spec_->witness) {
        const auto& witness = *spec_->witness;
        const dial::place at{*shared_->on, shared_->by, driver_, shared_->own_calls};
        witness_ = shared_->watching.of(at, witness.at, witness.with, purpose::witness);
        witness_subscription_ = witness_->subscribe(
            {{subject::kind::witness, 0},
             witness.with,
             [self = weak_from_this()](const event_seen& what) {
                 if (const auto here = self.lock())
                     here->happened(what);
             }}
        );
    }
    if (!sweep_)
        sweep_ = shared_->add_sweep([self = weak_from_this()](time_point now) {
            if (const auto here = self.lock())
                here->sweep(now);
        });
    tell({.what = event_kind::opened, .cause = "watching"});
    settle(belief_, shared_->on->now());
}

// One for each member that has none: those of the specification, and partners as they are learned.
void store::add_pools() {
    const auto& members = belief_.is.members;
    const dial::place at{*shared_->on, shared_->by, driver_, shared_->own_calls};
    for (auto i = pools_.size(); i < members.size(); ++i) {
        auto pool = make_pool(i);
        pool->with = spec_->with;
        pool->watched_by = shared_->watching.of(at, members[i].at, spec_->with, purpose::watch);
        pool->subscription = pool->watched_by->subscribe(
            {{subject::kind::member, i},
             spec_->with,
             [self = weak_from_this()](const event_seen& what) {
                 if (const auto here = self.lock())
                     here->happened(what);
             },
             {},
             std::string(adapter_->waits_in().database)}
        );
        pools_.push_back(std::move(pool));
    }
}

void store::happened(const event_seen& what) {
    if (closing_.load())
        return;
    const auto now = shared_->on->now();
    if (const auto* answer_seen = std::get_if<answered>(&what)) {
        count_.probes.fetch_add(1, std::memory_order_relaxed);
        if (std::holds_alternative<failure>(answer_seen->what))
            count_.probes_failed.fetch_add(1, std::memory_order_relaxed);
    } else if (std::holds_alternative<pushed>(what)) {
        count_.pushes.fetch_add(1, std::memory_order_relaxed);
        core::mark<"push from the witness">();
    }
    doubt(what, now);
    const auto was = belief_;
    belief_ = adapter_->apply(was, what, now);
    settle(was, now);
}

// A login to a server that may just have died would fail: its watcher asks first.
void store::doubt(const event_seen& what, time_point now) {
    if (const auto* doubtful = std::get_if<suspected>(&what)) {
        // The first counts: under load there is always a later one.
        if (doubtful->member < pools_.size() && !pools_[doubtful->member]->doubted)
            pools_[doubtful->member]->doubted = now;
        return;
    }
    const auto* heard = std::get_if<answered>(&what);
    if (heard == nullptr || heard->of.what != subject::kind::member ||
        heard->of.index >= pools_.size() || std::holds_alternative<failure>(heard->what))
        return;
    auto& pool = *pools_[heard->of.index];
    if (pool.doubted && heard->asked >= *pool.doubted)
        pool.doubted.reset();
}

// C41: what one member accepted and another refuses is a matter of provisioning.
std::optional<failure> store::refusal_of(const server_pool& pool) const {
    auto refusal = pool.blocked();
    const bool elsewhere = std::any_of(pools_.begin(), pools_.end(), [](const auto& one) {
        return one->took_a_login;
    });
    if (refusal && refusal->code == errc::rejected_by_server && elsewhere && !pool.took_a_login) {
        refusal->code = errc::standby_not_provisioned;
        refusal->message += "; another member accepted this login (C41)";
    }
    return refusal;
}

// A session that is there may be had, or may yet be a writer's: that is worth waiting for.
std::optional<failure> store::refused_now(const server_pool& pool) const {
    return pool.any_open() ? std::nullopt : refusal_of(pool);
}

std::optional<failure> store::refused_everywhere() const {
    std::optional<failure> first;
    for (const auto& pool : pools_) {
        auto refusal = refused_now(*pool);
        if (!refusal)
            return std::nullopt;
        if (!first)
            first = std::move(refusal);
    }
    return first;
}

void store::fail_the_refused() {
    if (const auto everywhere = refused_everywhere())
        fail_waiters(*everywhere, false);
    else if (const auto here = routed_ ? refused_now(*pools_[*routed_]) : std::nullopt)
        fail_waiters(*here, true);
}

void store::settle(belief was, time_point now) {
    standing_ = core::next(
        standing_, belief_.is.writer.has_value(), now, {spec_->ride_out, spec_->recovery_hold}
    );
    belief_.is.level = standing_.level;
    if (belief_.is.writer)
        served_at_ = belief_.is.members[*belief_.is.writer].seen;
    belief_.is.as_of = belief_.is.writer ? std::nullopt : served_at_;
    add_pools();
    route(was.is);
    publish(was.is);
    announce(was.is, now);
    if (belief_.is.level == service_level::resiliency && was.is.level != service_level::resiliency)
        if (const auto refusal = refused_at_once({.intent = intent::write}))
            fail_waiters(*refusal, true);
    fail_the_refused();
    remember();
    serve();
    upkeep(now);
    ask(now);
    schedule(now);
}

void store::route(const topology& was) {
    const auto& is = belief_.is;
    const bool same_reign = routed_epoch_ && is.accepted &&
                            adapter_->compare(*is.accepted, *routed_epoch_) == epoch_order::same;
    const bool resumed = resumes();
    if (routed_ != is.writer || (is.writer && !same_reign))
        route_writer(resumed);
    else if (is.writer)
        routed_epoch_ = is.accepted; // The same reign, perhaps better proved.
    route_reads(was);
    cut_replaced();
    const auto limit = spec_->watch_timeout + 2 * spec_->watch_interval;
    const auto seen = is.writer ? is.members[*is.writer].seen : shared_->on->now();
    // Behind a proxy every hand-out asks the session itself, whatever was seen before (F53).
    const auto until = spec_->proxy.empty() ? seen + limit : time_point::min();
    fresh_until_.store(until.time_since_epoch().count());
}

// The last number comes back with its reign, as long as the member has claimed it all the while:
// once another has been given, or the member has been down, nothing of it is good any more (E1).
bool store::resumes() noexcept {
    const auto& is = belief_.is;
    if (is.writer)
        return std::exchange(resumable_, is.writer) == is.writer &&
               adapter_->compare(*is.accepted, *routed_epoch_) == epoch_order::same;
    if (resumable_) {
        const auto& one = is.members[*resumable_];
        if (one.plays != role::primary || one.refused)
            resumable_.reset();
    }
    return false;
}

void store::route_writer(bool resumed) {
    const auto& is = belief_.is;
    const bool served_before = routed_epoch_.has_value() && !resumed;
    writer_pool_.store(nullptr);
    if (is.writer && !resumed)
        ++acceptance_count_;
    core::schedule_point();
    acceptance_.store(is.writer ? acceptance_count_ : 0);
    core::schedule_point();
    for (const auto& pool : pools_) {
        // Whoever wrote under another number must not write on: revoked after the number was raised
        // (E1). Where no one took the role yet and the member is not refused, what is under way may
        // still end by itself.
        // What is half-made before anybody served is as good as any.
        if (served_before)
            ++pool->generation;
        for (auto& one : pool->slots())
            if (one.acceptance.load() != 0 && !resumed)
                is.writer ? revoke(one) : static_cast<void>(revoke_idle(one));
            else if (one.kept.load() != 0)
                revoke_idle(one);
    }
    routed_ = is.writer;
    if (!is.writer)
        return;
    if (resumed)
        core::mark<"same reign serves again under its number">();
    if (served_before) {
        core::mark<"another epoch is routed to">();
        count_.failovers.fetch_add(1, std::memory_order_relaxed);
    }
    routed_epoch_ = is.accepted;
    routed_since_ = shared_->on->next_sequence();
    auto& pool = *pools_[*is.writer];
    pool.not_before = time_point::min();
    writer_pool_.store(&pool);
    for (auto& one : pool.slots()) {
        auto idle = slot_state::idle;
        // Warm ones had no epoch yet (rulings 6); readers' sessions never become writers (E7).
        if (one.acceptance.load() == 0 && one.state.compare_exchange_strong(idle, slot_state::busy))
            one.use == session_use::warm ? prove(one) : retire(one);
    }
}

void store::route_reads(const topology& was) {
    const auto& is = belief_.is;
    for (std::size_t i = 0; i < pools_.size() && i < is.members.size(); ++i) {
        auto& pool = *pools_[i];
        const auto& one = is.members[i];
        const bool serves = !one.refused && !one.offline &&
                            ((one.plays == role::standby && one.serves_reads) || is.writer == i);
        const bool known = i < was.members.size();
        const bool moved = known && was.members[i].plays != one.plays;
        const auto number = pool.reading.load();
        const bool served = number % 2 == 1;
        if (serves != served) {
            core::mark<"member begins or ceases to serve reads">();
            pool.reading.store(number + 1);
        } else if (serves && moved)
            pool.reading.store(number + 2);
        const bool foreign =
            one.refused && one.trouble && one.trouble->code == errc::configuration_invalid;
        if ((foreign || pool.ruled_for) && pool.watched_by->redial())
            pool.ruled_for = false;
        const bool died = dead(one) && !(known && was.members[i].trouble == one.trouble);
        const bool fell = one.refused && !(known && was.members[i].refused);
        if (died || fell) {
            core::mark<"sessions of a dead or refused member revoked">();
            for (auto& slot_there : pool.slots())
                revoke(slot_there);
        }
    }
}

void store::ask(time_point now) {
    const auto made = adapter_->next(belief_, now);
    const auto put = [&](watcher& by, watcher::subscriber which, const subject& to) {
        const auto found = std::find_if(made.ask.begin(), made.ask.end(), [&](const inquiry& one) {
            return one.to == to;
        });
        if (found == made.ask.end())
            by.rest(which);
        else
            by.want(which, *found);
    };
    if (witness_)
        put(*witness_, witness_subscription_, {subject::kind::witness, 0});
    for (const auto& pool : pools_)
        put(*pool->watched_by, pool->subscription, {subject::kind::member, pool->member});
    shared_->on->cancel(wake_);
    auto wake = std::max(made.wake, now + gap_min);
    if (const auto level = core::wake_at(standing_, {spec_->ride_out, spec_->recovery_hold}))
        wake = std::min(wake, std::max(*level, now + gap_min));
    wake_ = shared_->on->at(wake, [self = weak_from_this()] {
        if (const auto here = self.lock(); here && !here->closing_.load())
            here->settle(here->belief_, here->shared_->on->now());
    });
}

void store::schedule(time_point now) {
    const bool lost = belief_.is.witness == witness_state::lost;
    if (!lost) {
        witness_lost_since_.reset();
        witness_advice_given_ = false;
        return;
    }
    if (!witness_lost_since_)
        witness_lost_since_ = now;
    if (witness_advice_given_ || now - *witness_lost_since_ < spec_->witness_lost_advice)
        return;
    witness_advice_given_ = true;
    tell(
        {.what = event_kind::advice,
         .cause = "the witness has been lost for long: no automatic failover will come; operate "
                  "without a "
                  "witness (remove Witness=, or SET WITNESS OFF) if it stays away (C32)"}
    );
}

void store::publish(const topology& was) {
    belief_.is.version = was.version + (same_but_for_freshness(belief_.is, was) ? 0 : 1);
    auto made = std::make_shared<snapshot>();
    made->view = std::make_shared<const topology>(belief_.is);
    made->known = belief_;
    made->by = adapter_;
    made->spec = spec_;
    for (const auto& pool : pools_) {
        made->pools.push_back(pool.get());
        made->blocked.push_back(refused_now(*pool));
        made->login_failed.push_back(pool->login_failed);
    }
    for (const auto& pool : retired_)
        if (pool->count_not(slot_state::empty) != 0)
            made->replaced.push_back(pool.get());
    const std::lock_guard guard(publish_mutex_);
    published_ = std::move(made);
}

// After the hand-out number is raised, not before: a failover does not wait for a disk. A crash in
// between leaves the older state, which the engine's naming then corrects.
void store::remember() {
    if (spec_->state_file.empty() || !belief_.is.accepted)
        return;
    std::vector<endpoint> members;
    for (const auto& one : belief_.is.members)
        members.push_back(one.at);
    core::mark<"epoch for the state file">();
    state_->keep(
        {spec_->state_file, write_state({*belief_.is.accepted, std::move(members)})}, shared_->by
    );
}

}
