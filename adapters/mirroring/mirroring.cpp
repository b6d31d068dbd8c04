// SPDX-License-Identifier: Apache-2.0
#include "core/allowed_actions.hpp"
#include "core/epoch_order.hpp"
#include "core/mark.hpp"
#include "mirroring/decide.hpp"
#include "mirroring/evidence.hpp"
#include "mirroring/postgresql.hpp"
#include "mirroring/sql_server.hpp"
#include "mirroring/vigilance.hpp"

#include <hadr/adapters.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::mirroring {

namespace {

using namespace std::chrono_literals;

constexpr duration witness_step = 5ms; // Its answer costs more, and it tells what has changed.

bool ready(const member& one) noexcept {
    return one.plays == role::standby && !one.refused && !one.trouble;
}

// The witness is giving the standby another part.
bool moving(std::string_view engine_state) noexcept {
    return !engine_state.empty() && engine_state != "secondary" && engine_state != "catchingup";
}

void note_claims(evidence& into, time_point now) {
    for (auto& one : into.members) {
        if (!one.facts || !one.facts->claims()) {
            one.claimed.reset();
            continue;
        }
        const auto reign = reign_of(*one.facts, proof::none);
        if (!one.claimed || core::compare(reign, *one.claimed) != epoch_order::same)
            one.claimed_since = now;
        one.claimed = reign;
    }
}

// The engine names a member before it promotes it. A later epoch that it knew nothing of when it
// was asked afterwards is none of its own, and does not become so because it falls silent.
void note_contradicted(evidence& into, const topology& is, const std::optional<epoch>& accepted) {
    const bool names = std::any_of(is.members.begin(), is.members.end(), [](const member& one) {
        return one.named;
    });
    if (!into.witness.connected || !names || !accepted)
        return;
    for (std::size_t i = 0; i < into.members.size(); ++i) {
        auto& one = into.members[i];
        const bool later =
            one.claimed && core::compare(*one.claimed, *accepted) == epoch_order::newer;
        if (is.members[i].named)
            one.contradicted.reset();
        else if (later && into.witness.asked >= one.claimed_since)
            one.contradicted = one.claimed;
    }
}

class adapter final : public ha_adapter {
public:
    explicit adapter(store_specification store)
        : store_(std::move(store))
        , member_question_(
              store_.fork_table.empty() ? std::string(member_question)
                                        : core::member_question_with_forks(store_.fork_table)
          )
        , witness_question_(store_.witness ? witness_question(*store_.witness) : std::string()) {}

    std::string_view name() const noexcept override { return "mirroring"; }
    std::string_view proof() const noexcept override { return member_question; }
    restraint read_only() const noexcept override { return core::read_only_session; }

    epoch_order compare(const epoch& a, const epoch& b) const noexcept override {
        return core::compare(a, b);
    }

    belief begin() const override {
        auto fresh = std::make_shared<evidence>();
        fresh->places = store_.members();
        fresh->members.resize(fresh->places.size());
        return {decide({}, *fresh, store_), fresh};
    }

    std::optional<reign_mark> mark(const belief& known, std::uint64_t chance) const override;
    plan next(const belief& known, time_point now) const override;
    belief apply(const belief& known, const event_seen& event, time_point now) const override;
    session_standing
    judge(const belief& known, std::size_t member, const answer& proof) const override;
    expected<operation_plan>
    consider(const belief& known, const operation& wanted, time_point now) const override;

private:
    static const evidence& memory(const belief& known) {
        return static_cast<const evidence&>(*known.mode);
    }

    void take(evidence& into, const answered& event, time_point asked) const;
    void take_member(
        evidence& into,
        std::size_t index,
        time_point asked,
        const std::variant<answer, failure>& what
    ) const;
    void take_witness(evidence& into, const answered& event, time_point asked) const;
    void take_partners(evidence& into) const;

