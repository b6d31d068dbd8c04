// SPDX-License-Identifier: Apache-2.0
#include "mirroring/sql_server.hpp"

#include "core/epoch_order.hpp"
#include "core/mark.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::mirroring::sql_server {

namespace {

class adapter final : public ha_adapter {
public:
    explicit adapter(store_specification store)
        : store_(std::move(store))
        , question_(core::sql_server::member_question(store_.with->database))
        , proof_(core::sql_server::proof_text(store_.with->database)) {}

    std::string_view name() const noexcept override { return "mirroring"; }
    std::string_view proof() const noexcept override { return proof_; }

    waiting_room waits_in() const noexcept override {
        return {core::sql_server::neutral_database, question_};
    }

    epoch_order compare(const epoch& a, const epoch& b) const noexcept override {
        return core::compare(a, b);
    }

    belief begin() const override {
        auto fresh = std::make_shared<evidence>();
        fresh->places = store_.members();
        fresh->members.resize(fresh->places.size());
        return {decide({}, *fresh, store_, {}), fresh};
    }

    plan next(const belief& known, time_point now) const override;
    belief apply(const belief& known, const event_seen& event, time_point now) const override;
    session_standing
    judge(const belief& known, std::size_t member, const answer& proof) const override;

    expected<operation_plan>
    consider(const belief& known, const operation& wanted, time_point /*now*/) const override {
        return sql_server::consider(known.is, memory(known), store_, wanted);
    }

private:
    static const evidence& memory(const belief& known) {
        return static_cast<const evidence&>(*known.mode);
    }

    inquiry question_to(std::size_t i, time_point due, duration limit) const {
        return {{subject::kind::member, i}, question_, {}, due, limit};
    }

    void take(evidence& into, const event_seen& event, topology& was, time_point now) const;
    void take_answer(evidence& into, const answered& event, time_point now) const;
    void take_report(evidence& into, const reported& event, time_point now) const;
    void take_member(
        evidence& into,
        std::size_t index,
        time_point asked,
        const std::variant<answer, failure>& what
    ) const;
    void take_partners(evidence& into, const topology& is) const;
    void keep_word(evidence& into, const topology& is) const;

    const store_specification store_;
    const std::string question_;
    const std::string proof_;
};

std::vector<std::size_t> in_use(const evidence& have) {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < have.members.size(); ++i)
        if (!have.members[i].dropped)
            all.push_back(i);
    return all;
}

// Nothing is known: not just now, while a failure is fresh, but for good.
bool blind(const evidence& have, time_point now) {
    return !suspicious(have, now) &&
           std::none_of(have.members.begin(), have.members.end(), [](const member_evidence& one) {
               return one.present;
           });
}

// F26: who refuses our credentials is not tried in turn, or nobody else would be meanwhile: its
// watcher keeps away from it by itself.
bool refuses_us(const member_evidence& one) {
    return one.trouble && one.trouble->next == advice::give_up;
}

std::vector<std::size_t> in_turn(const evidence& have) {
    auto all = in_use(have);
    std::erase_if(all, [&](std::size_t i) { return refuses_us(have.members[i]); });
    return all;
}

plan adapter::next(const belief& known, time_point now) const {
    const auto& have = memory(known);
    plan made;
    made.wake = wake_of(have, store_.watch_interval, now);
    const auto places = in_turn(have);
    if (blind(have, now) && !places.empty()) {
        core::mark<"partners tried in turn by the published schedule">();
        const auto attempt = current(have.blind, store_.connect_timeout);
        for (const auto i : in_use(have))
            if (refuses_us(have.members[i]))
                made.ask.push_back(question_to(
                    i,
                    std::max(now, have.members[i].asked + store_.watch_interval),
                    store_.watch_timeout
                ));
        auto turn = question_to(
            partner_of(have.blind, places), std::max(have.blind.due, now), attempt.slice
        );
        turn.paced = true;
        made.ask.push_back(std::move(turn));
        return made;
    }
    const auto step = pace(have, store_.watch_interval, now);
    for (const auto i : in_use(have)) {
        const auto asked = have.members[i].asked;
        const auto due = asked == time_point::min() ? now : std::max(asked + step, now);
        made.ask.push_back(question_to(i, due, store_.watch_timeout));
    }
    if (step == store_.watch_interval)
        ask_together(made.ask, step / 4);
    return made;
}

belief adapter::apply(const belief& known, const event_seen& event, time_point now) const {
    const auto& before = memory(known);
    auto have = std::make_shared<evidence>(before);
    auto was = known.is;
    if (const auto ended = end_old_suspicion(*have, now))
        have->blind = {0, std::nullopt, *ended};
    take(*have, event, was, now);
    const bool ever =
        std::any_of(before.members.begin(), before.members.end(), [](const member_evidence& one) {
            return one.answered_once;
        });
    if (ever)
        suspect_troubled(*have, before.members, now);
    auto is = decide(was, *have, store_, now);
    take_partners(*have, is);
    if (have->places.size() != is.members.size() || have->members.size() != before.members.size())
        is = decide(was, *have, store_, now);
    keep_word(*have, is);
    settle(*have, is, now);
    return {std::move(is), std::move(have)};
}

