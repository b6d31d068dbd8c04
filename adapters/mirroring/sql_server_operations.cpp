// SPDX-License-Identifier: Apache-2.0
#include "core/allowed_actions.hpp"
#include "mirroring/sql_server.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::mirroring::sql_server {

namespace {

failure refused(std::string why) {
    return make_failure(errc::rejected_by_server, advice::give_up, std::move(why));
}

bool answers(const member& one) noexcept {
    return !one.refused && !one.trouble;
}

// A principal that no session goes to, because it is offline or without quorum, is connected too.
bool principal_answers(const topology& is) {
    return std::any_of(is.members.begin(), is.members.end(), [](const member& one) {
        return one.plays == role::primary && answers(one);
    });
}

// Whatever else is the matter with it.
bool shows_a_principal(const topology& is) {
    return std::any_of(is.members.begin(), is.members.end(), [](const member& one) {
        return one.plays == role::primary;
    });
}

const member_facts* speaker_of(const topology& is, const evidence& known) {
    if (is.writer && *is.writer < known.members.size() && known.members[*is.writer].facts)
        return &*known.members[*is.writer].facts;
    if (known.principal)
        return &known.principal->facts;
    for (std::size_t i = 0; i < known.members.size(); ++i)
        if (const auto& row = known.members[i].facts;
            row && row->plays == part::mirror && answers(is.members[i]))
            return &*row;
    return nullptr;
}

std::size_t only_standby(const topology& is) {
    const auto found = std::find_if(is.members.begin(), is.members.end(), [](const member& one) {
        return one.plays == role::standby && answers(one);
    });
    return static_cast<std::size_t>(found - is.members.begin());
}

// One without sysadmin shows nothing of its part after its principal has gone: an operator may
// name it, and the server itself refuses if it is no mirror.
bool may_be_mirror(const evidence& known, std::size_t i) {
    const auto& row = known.members[i].facts;
    return row && row->known && !row->online() && row->plays == part::unknown;
}

operation_step step_on(std::size_t member, std::string text, std::string why) {
    return {operation_step::place::member, member, std::move(text), std::move(why)};
}

expected<operation_plan>
planned(operation_plan made, const topology& is, const std::string& database) {
    if (!is.writer || made.to >= is.members.size() || is.members[made.to].plays != role::standby ||
        !answers(is.members[made.to]))
        return refused("the target is no mirror that answers (C36)");
    made.from = *is.writer;
    made.warnings.emplace_back("what is under way on the principal is rolled back (C36)");
    made.steps.push_back(step_on(
        made.from,
        core::sql_server::planned_failover_text(database),
        fmt::format("give the role of {} away", to_string(is.members[made.from].at))
    ));
    return made;
}

expected<operation_plan> forced(
    operation_plan made, const topology& is, const evidence& known, const std::string& database
) {
    const bool here = made.to < is.members.size() && answers(is.members[made.to]);
    const bool shown = here && is.members[made.to].plays == role::standby;
    if (!shown && !(here && made.wanted.target && may_be_mirror(known, made.to)))
        return refused("the target is no mirror that answers");
    if (!made.wanted.data_loss_acknowledged)
        return refused("a forced failover may lose commits: set data_loss_acknowledged (C22)");
    if (!shown)
        made.warnings.emplace_back("the mirror does not show its part to this login (sysadmin)");
    if (is.replication != synchrony::synchronized)
        made.warnings.emplace_back("what the mirror has not received is lost");
    if (known.principal && known.principal->mirror_lost_since)
        made.warnings.emplace_back("the mirror was away when the principal was lost: what that one "
                                   "committed meanwhile is lost (C33)");
    made.warnings.emplace_back(
        "keep applications off the old principal before it returns: nothing fences it (C37)"
    );
    made.warnings.emplace_back(
        "the session is suspended afterwards: SET PARTNER RESUME discards what the old principal "
        "had alone, SET PARTNER OFF keeps it for salvage; neither is done here (C38)"
    );
    made.steps.push_back(step_on(
        made.to,
        core::sql_server::forced_failover_text(database),
        fmt::format("force {} into service", to_string(is.members[made.to].at))
    ));
    return made;
}

}

expected<operation_plan> consider(
    const topology& is,
    const evidence& known,
    const store_specification& store,
    const operation& wanted
) {
    const auto* by = speaker_of(is, known);
    const bool forces = wanted.what == operation_kind::forced_failover;
    if (forces && by == nullptr && !principal_answers(is))
        return refused("no principal has been heard since this process began, so that nobody here "
                       "knows whether the witness or the mirror has all it needs (C28)");
    const core::mirroring_situation situation{
        by != nullptr ? by->safety != safety_level::off : store.synchronous,
        is.replication,
        is.witness,
        principal_answers(is),
        is.state == availability::action_required && !shows_a_principal(is)};
    if (auto why = core::refusal(situation, wanted.what))
        return refused(*std::move(why));
    operation_plan made;
    made.wanted = wanted;
    made.from = known.principal ? known.principal->by : 0;
    made.to = wanted.target.value_or(only_standby(is));
    const auto& database = store.with->database;
    return forces ? forced(std::move(made), is, known, database)
                  : planned(std::move(made), is, database);
}

}
