// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fuzz/answer_maker.hpp"

#include <hadr/adapters.hpp>

#include <algorithm>

namespace hadr::test {

/// Feeds an adapter with any events and checks what it believes after each.
class adapter_listener {
public:
    void run() {
        check_view();
        for (int i = 0; i < 200 && !from_.empty(); ++i) {
            now_ += any_pause();
            const auto event = any_event();
            const auto* ruling = std::get_if<ruled>(&event);
            const bool overruled =
                ruling != nullptr && ruling->what == ruled::verdict::accept_lineage;
            lineage_ruled_ = lineage_ruled_ || overruled;
            const auto before = known_.is;
            known_ = adapter_.apply(known_, event, now_);
            check_step(before);
            check_view();
            check_plan();
            check_judgement();
            check_operation();
        }
    }

protected:
    /// The adapter is immutable and serves all inputs.
    adapter_listener(byte_reader& from, const ha_adapter& by)
        : from_(from)
        , made_(from)
        , adapter_(by)
        , known_(adapter_.begin()) {}
    ~adapter_listener() = default;

    virtual duration any_pause() { return std::chrono::milliseconds(from_.byte()); }
    virtual event_seen any_event() = 0;
    virtual void check_view() const = 0;
    /// Whom the plan may ask.
    virtual void check_asked(const std::vector<subject>& asked) const = 0;
    virtual void check_judgement() = 0;
    virtual void check_operation() {}

    std::uint64_t sequence() {
        // Now and then of a question that was asked before others.
        const auto back = from_.below(16);
        return back > 12 && sequence_ > back ? sequence_ - back : ++sequence_;
    }

    // One more than there may be, now and then.
    std::size_t any_member() { return from_.below(4); }

    event_seen any_ruling() {
        constexpr std::array<ruled::verdict, 3> all = {
            ruled::verdict::offline, ruled::verdict::online, ruled::verdict::accept_lineage};
        const auto what = all[from_.below(all.size())];
        return ruled{what, any_member()};
    }

    void check_writer() const {
        const auto& is = known_.is;
        must(!to_string(is).empty(), "a view prints");
        if (!is.writer)
            return;
        must(*is.writer < is.members.size(), "the writer is a member");
        const auto& writer = is.members[*is.writer];
        must(writer.plays == role::primary, "the writer is a primary");
        must(writer.writable, "the writer takes writes");
        must(!writer.offline && !writer.refused, "the writer is neither offline nor refused");
        must(is.accepted.has_value(), "with a writer there is an epoch");
    }

    void check_standing(std::size_t member, const session_standing& stands) const {
        must(
            stands.may_write || stands.may_read || stands.refused.has_value(),
            "a session that may do nothing is told why"
        );
        if (stands.may_write)
            must(known_.is.writer == member, "write sessions go to the writer only");
    }

    byte_reader& from_;
    answer_maker made_;
    const ha_adapter& adapter_;
    belief known_;
    time_point now_ = time_point() + std::chrono::hours(1);

private:
    void check_step(const topology& before) const {
        const auto& is = known_.is;
        must(is.version >= before.version, "the version never goes back");
        if (!before.accepted)
            return;
        must(is.accepted.has_value(), "an accepted epoch is never forgotten");
        const auto order = adapter_.compare(*is.accepted, *before.accepted);
        must(
            lineage_ruled_ || order == epoch_order::same || order == epoch_order::newer,
            "no epoch goes back but by an operator's word (E2)"
        );
    }

    void check_plan() const {
        const auto plan = adapter_.next(known_, now_);
        std::vector<subject> asked;
        for (const auto& one : plan.ask) {
            must(
                std::find(asked.begin(), asked.end(), one.to) == asked.end(),
                "one inquiry of each subject"
            );
            must(one.limit > duration::zero(), "every question has its limit");
            must(one.due <= now_ + std::chrono::minutes(1), "every question is due some time");
            asked.push_back(one.to);
        }
        check_asked(asked);
        must(plan.wake > now_, "an adapter does not spin");
    }

    std::uint64_t sequence_ = 0;
    bool lineage_ruled_ = false;
};

}
