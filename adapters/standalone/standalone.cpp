// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_order.hpp"
#include "core/postgresql_member.hpp"
#include "core/sql_server_member.hpp"

#include <hadr/adapters.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace hadr::inline v0::standalone {

namespace {

using namespace std::chrono_literals;

// Rulings 14.
constexpr duration suspicion_step = 2ms;
// For how long a server that has answered is not suspected for a slow statement.
constexpr duration suspicion_rest = 25ms;
constexpr duration suspicion_length = 1s;
constexpr duration search_step = 20ms;

constexpr std::string_view any_question = "SELECT 1";

// Recovering, in transition, paused, starting.
constexpr std::array<int, 6> sql_server_coming = {921, 922, 952, 17142, 17187, 18401};

struct memory final : belief::memory {
    std::uint64_t sequence = 0;
    time_point asked = time_point::min();
    std::optional<time_point> suspected;
    bool overruled = false;
};

class adapter final : public ha_adapter {
public:
    explicit adapter(store_specification store)
        : store_(std::move(store))
        , question_(question_of(store_)) {}

    std::string_view name() const noexcept override { return "standalone"; }

    std::string_view proof() const noexcept override { return question_; }

    restraint read_only() const noexcept override {
        return store_.kind == engine::postgresql ? core::read_only_session : restraint{};
    }

    epoch_order compare(const epoch& a, const epoch& b) const noexcept override {
        return core::compare(a, b);
    }

    belief begin() const override {
        belief fresh{{}, std::make_shared<memory>()};
        member one;
        one.at = place();
        one.name = "server";
        fresh.is.members.push_back(std::move(one));
        fresh.is.cause = "nothing has been learned yet";
        return fresh;
    }

    plan next(const belief& known, time_point now) const override;
    belief apply(const belief& known, const event_seen& event, time_point now) const override;
    session_standing
    judge(const belief& known, std::size_t index, const answer& proof) const override;

    expected<operation_plan>
    consider(const belief& /*known*/, const operation& /*wanted*/, time_point /*now*/)
        const override {
        return make_failure(
            errc::rejected_by_server,
            advice::give_up,
            "Mode=standalone has one server: there is nothing to fail over to"
        );
    }

private:
    struct reading {
        bool writable = false;
        bool in_recovery = false;
        epoch reign;
    };

    static const memory& memory_of(const belief& known) {
        return static_cast<const memory&>(*known.mode);
    }

    static std::string question_of(const store_specification& store) {
        switch (store.kind) {
        case engine::postgresql: return std::string(core::member_question);
        case engine::sql_server: return core::sql_server::member_question(store.with->database);
        case engine::other: break;
        }
        return std::string(any_question);
    }

    // None where an ODBC data source or the database's file says where it is.
    endpoint place() const { return store_.servers.empty() ? endpoint() : store_.servers.front(); }

    expected<reading> read(const answer& from) const;
    expected<reading> read_sql_server(const answer& from) const;
    void take(belief& to, memory& have, time_point asked, const std::variant<answer, failure>& what)
        const;
    void take_facts(belief& to, memory& have, const reading& seen) const;
    void take_failure(belief& to, const failure& why) const;
    void take_report(belief& to, memory& have, const reported& report, time_point now) const;
    void take_ruling(belief& to, memory& have, const ruled& ruling) const;

