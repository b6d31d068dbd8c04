// SPDX-License-Identifier: Apache-2.0
// What a simulated SQL Server takes and says.
#include "core/sql_server_member.hpp"
#include "testing/database_mirroring.hpp"
#include "testing/sql_server_failures.hpp"

#include <array>

namespace hadr::inline v0::testing {

namespace {

constexpr std::string_view use_word = "USE ";
constexpr std::string_view alter_words = "ALTER DATABASE ";

bool of_ledger(std::string_view text) noexcept {
    return text == "ledger" || text.starts_with("contains ");
}

// As the server writes a guid.
std::string in_capitals(std::string text) {
    for (char& one : text)
        one = one >= 'a' && one <= 'f' ? static_cast<char>(one - 'a' + 'A') : one;
    return text;
}

std::string_view server_name(site of) noexcept {
    return of == site::one ? "ONE" : "TWO";
}

}

failure database_mirroring::failure_of(refusal what) const {
    constexpr std::array<int, 8> numbers = {17809, 18401, 18456, 3902, 3906, 2627, 1422, 208};
    return sql_server_failure(
        numbers[static_cast<std::size_t>(what)],
        what == refusal::read_only ? "the database is read-only"
                                   : "the server refused the statement"
    );
}

// Why the database cannot be opened there now; 0 if it can.
int database_mirroring::closed(const node& at) const noexcept {
    const auto& mine = partners[place(at)];
    if (at.in_recovery)
        return rules.mirror_refusal;
    if (mine.serves)
        return 0;
    if (mine.recovering || mine.state == mirroring_state::pending_failover)
        return 952;
    return world.now() - mine.started < partner_timeout && at.boot > 1 ? 956 : 955;
}

std::optional<failure> database_mirroring::closed_to(wire& on) {
    const auto where = to_string(simulated_store::at(on.with, engine::sql_server));
    on.in_master = on.database == core::sql_server::neutral_database;
    if (on.in_master)
        return std::nullopt;
    const bool known = on.with != site::witness && on.database == rules.database;
    const int native = !known ? 4060 : on.stranger ? 0 : closed(served_by(on));
    if (native == 0)
        return std::nullopt;
    return sql_server_failure(native, where + " refused the login to its database");
}

// A server like others that holds no copy; nothing of the mirroring can be asked of it (C9).
void database_mirroring::answer_witness(wire& on) {
    finish(on, "SELECT");
}

bool database_mirroring::takes(wire& on, node& at) {
    std::string_view text = on.text;
    if (text.starts_with(use_word)) {
        const auto end = std::min(text.find(';'), text.size());
        if (auto moved = move_session(on, at, text.substr(use_word.size(), end - use_word.size()));
            !moved) {
            fail(on, std::move(moved.error()));
            return true;
        }
        text = text.substr(end);
        if (text.empty()) {
            finish(on, "USE");
            return true;
        }
    }
    if (text.find("sys.database_mirroring") != std::string_view::npos) {
        describe(on, at);
        return true;
    }
    if (text.starts_with(alter_words)) {
        const auto serving = on.serving;
        auto done = on.stranger ? expected<void>(sql_server_failure(1416, "not mirrored"))
                                : administer(at, text);
        if (!on.served || on.serving != serving)
            return true; // It ended its own session.
        if (done)
            finish(on, "ALTER DATABASE");
        else
            fail(on, std::move(done.error()));
        return true;
    }
    if (!on.in_master || !of_ledger(text))
        return false;
    refuse(on, refusal::no_such_table);
    return true;
}

expected<void> database_mirroring::move_session(wire& on, const node& at, std::string_view name) {
    if (name.size() > 2 && name.front() == '[' && name.back() == ']')
        name = name.substr(1, name.size() - 2);
    const bool master = name == core::sql_server::neutral_database;
    if (!master && name != rules.database)
        return sql_server_failure(911, "there is no such database");
    if (const int native = master || on.stranger ? 0 : closed(at); native != 0)
        return sql_server_failure(native == 4060 ? 954 : native, "the database cannot be opened");
    on.in_master = master;
    return {};
}

std::optional<refusal> database_mirroring::forbids_write(const wire& on, const node& at) const {
    if (on.in_master)
        return refusal::no_such_table;
    if (at.read_only)
        return refusal::read_only;
    return std::nullopt;
}

void database_mirroring::mark_lost(const wire& on, failure& why) const {
    if (!on.last_words)
        return;
    why.native = 596;
    why.sqlstate = "42000";
}

simulated_write database_mirroring::written_by(std::string_view text) const {
    return text.starts_with(alter_words) ? simulated_write{} : write_of(text);
}

// What the server says at a login to the principal's database (ENVCHANGE 13).
std::string_view
database_mirroring::reported(const wire& on, std::string_view name) const noexcept {
    const bool server = on.with != site::witness && !on.stranger;
    if (name != "failover_partner" || !server || on.in_master)
        return {};
    return server_name(on.with == site::one ? site::two : site::one);
}

bool database_mirroring::shown(const node& at) const noexcept {
    return partners[place(at)].serves || rules.sysadmin;
}

// The row of core's member_question.
void database_mirroring::describe(wire& on, const node& at) {
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    if (into != nullptr) {
        const int native = on.stranger ? 0 : closed(at);
        const bool open = native == 0;
        for (const auto name : core::sql_server::member_columns)
            into->add_column(name);
        into->add_value(on.in_master ? core::sql_server::neutral_database : rules.database);
        into->add_value(server_name(on.with));
        into->add_value(rules.database);
        into->add_value(at.in_recovery ? "RESTORING" : open ? "ONLINE" : "RECOVERING");
        into->add_value(
            !open ? std::nullopt : std::optional(at.read_only ? "READ_ONLY" : "READ_WRITE")
        );
        into->add_value(open ? "1" : "0");
        into->add_value(
            on.stranger ? "A0000000-0000-0000-0000-000000000009"
                        : "B0000000-0000-0000-0000-000000000001"
        );
        into->add_value(std::nullopt);
        describe_mirroring(*into, at, on.stranger);
    }
    finish(on, "SELECT 1");
}

void database_mirroring::describe_mirroring(answer& into, const node& at, bool stranger) const {
    const auto& mine = partners[place(at)];
    const bool any = stranger || shown(at);
    const auto add = [&](std::string_view text) {
        into.add_value(any ? std::optional(text) : std::nullopt);
    };
    const bool hears_witness = contacts[place(at)][witness].connected;
    add(in_capitals(at.lineage));
    add(at.in_recovery ? "2" : "1");
    add(stranger ? "SYNCHRONIZED" : to_string(mine.state));
    add(mine.full ? "2" : "1");
    into.add_value(!any || !has_witness ? std::nullopt : std::optional(hears_witness ? "1" : "2"));
    add(stranger ? "OTHER" : server_name(other(at).which));
    add(std::to_string(at.timeline));
    add(std::to_string(34'000'000'000'000'001 + mine.failover_lsn * 100'000));
}

}
