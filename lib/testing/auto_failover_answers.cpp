// SPDX-License-Identifier: Apache-2.0
#include "testing/auto_failover.hpp"
#include "testing/read_only.hpp"

#include <array>
#include <cstdio>

namespace hadr::inline v0::testing {

bool auto_failover::takes(wire& on, node& at) {
    const std::string_view text = on.text;
    if (text == read_only_on || text == read_only_off) {
        on.read_only = text == read_only_on;
        finish(on, "SET");
        return true;
    }
    if (text.find("pg_is_in_recovery()") == std::string_view::npos)
        return false;
    describe(on, at);
    return true;
}

std::optional<refusal> auto_failover::forbids_write(const wire& on, const node& at) const {
    if (at.in_recovery || at.read_only || on.read_only)
        return refusal::read_only;
    return std::nullopt;
}

failure auto_failover::failure_of(refusal what) const {
    struct row {
        errc code;
        advice next;
        const char* sqlstate;
    };
    constexpr std::array<row, 8> rows = {{
        {errc::rejected_by_server, advice::retry, "53300"},
        {errc::unreachable, advice::retry, "57P03"},
        {errc::rejected_by_server, advice::give_up, "28P01"},
        {errc::rejected_by_server, advice::retry, "25P02"},
        {errc::wrong_role, advice::retry, "25006"},
        {errc::rejected_by_server, advice::give_up, "23505"},
        {errc::rejected_by_server, advice::give_up, "55000"},
        {errc::rejected_by_server, advice::give_up, "42P01"},
    }};
    const auto& one = rows[static_cast<std::size_t>(what)];
    auto made = make_failure(
        one.code,
        one.next,
        what == refusal::read_only ? "the session is read-only" : "the server refused the statement"
    );
    made.sqlstate = one.sqlstate;
    return made;
}

void auto_failover::mark_lost(const wire& on, failure& why) const {
    if (on.last_words)
        why.sqlstate = "57P01";
}

transaction_status auto_failover::after_failure(transaction_status was) const noexcept {
    return was == transaction_status::open ? transaction_status::failed : was;
}

expected<void> auto_failover::administer(node& at, std::string_view /*statement*/) {
    bug_in_test(std::string(to_string(at.which)) + " is no SQL Server");
}

simulated_write auto_failover::written_by(std::string_view text) const {
    return write_of(text);
}

// The row of core's member_question.
void auto_failover::describe(wire& on, const node& at) {
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    if (into != nullptr) {
        constexpr std::array<std::string_view, 10> names = {
            "recovery",
            "read_only",
            "system",
            "timeline",
            "replayed",
            "position",
            "waits",
            "standbys",
            "visible",
            "synchronous"};
        for (const auto name : names)
            into->add_column(name);
        char timeline[9] = {};
        std::snprintf(timeline, sizeof timeline, "%08X", static_cast<unsigned>(at.timeline));
        const bool primary = !at.in_recovery;
        const auto& standby = other(at);
        const std::string_view standbys = standby.streaming && !on.stranger ? "1" : "0";
        const auto replayed = std::to_string(at.timeline);
        const auto position = std::to_string(50'000'000 + at.log.size() * 120);
        const auto only_primary = [&](std::string_view text) {
            return primary ? std::optional(text) : std::nullopt;
        };
        into->add_value(primary ? "f" : "t");
        into->add_value(!primary || at.read_only || on.read_only ? "on" : "off");
        into->add_value(at.lineage);
        into->add_value(only_primary(timeline));
        into->add_value(replayed);
        into->add_value(position);
        into->add_value(at.synchronous ? "t" : "f");
        into->add_value(only_primary(standbys));
        into->add_value(only_primary(standbys));
        into->add_value(only_primary(at.synchronous ? standbys : "0"));
    }
    finish(on, "SELECT 1");
}

void auto_failover::answer_witness(wire& on) {
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    const std::string_view text = on.text;
    if (text.starts_with("LISTEN"))
        on.listens = true;
    if (text.find("perform_failover(") != std::string_view::npos && !perform_failover()) {
        refuse(on, refusal::no_failover);
        return;
    }
    if (into != nullptr &&
        text.find("pgautofailover.current_state('default', 0)") != std::string_view::npos) {
        constexpr std::array<std::string_view, 8> names = {
            "nodehost",
            "nodeport",
            "nodename",
            "current_group_state",
            "assigned_group_state",
            "health",
            "sysidentifier",
            "formationid"};
        for (const auto name : names)
            into->add_column(name);
        const auto& rows = stale ? *stale : known;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto where = simulated_store::at(nodes[i].which);
            into->add_value(where.host);
            into->add_value(std::to_string(where.port));
            into->add_value(to_string(nodes[i].which));
            into->add_value(to_string(rows[i].reported));
            into->add_value(to_string(rows[i].goal));
            into->add_value(rows[i].healthy() ? "1" : "0");
            into->add_value(nodes[i].lineage);
            into->add_value("default");
        }
    }
    finish(on, "SELECT");
}

}
