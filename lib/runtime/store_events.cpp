// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hadr::inline v0::runtime {

namespace {

log_level level_of(event_kind what) noexcept {
    switch (what) {
    case event_kind::opened:
    case event_kind::primary_changed:
    case event_kind::primary_returned:
    case event_kind::witness_returned:
    case event_kind::protected_:
    case event_kind::member_returned:
    case event_kind::member_offline:
    case event_kind::member_online:
    case event_kind::partner_learned:
    case event_kind::reconfigured:
    case event_kind::closed: return log_level::info;
    case event_kind::old_primary_refused:
    case event_kind::witness_lost:
    case event_kind::witness_removed:
    case event_kind::exposed:
    case event_kind::failing_over:
    case event_kind::level_changed:
    case event_kind::member_lost:
    case event_kind::lease_leaked:
    case event_kind::advice:
    case event_kind::monitor_stalled:
    case event_kind::listener_failed: return log_level::warning;
    case event_kind::primary_lost:
    case event_kind::two_claimants:
    case event_kind::foreign_member:
    case event_kind::epoch_went_back:
    case event_kind::action_required:
    case event_kind::login_refused: return log_level::error;
    }
    return log_level::info;
}

// Two who may not be told apart: neither is refused, and there is no writer (F14, E3).
bool two_claim(const topology& view) noexcept {
    const auto claims =
        std::count_if(view.members.begin(), view.members.end(), [](const member& one) {
            return one.plays == role::primary && !one.refused && !one.trouble;
        });
    return claims >= 2 && !view.writer;
}

event_kind told_by(availability state) noexcept {
    switch (state) {
    case availability::serving: return event_kind::protected_;
    case availability::failing_over: return event_kind::failing_over;
    case availability::action_required: return event_kind::action_required;
    case availability::exposed:
    case availability::unknown: break; // Nothing becomes unknown but by reconfigured.
    }
    return event_kind::exposed;
}

}

void store::tell(event what) {
    what.store = spec_->name;
    what.sequence = ++event_count_;
    what.view = current()->view;
    if (what.member && *what.member < pools_.size() && what.generation == 0)
        what.generation = pools_[*what.member]->generation;
    count_.events.fetch_add(1, std::memory_order_relaxed);
    shared_->events->log(log_, level_of(what.what), to_string(what));
    shared_->events->tell(listeners(), what);
}

void store::announce(const topology& was, time_point now) {
    const auto& is = belief_.is;
    announce_writer(now);
    for (std::size_t i = 0; i < is.members.size(); ++i)
        announce_member(i);
    if (two_claim(is) && !two_claim(was))
        tell({.what = event_kind::two_claimants, .cause = is.cause});
    announce_witness(was);
    announce_partners(was);
    if (is.state != was.state && is.state != availability::unknown)
        tell({.what = told_by(is.state), .cause = is.cause});
    if (is.level != was.level)
        tell(
            {.what = event_kind::level_changed,
             .cause = fmt::format("{} to {}", to_string(was.level), to_string(is.level))}
        );
}

// C17: what was promised beside what was measured.
std::string store::against_objectives(std::optional<duration> outage) const {
    const auto& promised = spec_->wanted.recovery_time;
    if (!outage || !promised)
        return {};
    const auto seconds = [](duration length) {
        return std::chrono::duration<double>(length).count();
    };
    return fmt::format(
        "; {:.3f} s without a primary, RTO={:.3f} s {}",
        seconds(*outage),
        seconds(*promised),
        *outage <= *promised ? "kept" : "missed"
    );
}

void store::announce_partners(const topology& was) {
    const auto& is = belief_.is;
    for (auto i = was.members.size(); i < is.members.size(); ++i)
        tell(
            {.what = event_kind::partner_learned,
             .cause =
                 fmt::format("the engine named {}, and it is allowed", to_string(is.members[i].at)),
             .member = i}
        );
    for (const auto& at : is.unlisted)
        if (std::find(was.unlisted.begin(), was.unlisted.end(), at) == was.unlisted.end())
            tell(
                {.what = event_kind::partner_learned,
                 .cause = fmt::format(
                     "the engine named {}, which is no member: it is not contacted (X3); list it, "
                     "or "
                     "allow it by Partner_Allowed",
                     to_string(at)
                 )}
            );
}

// F46, F44: noticed by the sweep, which runs once a second on the monitor's own agent.
void store::announce_stall(time_point now) {
    const auto late = swept_ ? now - *swept_ - std::chrono::seconds(1) : duration::zero();
    swept_ = now;
    if (late > spec_->watch_timeout)
        tell(
            {.what = event_kind::monitor_stalled,
             .cause = fmt::format(
                 "the monitor was held up for {} ms; sessions were asked themselves meanwhile",
                 std::chrono::duration_cast<std::chrono::milliseconds>(late).count()
             )}
        );
    const auto failed = tally_->failed.load();
    if (failed == failures_told_ || now < failures_told_at_ + std::chrono::minutes(1))
        return;
    tell(
        {.what = event_kind::listener_failed,
         .cause = "a listener threw",
         .count = failed - failures_told_}
    );
    failures_told_ = failed;
    failures_told_at_ = now;
}

