// SPDX-License-Identifier: Apache-2.0
#include "core/postgresql_member.hpp"

#include "core/cells.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::core {

// The timeline comes from the log's file name: pg_control_checkpoint() is stale after a promotion.
// CASE keeps what a standby refuses (55000) from being evaluated there. The view
// pg_stat_replication says the same as the function and takes milliseconds to plan.
const std::string_view member_question = R"(SELECT pg_is_in_recovery(),
 current_setting('transaction_read_only'),
 (SELECT system_identifier FROM pg_control_system()),
 CASE WHEN pg_is_in_recovery() THEN NULL
      ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END,
 (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
 CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() - '0/0'::pg_lsn
      ELSE pg_current_wal_insert_lsn() - '0/0'::pg_lsn END,
 current_setting('synchronous_standby_names') <> '',
 CASE WHEN pg_is_in_recovery() THEN NULL ELSE (SELECT count(*) FROM pg_stat_get_wal_senders()) END,
 CASE WHEN pg_is_in_recovery() THEN NULL ELSE (SELECT count(state) FROM pg_stat_get_wal_senders()) END,
 CASE WHEN pg_is_in_recovery() THEN NULL ELSE (SELECT count(*) FROM pg_stat_get_wal_senders()
      WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')) END)";

namespace {

constexpr std::size_t member_columns = 10;
constexpr int fork_rows_max = 16;
constexpr std::size_t fork_text_max = 64;

bool fork_like(std::string_view text) {
    return !text.empty() && text.size() <= fork_text_max &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "<row ...><forks>2=ab,1=cd</forks></row>"; without the element the table is empty.
std::optional<std::map<std::uint64_t, std::string>> read_forks(std::string_view text) {
    constexpr std::string_view opening = "<forks>";
    std::map<std::uint64_t, std::string> made;
    const auto begin = text.find(opening);
    if (begin == std::string_view::npos)
        return made;
    auto rest = text.substr(begin + opening.size());
    rest = rest.substr(0, rest.find('<'));
    while (!rest.empty() && made.size() <= fork_rows_max) {
        const auto one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        const auto equals = one.find('=');
        const auto timeline = number(one.substr(0, equals));
        if (equals == std::string_view::npos || !timeline || !fork_like(one.substr(equals + 1)))
            return std::nullopt;
        made.emplace(*timeline, one.substr(equals + 1));
    }
    return made;
}

std::optional<bool>
flag(std::optional<std::string_view> text, std::string_view yes, std::string_view no) {
    if (text == yes)
        return true;
    return text == no ? std::optional(false) : std::nullopt;
}

// As the server writes it, or as ODBC has it.
std::optional<bool> truth(std::optional<std::string_view> text) {
    const auto as_written = flag(text, "t", "f");
    return as_written ? as_written : flag(text, "1", "0");
}

}

expected<member_facts> read_member(const answer& from) {
    const bool with_forks = from.columns() == member_columns + 1;
    if (from.rows() != 1 || (from.columns() != member_columns && !with_forks))
        return senseless("the member");
    const auto in_recovery = truth(from.at(0, 0));
    const auto read_only = flag(from.at(0, 1), "on", "off");
    const auto lineage = from.at(0, 2);
    const auto own_timeline = number(from.at(0, 3), 16);
    if (!in_recovery || !read_only || !lineage || !number(lineage) ||
        (!*in_recovery && !own_timeline))
        return senseless("the member");
    member_facts made;
    made.in_recovery = *in_recovery;
    made.read_only = *read_only;
    made.lineage = *lineage;
    // A standby that never restarted shows 0 for the timeline it must recover to: unknown.
    const auto replayed = number(from.at(0, 4));
    made.timeline =
        *in_recovery ? (replayed && *replayed != 0 ? replayed : std::nullopt) : own_timeline;
    made.position = number(from.at(0, 5)).value_or(0);
    made.commits_wait = truth(from.at(0, 6)).value_or(false);
    made.standbys = number(from.at(0, 7));
    const auto visible = number(from.at(0, 8)).value_or(0);
    if (made.standbys && (visible != 0 || *made.standbys == 0))
        made.synchronous = number(from.at(0, 9));
    if (with_forks && from.at(0, member_columns)) {
        made.forks = read_forks(*from.at(0, member_columns));
        if (!made.forks)
            return senseless("the member");
    }
    return made;
}

// query_to_xml() runs its text only where the CASE lets it, so that a missing table is no error;
// nor is one that may not be seen, for which to_regclass() would fail.
std::string member_question_with_forks(std::string_view table) {
    const auto dot = table.find('.');
    const bool qualified = dot != std::string_view::npos;
    return fmt::format(
        "{0}, CASE WHEN EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = "
        "c.relnamespace WHERE c.relname = lower('{1}') AND {2} AND has_schema_privilege(n.oid, "
        "'USAGE') AND has_table_privilege(c.oid, 'SELECT')) THEN query_to_xml('SELECT "
        "string_agg(r.timeline || ''='' || r.fork, '','') AS forks FROM (SELECT timeline, fork "
        "FROM "
        "{3} ORDER BY timeline DESC LIMIT {4}) r', false, true, '')::text END",
        member_question,
        qualified ? table.substr(dot + 1) : table,
        qualified ? fmt::format("n.nspname = lower('{}')", table.substr(0, dot))
                  : std::string("pg_table_is_visible(c.oid)"),
        table,
        fork_rows_max
    );
}

std::string fork_table_text(std::string_view table) {
    return fmt::format(
        "CREATE TABLE {} (timeline bigint PRIMARY KEY, fork text NOT NULL, first_seen timestamptz "
        "NOT NULL DEFAULT clock_timestamp())",
        table
    );
}

std::string fork_row_text(std::string_view table, std::uint64_t timeline, std::uint64_t chance) {
    return fmt::format(
        "INSERT INTO {} (timeline, fork) VALUES ({}, '{:016x}') ON CONFLICT (timeline) DO NOTHING",
        table,
        timeline,
        chance
    );
}

epoch reign_of(const member_facts& facts, proof strength) {
    epoch made{facts.lineage, facts.timeline, std::nullopt, std::nullopt, strength};
    if (facts.forks && facts.timeline)
        if (const auto row = facts.forks->find(*facts.timeline); row != facts.forks->end())
            made.fork = row->second;
    return made;
}

}