    const store_specification store_;
    const std::string question_;
};

// A database that tells nothing of itself has one epoch: its address.
epoch epoch_of_place(const endpoint& at) {
    auto where = to_string(at);
    return {where.empty() ? "local" : std::move(where), 1, {}, {}, hadr::proof::own_word};
}

// The broker's guid is the database's own on whatever server, and for every login to see. The fork
// is another one after a restore, and needs the right to see it.
expected<adapter::reading> adapter::read_sql_server(const answer& from) const {
    const auto facts = core::sql_server::read_member(from);
    if (!facts)
        return facts.error();
    if (!facts->known)
        return make_failure(
            errc::rejected_by_server,
            advice::retry,
            to_string(place()) + " does not show this login such a database (4060)"
        );
    auto reign = epoch_of_place(place());
    if (!facts->broker.empty())
        reign.lineage = facts->broker;
    if (!facts->fork.empty())
        reign.fork = facts->fork;
    const bool writable = facts->online() && facts->read_write && facts->access;
    return reading{writable, !facts->online(), std::move(reign)};
}

expected<adapter::reading> adapter::read(const answer& from) const {
    switch (store_.kind) {
    case engine::postgresql: break;
    case engine::sql_server: return read_sql_server(from);
    case engine::other:
        if (from.rows() == 0)
            return make_failure(
                errc::unreachable, advice::retry, "the answer makes no sense (F51)"
            );
        return reading{true, false, epoch_of_place(place())};
    }
    auto facts = core::read_member(from);
    if (!facts)
        return facts.error();
    return reading{
        facts->claims() && !facts->read_only,
        facts->in_recovery,
        core::reign_of(*facts, hadr::proof::own_word)};
}

plan adapter::next(const belief& known, time_point now) const {
    const auto& have = memory_of(known);
    const bool doubted =
        have.suspected && now >= *have.suspected && now - *have.suspected < suspicion_length;
    const bool troubled = !known.is.writer || known.is.members[0].trouble;
    const auto step = doubted    ? suspicion_step
                      : troubled ? std::min(search_step, store_.watch_interval)
                                 : store_.watch_interval;
    const auto due = have.asked == time_point::min() ? now : std::max(have.asked + step, now);
    plan made;
    made.ask.push_back(
        {{subject::kind::member, 0}, std::string(proof()), {}, due, store_.watch_timeout}
    );
    made.wake = now + 2 * store_.watch_interval; // An answer comes before, and moves it.
    if (doubted)
        made.wake = *have.suspected + suspicion_length;
    else if (have.suspected && now < *have.suspected)
        made.wake = *have.suspected;
    return made;
}

void adapter::take_facts(belief& to, memory& have, const reading& seen) const {
    auto& is = to.is;
    auto& one = is.members[0];
    one.plays = seen.in_recovery ? role::standby : role::primary;
    one.writable = seen.writable;
    one.reign = seen.reign;
    one.trouble.reset();
    one.refused = false;
    is.writer.reset();
    const auto order = is.accepted ? core::compare(seen.reign, *is.accepted) : epoch_order::newer;
    if (!have.overruled && order != epoch_order::newer && order != epoch_order::same) {
        one.refused = true;
        one.trouble = make_failure(
            order == epoch_order::foreign ? errc::configuration_invalid : errc::wrong_role,
            advice::retry,
            to_string(one.at) +
                " shows an epoch that is older than or foreign to the one accepted (E2, E9, F17)"
        );
        is.cause = one.trouble->message;
        is.state = availability::action_required;
        return;
    }
    if (!seen.writable) {
        is.cause = to_string(one.at) + (seen.in_recovery ? " is in recovery" : " is read-only");
        is.state = availability::action_required;
        return;
    }
    have.overruled = false;
    auto reign = seen.reign;
    if (!reign.fork && order == epoch_order::same && is.accepted)
        reign.fork = is.accepted->fork; // The right to see it was taken away, and it was not.
    is.accepted = std::move(reign);
    is.state = availability::exposed;
    is.cause = "a lone server: its loss is an outage (B1)";
    if (!one.offline)
        is.writer = 0;
}

// Starting up or shutting down, by its own word (F33, F34).
bool comes_back(const failure& why) {
    return why.sqlstate.starts_with("57P") ||
           std::find(sql_server_coming.begin(), sql_server_coming.end(), why.native) !=
               sql_server_coming.end();
}

void adapter::take_failure(belief& to, const failure& why) const {
    auto& one = to.is.members[0];
    one.trouble = why;
    // A silence, a full server or refused credentials say nothing of its role.
    const bool refuses = why.code == errc::wrong_role || why.code == errc::no_quorum;
    if (!refuses && (why.code != errc::unreachable || why.native == local_cause))
        return;
    one.plays = role::unknown;
    one.writable = false;
    to.is.writer.reset();
    to.is.cause = why.message;
    to.is.state = comes_back(why) ? availability::failing_over : availability::action_required;
}

void adapter::take(
    belief& to, memory& have, time_point asked, const std::variant<answer, failure>& what
) const {
    if (const auto* from = std::get_if<answer>(&what)) {
        const auto seen = read(*from);
        if (seen) {
            to.is.members[0].seen = asked;
            have.suspected.reset();
            take_facts(to, have, *seen);
            return;
        }
        take_failure(to, seen.error());
    } else {
        take_failure(to, std::get<failure>(what));
    }
}

void adapter::take_report(belief& to, memory& have, const reported& report, time_point now) const {
    if (report.member != 0 || report.sequence <= have.sequence)
        return;
    if (std::holds_alternative<answer>(report.what)) {
        have.sequence = report.sequence;
        take(to, have, report.asked, report.what);
    } else if (!have.suspected && !to.is.members[0].trouble) {
        have.suspected = now;
    }
}

void adapter::take_ruling(belief& to, memory& have, const ruled& ruling) const {
    if (ruling.member != 0)
        return;
    switch (ruling.what) {
    case ruled::verdict::offline:
        to.is.members[0].offline = true;
        to.is.writer.reset();
        return;
    case ruled::verdict::online:
        to.is.members[0].offline = false;
        have.asked = time_point::min(); // Asked anew at once.
        return;
    case ruled::verdict::accept_lineage: have.overruled = true; return;
    }
}

belief adapter::apply(const belief& known, const event_seen& event, time_point now) const {
    auto made = known;
    auto have = std::make_shared<memory>(memory_of(known));
    if (const auto* seen = std::get_if<answered>(&event)) {
        const bool ours = seen->of == subject{subject::kind::member, 0};
        if (ours && seen->sequence > have->sequence) {
            have->sequence = seen->sequence;
            have->asked = std::min(seen->asked, now);
            take(made, *have, have->asked, seen->what);
        }
    } else if (const auto* report = std::get_if<reported>(&event)) {
        take_report(made, *have, *report, now);
    } else if (const auto* doubt = std::get_if<suspected>(&event)) {
        const bool rests = doubt->why == suspected::cause::slow;
        const auto from = rests ? std::max(now, have->asked + suspicion_rest) : now;
        if ((!have->suspected || *have->suspected > from) && !made.is.members[0].trouble)
            have->suspected = from;
    } else if (const auto* before = std::get_if<remembered>(&event)) {
        if (!made.is.accepted && !before->highest.lineage.empty()) {
            made.is.accepted = before->highest;
            made.is.accepted->strength = hadr::proof::none;
        }
    } else if (const auto* ruling = std::get_if<ruled>(&event)) {
        take_ruling(made, *have, *ruling);
    }
    // Rulings 14: once, until it answers.
    if (made.is.members[0].trouble && !known.is.members[0].trouble && !have->suspected)
        have->suspected = now;
    if (have->suspected && now - *have->suspected >= suspicion_length)
        have->suspected.reset();
    made.mode = std::move(have);
    return made;
}

session_standing
adapter::judge(const belief& known, std::size_t index, const answer& proof_row) const {
    session_standing made;
    const auto seen = read(proof_row);
    if (!seen || index != 0) {
        made.refused =
            seen ? make_failure(errc::wrong_role, advice::retry, "no such member") : seen.error();
        return made;
    }
    made.reign = seen->reign;
    const auto& is = known.is;
    const bool kin = !is.accepted || core::compare(seen->reign, *is.accepted) == epoch_order::same;
    made.may_write = is.writer == index && kin && seen->writable;
    made.may_read = kin && !is.members[0].refused && !is.members[0].offline;
    if (!made.may_write && !made.may_read)
        made.refused =
            make_failure(errc::wrong_role, advice::retry, "the server is of another epoch");
    return made;
}

}

}

namespace hadr::inline v0::adapters {

std::shared_ptr<const ha_adapter> standalone(const store_specification& store) {
    return std::make_shared<hadr::standalone::adapter>(store);
}

}