void store::announce_writer(time_point now) {
    const auto& is = belief_.is;
    if (is.writer && told_writer_ == is.writer)
        was_protected_ = is.replication == synchrony::synchronized;
    if (!is.writer) {
        if (!told_writer_)
            return;
        away_since_ = now;
        tell(
            {.what = event_kind::primary_lost,
             .cause = is.cause,
             .member = told_writer_,
             .reign = told_reign_}
        );
        told_writer_.reset();
        return;
    }
    const bool same_reign = told_reign_ && is.accepted &&
                            adapter_->compare(*is.accepted, *told_reign_) == epoch_order::same;
    if (told_writer_ == is.writer && same_reign)
        return;
    const bool back = same_reign && !told_writer_ && told_member_ == is.writer;
    const bool lower = told_reign_ && is.accepted && !same_reign &&
                       adapter_->compare(*is.accepted, *told_reign_) != epoch_order::newer;
    if (lower)
        tell(
            {.what = event_kind::epoch_went_back,
             .cause = "accepted by an operator's word",
             .member = is.writer,
             .reign = is.accepted}
        );
    const auto outage = away_since_ ? std::optional(now - *away_since_) : std::nullopt;
    const bool may_have_lost = told_reign_ && !back && !was_protected_;
    tell(
        {.what = back ? event_kind::primary_returned : event_kind::primary_changed,
         .cause = fmt::format(
             "{}{}{}",
             is.cause,
             against_objectives(outage),
             may_have_lost ? "; the mirror was not known to be synchronized before: acknowledged "
                             "commits may be lost"
                           : ""
         ),
         .member = is.writer,
         .reign = is.accepted,
         .outage = outage}
    );
    away_since_.reset();
    told_writer_ = told_member_ = is.writer;
    told_reign_ = is.accepted;
    was_protected_ = is.replication == synchrony::synchronized;
}

// Each change once, whatever it came from, so that replaying the events gives the view (S2).
void store::announce_member(std::size_t index) {
    const auto& is = belief_.is.members[index];
    told_members_.resize(std::max(told_members_.size(), index + 1));
    auto& told = told_members_[index];
    if (is.offline != std::exchange(told.offline, is.offline))
        tell(
            {.what = is.offline ? event_kind::member_offline : event_kind::member_online,
             .cause = "by an operator's word",
             .member = index}
        );
    const auto no_login = index < pools_.size() ? refusal_of(*pools_[index]) : std::nullopt;
    if (no_login && !told.login_refused)
        tell({.what = event_kind::login_refused, .cause = to_string(*no_login), .member = index});
    told.login_refused = no_login.has_value();
    if (is.refused && is.trouble && is.trouble->code == errc::no_quorum)
        return; // Nothing is known of it yet.
    const bool lost = is.trouble && !is.refused;
    const bool refused_before = std::exchange(told.refused, is.refused);
    const bool lost_before = std::exchange(told.lost, lost);
    if (is.refused && !refused_before)
        announce_refused(index);
    else if (lost && !lost_before)
        tell({.what = event_kind::member_lost, .cause = to_string(*is.trouble), .member = index});
    else if (!is.refused && !lost && (refused_before || lost_before))
        tell({.what = event_kind::member_returned, .cause = is.engine_state, .member = index});
}

void store::announce_refused(std::size_t index) {
    const auto& is = belief_.is.members[index];
    // E9 may be known before any epoch is accepted: by the engine's own word.
    const bool foreign =
        (is.trouble && is.trouble->code == errc::configuration_invalid) ||
        (is.reign && belief_.is.accepted &&
         adapter_->compare(*is.reign, *belief_.is.accepted) == epoch_order::foreign);
    tell(
        {.what = foreign ? event_kind::foreign_member : event_kind::old_primary_refused,
         .cause = is.trouble ? to_string(*is.trouble) : "of an older epoch",
         .member = index,
         .reign = is.reign}
    );
}

void store::announce_witness(const topology& was) {
    const auto& is = belief_.is;
    // By what was told, not by what was: a reconfigure forgets that (S2).
    const auto told = witness_told_;
    if (is.witness != witness_state::unknown && (is.witness != witness_state::none || told))
        witness_told_ = is.witness;
    if (is.witness == witness_state::lost && told != is.witness)
        tell(
            {.what = event_kind::witness_lost,
             .cause = fmt::format(
                 "{}; no automatic failover until it returns (C32)",
                 is.witness_trouble ? to_string(*is.witness_trouble)
                 : spec_->witness   ? "no answer"
                                    : "the partners do not see it"
             )}
        );
    const bool had = told == witness_state::connected || told == witness_state::lost;
    if (is.witness == witness_state::none && had)
        tell(
            {.what = event_kind::witness_removed,
             .cause = "the store has no witness any more: no automatic failover (C6)"}
        );
    if (is.witness == witness_state::connected && told && told != is.witness)
        tell({.what = event_kind::witness_returned});
    const auto foreign = [](const topology& view) {
        return view.witness_trouble && view.witness_trouble->code == errc::configuration_invalid;
    };
    if (foreign(is) && !foreign(was))
        tell({.what = event_kind::foreign_member, .cause = to_string(*is.witness_trouble)});
}

}