    const store_specification store_;
    const std::string member_question_;
    const std::string witness_question_;
};

plan adapter::next(const belief& known, time_point now) const {
    const auto& have = memory(known);
    const auto step = pace(have, store_.watch_interval, now);
    const auto after = [now](time_point asked, duration gap) {
        return asked == time_point::min() ? now : std::max(asked + gap, now);
    };
    plan made;
    for (std::size_t i = 0; i < have.members.size(); ++i)
        if (!have.members[i].dropped)
            made.ask.push_back(
                {{subject::kind::member, i},
                 member_question_,
                 {},
                 after(have.members[i].asked, step),
                 store_.watch_timeout}
            );
    if (store_.witness)
        made.ask.push_back(
            {{subject::kind::witness, 0},
             witness_question_,
             std::string(witness_listens),
             after(
                 have.witness.asked,
                 have.witness.hinted ? witness_step : std::max(step, witness_step)
             ),
             store_.watch_timeout}
        );
    if (step == store_.watch_interval)
        ask_together(made.ask, step / 4);
    made.wake = wake_of(have, store_.watch_interval, now);
    return made;
}

belief adapter::apply(const belief& known, const event_seen& event, time_point now) const {
    auto have = std::make_shared<evidence>(memory(known));
    auto was = known.is;
    if (const auto* one = std::get_if<answered>(&event)) {
        take(*have, *one, std::min(one->asked, now));
    } else if (const auto* hint = std::get_if<pushed>(&event)) {
        if (store_.witness && concerns(hint->channel, hint->payload, *store_.witness)) {
            core::mark<"witness hints">();
            have->witness.hinted = true;
        }
    } else if (const auto* report = std::get_if<reported>(&event)) {
        if (report->member < have->members.size() &&
            report->sequence > have->members[report->member].sequence) {
            // F37: a read-only transaction of its own is as good a cause as a demotion, and the
            // watcher can tell.
            if (std::holds_alternative<failure>(report->what)) {
                doubt(*have, have->members[report->member], report->member, now);
            } else {
                have->members[report->member].sequence = report->sequence;
                take_member(*have, report->member, std::min(report->asked, now), report->what);
            }
        }
    } else if (const auto* doubt = std::get_if<suspected>(&event)) {
        if (doubt->member < have->members.size())
            take_doubt(*have, have->members[doubt->member], *doubt, now);
    } else if (const auto* memory_of = std::get_if<remembered>(&event)) {
        take_memory(*have, *memory_of, was, store_);
    } else if (const auto* ruling = std::get_if<ruled>(&event)) {
        take_ruling(*have, *ruling);
    }
    suspect_troubled(*have, memory(known).members, now);
    end_old_suspicion(*have, now);
    auto is = decide(was, *have, store_);
    note_claims(*have, now);
    note_contradicted(*have, is, was.accepted);
    settle(*have, is, now);
    return {std::move(is), std::move(have)};
}

void adapter::take(evidence& into, const answered& event, time_point asked) const {
    if (event.of.what == subject::kind::witness) {
        if (store_.witness && event.sequence > into.witness.sequence)
            take_witness(into, event, asked);
        return;
    }
    if (event.of.index >= into.members.size() ||
        event.sequence <= into.members[event.of.index].sequence) {
        return; // Asked before what is known: an old primary's late answer must not win.
    }
    into.members[event.of.index].sequence = event.sequence;
    into.members[event.of.index].asked = asked;
    take_member(into, event.of.index, asked, event.what);
}

void adapter::take_member(
    evidence& into, std::size_t index, time_point asked, const std::variant<answer, failure>& what
) const {
    auto& one = into.members[index];
    auto why = std::get_if<failure>(&what) != nullptr ? std::optional(std::get<failure>(what))
                                                      : std::nullopt;
    if (!why) {
        auto facts = read_member(std::get<answer>(what));
        if (facts) {
            one.facts = std::move(*facts);
            one.facts_asked = asked;
            one.trouble.reset();
            one.present = true;
            one.answered_once = true;
            suspicion_answered(into, index);
            return;
        }
        why = facts.error();
    }
    one.present = false;
    one.trouble = why;
    // Known to be down: nobody listens there, or the server says that it is not serving. A silence,
    // a full server (F25), refused credentials (F26) or a lost watch session alone say nothing of
    // its role.
    const bool refused =
        why->code == errc::unreachable && why->sqlstate.empty() && why->native >= 0;
    const bool not_serving = why->code == errc::unreachable && why->sqlstate.starts_with("57P");
    if (refused || not_serving) {
        core::mark<"server known to be down">();
        one.facts.reset();
    }
    if (!one.facts && into.proven == index)
        into.proven.reset();
}

void adapter::take_witness(evidence& into, const answered& event, time_point asked) const {
    auto& have = into.witness;
    have.sequence = event.sequence;
    have.asked = asked;
    have.heard_of = true;
    have.hinted = false;
    have.trouble.reset();
    if (const auto* what = std::get_if<answer>(&event.what)) {
        auto rows = read_witness(*what, *store_.witness);
        if (rows) {
            have.rows = std::move(*rows);
            have.connected = true;
            take_partners(into);
            return;
        }
        have.trouble = rows.error();
    } else {
        have.trouble = std::get<failure>(event.what);
    }
    core::mark<"witness lost">();
    have.connected = false;
    have.rows.clear();
}

// C43, C47: the engine's list replaces what was configured, as far as it is allowed to (X3).
void adapter::take_partners(evidence& into) const {
    std::vector<bool> listed(into.places.size());
    for (const auto& row : into.witness.rows) {
        if (const auto i = member_of(row, into.places); i && *i < listed.size())
            listed[*i] = true;
        else if (!i)
            learn(into, row.at, store_);
    }
    for (auto i = store_.members().size(); i < listed.size(); ++i)
        into.members[i].dropped = !listed[i];
}

std::optional<reign_mark> adapter::mark(const belief& known, std::uint64_t chance) const {
    const auto& is = known.is;
    if (store_.fork_table.empty() || !is.writer || !is.accepted || !is.accepted->term ||
        is.accepted->fork)
        return std::nullopt;
    return reign_mark{
        core::fork_row_text(store_.fork_table, *is.accepted->term, chance),
        fmt::format(
            "Fork_Table={0} cannot be written, so that two servers promoted by mistake cannot be "
            "told "
            "apart; it is created by: {1}; the store's user needs SELECT and INSERT on it",
            store_.fork_table,
            core::fork_table_text(store_.fork_table)
        )};
}

session_standing
adapter::judge(const belief& known, std::size_t index, const answer& proof_row) const {
    session_standing made;
    auto facts = read_member(proof_row);
    if (!facts || index >= known.is.members.size()) {
        made.refused =
            facts ? make_failure(errc::wrong_role, advice::retry, "no such member") : facts.error();
        return made;
    }
    const auto& one = known.is.members[index];
    made.reign = reign_of(*facts, hadr::proof::own_word);
    const auto& accepted = known.is.accepted;
    const auto& kind = accepted ? accepted : one.reign; // E9: before any reign, its watcher's word.
    const bool kin = kind && kind->lineage == facts->lineage;
    const bool reigns = known.is.writer == index && accepted && facts->claims() &&
                        core::compare(*made.reign, *accepted) == epoch_order::same;
    made.may_write = reigns && !facts->read_only;
    made.may_read = kin && !one.refused && !one.offline && (facts->in_recovery || reigns);
    if (!made.may_write && !made.may_read)
        made.refused = one.trouble.value_or(make_failure(
            errc::wrong_role,
            advice::retry,
            fmt::format("{} is neither the primary nor a standby of it", to_string(one.at))
        ));
    return made;
}

expected<operation_plan>
adapter::consider(const belief& known, const operation& wanted, time_point /*now*/) const {
    const auto refused = [](std::string why) {
        return make_failure(errc::rejected_by_server, advice::give_up, std::move(why));
    };
    const auto& is = known.is;
    // A primary that no session goes to, because it is offline or not writable, is connected too.
    const bool primary_connected =
        std::any_of(is.members.begin(), is.members.end(), [](const member& one) {
            return one.plays == role::primary && !one.refused && !one.trouble;
        });
    const core::mirroring_situation situation{
        store_.synchronous, is.replication, is.witness, primary_connected};
    if (auto why = core::refusal(situation, wanted.what))
        return refused(*std::move(why));
    operation_plan made;
    made.wanted = wanted;
    made.from = is.writer.value_or(0);
    made.to = wanted.target.value_or(is.writer ? 1 - *is.writer : is.members.size());
    for (std::size_t i = 0; !wanted.target && !is.writer && i < is.members.size(); ++i)
        if (ready(is.members[i]))
            made.to = i;
    if (made.to >= is.members.size() || !ready(is.members[made.to]))
        return refused(
            wanted.what == operation_kind::planned_failover
                ? "the target is no standby that answers (C36)"
                : "the target is no standby that answers"
        );
    if (wanted.what == operation_kind::forced_failover && is.witness == witness_state::connected &&
        moving(is.members[made.to].engine_state))
        return refused("the engine is failing over by itself (C28)");
    if (wanted.what == operation_kind::planned_failover) {
        if (is.witness != witness_state::connected)
            return refused("without a witness in touch nothing can do a planned failover over SQL: "
                           "stop the primary cleanly, then force the mirror");
        made.steps.push_back(
            {operation_step::place::witness,
             0,
             planned_failover_text(*store_.witness),
             "planned failover by the witness"}
        );
        return made;
    }
    if (!wanted.data_loss_acknowledged)
        return refused("a forced failover may lose commits: set data_loss_acknowledged (C22)");
    if (is.replication != synchrony::synchronized)
        made.warnings.emplace_back("what the mirror has not received is lost");
    made.warnings.emplace_back(
        "keep applications off the old primary before it returns: nothing fences it (C37)"
    );
    made.steps.push_back(
        {operation_step::place::member,
         made.to,
         std::string(promote_text),
         fmt::format("promote {}", to_string(is.members[made.to].at))}
    );
    return made;
}

}

}

namespace hadr::inline v0::adapters {

std::shared_ptr<const ha_adapter> mirroring(const store_specification& store) {
    if (store.kind == engine::sql_server)
        return hadr::mirroring::sql_server::pair(store);
    return std::make_shared<hadr::mirroring::adapter>(store);
}

}