void adapter::take(evidence& into, const event_seen& event, topology& was, time_point now) const {
    if (const auto* one = std::get_if<answered>(&event))
        take_answer(into, *one, now);
    else if (const auto* report = std::get_if<reported>(&event))
        take_report(into, *report, now);
    else if (const auto* doubtful = std::get_if<suspected>(&event)) {
        if (doubtful->member < into.members.size())
            mirroring::take_doubt(into, into.members[doubtful->member], *doubtful, now);
    } else if (const auto* memory_of = std::get_if<remembered>(&event))
        take_memory(into, *memory_of, was, store_);
    else if (const auto* ruling = std::get_if<ruled>(&event))
        take_ruling(into, *ruling);
}

void adapter::take_answer(evidence& into, const answered& event, time_point now) const {
    const auto i = event.of.index;
    if (event.of.what != subject::kind::member || i >= into.members.size() ||
        event.sequence <= into.members[i].sequence)
        return; // Asked before what is known: an old principal's late answer must not win.
    const auto places = in_turn(into);
    auto& one = into.members[i];
    one.sequence = event.sequence;
    one.asked = std::min(event.asked, now);
    // What was asked by the search before is no attempt of the schedule's.
    const bool tried = blind(into, now) && !places.empty() && partner_of(into.blind, places) == i &&
                       one.asked >= into.blind.began.value_or(into.blind.due);
    take_member(into, i, one.asked, event.what);
    if (one.present)
        into.blind = {};
    else if (tried)
        into.blind =
            after_failure(begun(into.blind, one.asked), places.size(), store_.connect_timeout, now);
}

// 954, 4060, 3906 and their like on a session for applications say that its server's part is not
// what was believed; which part it is, its watcher can tell.
void adapter::take_report(evidence& into, const reported& event, time_point now) const {
    if (event.member >= into.members.size() ||
        event.sequence <= into.members[event.member].sequence)
        return;
    auto& one = into.members[event.member];
    if (std::holds_alternative<failure>(event.what)) {
        doubt(into, one, event.member, now);
        return;
    }
    one.sequence = event.sequence;
    take_member(into, event.member, std::min(event.asked, now), event.what);
}

void adapter::take_member(
    evidence& into, std::size_t index, time_point asked, const std::variant<answer, failure>& what
) const {
    auto& one = into.members[index];
    auto why = std::get_if<failure>(&what) != nullptr ? std::optional(std::get<failure>(what))
                                                      : std::nullopt;
    if (!why) {
        auto facts = core::sql_server::read_member(std::get<answer>(what));
        if (facts) {
            one.called = facts->server_name;
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
    // its part.
    if (why->code == errc::unreachable && why->native != local_cause) {
        core::mark<"partner known to be down">();
        one.facts.reset();
        if (into.principal && into.principal->by != index)
            into.principal->mirror_lost_since = true;
        if (into.proven == index)
            into.proven.reset();
    }
}

// C43, C47: the principal's own word of its partner replaces what was learned before, as far as it
// is allowed to (X3). What is configured is kept.
void adapter::take_partners(evidence& into, const topology& is) const {
    if (!is.writer || !into.members[*is.writer].present)
        return;
    const auto partner = into.members[*is.writer].facts->partner; // learn() moves members.
    if (partner.empty())
        return;
    auto listed = member_called(partner, into);
    if (!listed && some_unheard(into, store_.members().size()))
        return;
    if (!listed) {
        learn(into, place_called(partner), store_);
        listed = member_called(partner, into);
    }
    for (auto i = store_.members().size(); i < into.members.size(); ++i) {
        const bool twice = listed && *listed != i && *listed != *is.writer &&
                           into.members[i].called == into.members[*listed].called;
        const bool away = listed != i && is.writer != i;
        into.members[i].dropped = away || twice;
    }
}

void adapter::keep_word(evidence& into, const topology& is) const {
    for (std::size_t i = 0; i < is.members.size(); ++i) {
        const auto& one = into.members[i];
        const bool speaks = one.present && one.facts && one.facts->serves() &&
                            !is.members[i].refused && (!is.writer || is.writer == i);
        if (speaks)
            into.principal = {i, *one.facts, one.facts_asked, false};
    }
}

session_standing
adapter::judge(const belief& known, std::size_t index, const answer& proof_row) const {
    session_standing made;
    auto facts = core::sql_server::read_member(proof_row);
    if (!facts || index >= known.is.members.size()) {
        made.refused =
            facts ? make_failure(errc::wrong_role, advice::retry, "no such member") : facts.error();
        return made;
    }
    const auto& one = known.is.members[index];
    if (!facts->guid.empty())
        made.reign = reign_of(*facts, hadr::proof::own_word);
    const auto& accepted = known.is.accepted;
    const bool reigns = known.is.writer == index && accepted && made.reign && facts->claims() &&
                        core::compare(*made.reign, *accepted) == epoch_order::same;
    const bool fit = reigns && facts->in_database && facts->access && facts->online();
    const bool kin = !accepted || facts->guid.empty() || facts->guid == accepted->lineage;
    made.may_write = fit && facts->read_write;
    made.may_read = fit && !one.refused && !one.offline;
    made.may_wait = !facts->in_database && facts->known && kin && !one.refused && !one.offline;
    if (!made.may_write && !made.may_read)
        made.refused = one.trouble.value_or(make_failure(
            errc::wrong_role,
            advice::retry,
            fmt::format("{} is not the principal of the accepted epoch", to_string(one.at))
        ));
    return made;
}

}

std::shared_ptr<const ha_adapter> pair(const store_specification& store) {
    return std::make_shared<adapter>(store);
}

}
