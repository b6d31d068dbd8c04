// SPDX-License-Identifier: Apache-2.0
#include "simulation/events.hpp"

#include <fmt/format.h>

namespace hadr::test {

void told_state::hear(const event& what) {
    const auto version = what.view ? what.view->version : version_;
    if (what.sequence <= sequence_ || version < version_)
        disorder_ = fmt::format("event {} came after {}", what.sequence, sequence_);
    sequence_ = what.sequence;
    version_ = version;
    switch (what.what) {
    case event_kind::primary_lost: writer_.reset(); break;
    case event_kind::primary_changed:
    case event_kind::primary_returned:
        writer_ = what.member;
        reign_ = what.reign;
        break;
    case event_kind::witness_lost: witness_lost_ = true; break;
    case event_kind::witness_returned:
    case event_kind::witness_removed: witness_lost_ = false; break;
    case event_kind::exposed: state_ = availability::exposed; break;
    case event_kind::protected_: state_ = availability::serving; break;
    case event_kind::failing_over: state_ = availability::failing_over; break;
    case event_kind::action_required: state_ = availability::action_required; break;
    case event_kind::opened:
    case event_kind::old_primary_refused:
    case event_kind::two_claimants:
    case event_kind::foreign_member:
    case event_kind::epoch_went_back:
    case event_kind::level_changed:
    case event_kind::member_lost:
    case event_kind::member_returned:
    case event_kind::member_offline:
    case event_kind::member_online:
    case event_kind::partner_learned:
    case event_kind::login_refused:
    case event_kind::lease_leaked:
    case event_kind::advice:
    case event_kind::reconfigured:
    case event_kind::monitor_stalled:
    case event_kind::listener_failed:
    case event_kind::closed: break;
    }
}

std::string told_state::differs_from(const topology& view) const {
    if (writer_ != view.writer)
        return fmt::format(
            "events say that {} writes, the view says {}",
            writer_ ? std::to_string(*writer_) : "none",
            view.writer ? std::to_string(*view.writer) : "none"
        );
    if (view.writer && reign_ && view.accepted &&
        (reign_->lineage != view.accepted->lineage || reign_->term != view.accepted->term))
        return "events tell of " + to_string(*reign_) + ", the view of " +
               to_string(*view.accepted);
    if (view.state != availability::unknown && state_ != view.state)
        return fmt::format(
            "events say that the store is {}, the view says {}",
            to_string(state_),
            to_string(view.state)
        );
    if (witness_lost_ != (view.witness == witness_state::lost))
        return witness_lost_ ? "events left the witness lost" : "no event told of a lost witness";
    return {};
}

}
