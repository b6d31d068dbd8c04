// SPDX-License-Identifier: Apache-2.0
#include "unit/partners.hpp"

#include <algorithm>

namespace hadr::test::sql_server {

namespace {

constexpr const char* broker = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

std::size_t place_of(std::string_view column) {
    const auto& all = core::sql_server::member_columns;
    return static_cast<std::size_t>(std::find(all.begin(), all.end(), column) - all.begin());
}

cells row_of(const char* role, int sequence, const sees& session) {
    return {
        "master",
        "DB?",
        "rtc",
        "ONLINE",
        "READ_WRITE",
        "1",
        broker,
        {},
        session.of,
        role,
        session.state,
        session.safety,
        session.witness,
        "DB!",
        std::to_string(sequence),
        "1"};
}

cells of_mirror(cells row) {
    row = with(std::move(row), "database_state", "RESTORING");
    row = with(std::move(row), "updateability", {});
    return with(std::move(row), "has_access", "0");
}

cells hide(cells row) {
    for (auto i = place_of("mirroring_guid"); i < row.size(); ++i)
        row[i].reset();
    return row;
}

}

cells with(cells row, std::string_view column, cell value) {
    row.at(place_of(column)) = std::move(value);
    return row;
}

cells principal(int sequence, const sees& session) {
    return row_of("1", sequence, session);
}

cells mirror(int sequence, const sees& session) {
    return of_mirror(row_of("2", sequence, session));
}

cells hidden_mirror() {
    return hide(mirror(1));
}

cells recovering(int sequence, const sees& session) {
    return with(
        with(principal(sequence, session), "database_state", "RECOVERING"), "has_access", "0"
    );
}

cells without_access(int sequence) {
    return with(principal(sequence), "has_access", "0");
}

cells not_mirrored() {
    return hide(principal(1));
}

cells no_database() {
    cells row(core::sql_server::member_columns.size());
    row[0] = "master";
    row[1] = "DB?";
    return row;
}

sees mirror_away() {
    return {"DISCONNECTED"};
}

sees no_witness(const char* state) {
    return {state, {}};
}

sees witness_lost(const char* state) {
    return {state, "2"};
}

sees isolated() {
    return witness_lost("DISCONNECTED");
}

news of(std::size_t member, cells row) {
    const bool garbage = row.size() != core::sql_server::member_columns.size();
    if (!garbage && row[1] == "DB?")
        row[1] = member == 0 ? "DB1" : "DB2";
    if (!garbage && row[13] == "DB!")
        row[13] = member == 0 ? "DB2" : "DB1";
    return {{subject::kind::member, member}, answer_of({row})};
}

news a(cells row) {
    return of(0, std::move(row));
}

news b(cells row) {
    return of(1, std::move(row));
}

news a(failure why) {
    return test::a(std::move(why));
}

news b(failure why) {
    return test::b(std::move(why));
}

partners::partners(const std::string& keys) {
    const auto store = parse(
        "Mode=mirroring;Driver=FreeTDS;Server=db1;Failover_Partner=db2;Database=rtc;UID=app;" + keys
    );
    adapter = adapters::mirroring(store.value());
    known = adapter->begin();
}

partners& partners::hears(const std::vector<news>& all) {
    for (const auto& one : all) {
        ++sequence;
        happens(answered{one.of, now, sequence, now, one.what});
    }
    return *this;
}

partners& partners::happens(const event_seen& what) {
    known = adapter->apply(known, what, now);
    now += 1ms;
    return *this;
}

const inquiry* partners::question_to(const plan& made, std::size_t member) const {
    const auto found = std::find_if(made.ask.begin(), made.ask.end(), [&](const inquiry& one) {
        return one.to == subject{subject::kind::member, member};
    });
    return found == made.ask.end() ? nullptr : &*found;
}

session_standing partners::session(std::size_t member, const cells& row) const {
    return adapter->judge(known, member, std::get<answer>(of(member, row).what));
}

expected<operation_plan>
partners::wants(operation_kind what, bool acknowledged, std::optional<std::size_t> target) const {
    return adapter->consider(known, {what, target, acknowledged}, now);
}

partners healthy(const std::string& keys) {
    partners pair(keys);
    pair.hears({a(principal(1)), b(hidden_mirror())});
    return pair;
}

}
