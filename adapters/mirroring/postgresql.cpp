// SPDX-License-Identifier: Apache-2.0
#include "mirroring/postgresql.hpp"

#include "core/cells.hpp"
#include "core/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::inline v0::mirroring {

namespace {

constexpr std::size_t witness_columns = 8;
constexpr std::size_t nodes_max = 64;

std::string quoted(std::string_view text) {
    std::string made = "'";
    for (const char c : text)
        made += c == '\'' ? std::string("''") : std::string(1, c);
    return made + "'";
}

}

bool witness_row::named() const noexcept {
    constexpr std::array<std::string_view, 5> writing = {
        "single", "primary", "wait_primary", "join_primary", "apply_settings"};
    return std::find(writing.begin(), writing.end(), goal) != writing.end();
}

std::string witness_question(const witness_server& of) {
    return fmt::format(
        "SELECT c.nodehost, c.nodeport, c.nodename, c.current_group_state, c.assigned_group_state, "
        "c.health, "
        "n.sysidentifier, n.formationid FROM pgautofailover.current_state({0}, {1}) c "
        "JOIN pgautofailover.node n ON n.nodeid = c.node_id",
        quoted(of.formation),
        of.group
    );
}

expected<std::vector<witness_row>> read_witness(const answer& from, const witness_server& of) {
    if (from.columns() != witness_columns || from.rows() > nodes_max)
        return core::senseless("the witness");
    if (from.rows() == 0)
        return make_failure(
            errc::configuration_invalid,
            advice::retry,
            fmt::format("the witness has no formation '{}', group {} (E9)", of.formation, of.group)
        );
    std::vector<witness_row> made;
    for (std::size_t r = 0; r < from.rows(); ++r) {
        const auto port = core::number(from.at(r, 1));
        const auto host = from.at(r, 0);
        const auto goal = from.at(r, 4);
        if (!host || !port || *port == 0 || *port > 65535 || !goal)
            return core::senseless("the witness");
        if (from.at(r, 7) != of.formation)
            return make_failure(
                errc::configuration_invalid,
                advice::retry,
                fmt::format(
                    "the witness answers for another formation than '{}' (E9)", of.formation
                )
            );
        witness_row one;
        one.at.host = core::lower_case(escaped(*host, 253));
        one.at.port = static_cast<std::uint16_t>(*port);
        one.name = escaped(from.at(r, 2).value_or(""), 63);
        one.state = escaped(from.at(r, 3).value_or(""), 63);
        one.goal = escaped(*goal, 63);
        const auto health = from.at(r, 5).value_or("");
        one.health = health == "1" ? 1 : health == "0" ? 0 : -1;
        const auto lineage = core::number(from.at(r, 6)).value_or(0);
        one.lineage = lineage == 0 ? std::string() : std::to_string(lineage);
        made.push_back(std::move(one));
    }
    return made;
}

bool concerns(std::string_view channel, std::string_view payload, const witness_server& of) {
    // A hint only: what it says is asked for, never believed. Whoever shares the monitor wakes us
    // for nothing at most.
    return channel == "state" && payload.find(fmt::format("\"formation\": \"{}\"", of.formation)) !=
                                     std::string_view::npos;
}

std::string planned_failover_text(const witness_server& of) {
    return fmt::format(
        "SELECT pgautofailover.perform_failover({}, {})", quoted(of.formation), of.group
    );
}

}
