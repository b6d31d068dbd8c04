// SPDX-License-Identifier: Apache-2.0
#include "mirroring/sql_server.hpp"

#include <fmt/format.h>

namespace hadr::inline v0::mirroring::sql_server {

namespace {

aged_link partners_link(const member_facts& by, time_point asked) {
    switch (by.mirroring) {
    case mirroring_state::disconnected: return {link::cut, asked};
    case mirroring_state::synchronizing:
    case mirroring_state::pending_failover:
    case mirroring_state::synchronized: return {link::up, asked};
    case mirroring_state::suspended: // By an operator, or for want of the link.
    case mirroring_state::unknown: break;
    }
    return {link::unknown, asked};
}

std::string_view word_of(mirroring_state state) noexcept {
    switch (state) {
    case mirroring_state::synchronized: return "synchronized";
    case mirroring_state::pending_failover: return "pending failover";
    case mirroring_state::synchronizing: return "synchronizing";
    case mirroring_state::suspended: return "suspended";
    case mirroring_state::disconnected: return "disconnected";
    case mirroring_state::unknown: break;
    }
    return "unknown";
}

}

aged_link witness_link_of(const member_facts& by, time_point asked) {
    if (by.witness == witness_link::connected)
        return {link::up, asked};
    return {by.witness == witness_link::disconnected ? link::cut : link::unknown, asked};
}

synchrony synchrony_of(mirroring_state state) noexcept {
    switch (state) {
    case mirroring_state::synchronized:
    case mirroring_state::pending_failover: return synchrony::synchronized;
    case mirroring_state::synchronizing: return synchrony::synchronizing;
    case mirroring_state::suspended:
    case mirroring_state::disconnected: return synchrony::suspended;
    case mirroring_state::unknown: break;
    }
    return synchrony::unknown;
}

std::string words_of(const member_facts& facts) {
    switch (facts.plays) {
    case part::principal:
        return fmt::format("principal, {}, {}", word_of(facts.mirroring), facts.state);
    case part::mirror: return fmt::format("mirror, {}, {}", word_of(facts.mirroring), facts.state);
    case part::unknown: break;
    }
    return facts.known ? facts.state : "no such database";
}

std::optional<failure> unfit(const member_facts& row, const endpoint& place) {
    const auto at = to_string(place);
    if (!row.known)
        return make_failure(
            errc::rejected_by_server,
            advice::retry,
            fmt::format("{} does not show this login such a database (4060)", at)
        );
    if (row.claims() && row.online() && !row.access)
        return make_failure(
            errc::standby_not_provisioned,
            advice::retry,
            fmt::format("the login has no access to the database of {} (C41)", at)
        );
    if (row.plays == part::unknown && row.online())
        return make_failure(
            errc::wrong_role,
            advice::retry,
            fmt::format("the database of {} is not mirrored, or not to be seen to be", at)
        );
    return std::nullopt;
}

links own_links(const member_facts& principal, time_point asked) {
    return {
        principal.witness.has_value(),
        partners_link(principal, asked),
        witness_link_of(principal, asked),
        {}};
}

links links_of(const evidence& known, const member_facts& principal, time_point asked) {
    auto made = own_links(principal, asked);
    for (const auto& one : known.members) {
        if (!one.facts || one.facts->plays != part::mirror || one.facts->guid != principal.guid ||
            one.facts->sequence != principal.sequence)
            continue;
        made.partners = later(made.partners, partners_link(*one.facts, one.facts_asked));
        made.mirror_witness = witness_link_of(*one.facts, one.facts_asked);
    }
    return made;
}

}
