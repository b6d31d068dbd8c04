// SPDX-License-Identifier: Apache-2.0
#include "unit/mirrored_pair.hpp"

#include <fmt/format.h>

namespace hadr::test {

cells primary(int timeline, const char* lineage) {
    return {"f", "off", lineage, fmt::format("{:08X}", timeline), "0", "5000", "t", "1", "1", "1"};
}

cells promoted_not_yet_writable(int timeline) {
    auto row = primary(timeline);
    row[1] = "on";
    return row;
}

cells standby(int timeline, const char* lineage) {
    return {"t", "on", lineage, {}, std::to_string(timeline), "4900", "f", {}, {}, {}};
}

failure down() {
    return make_failure(errc::unreachable, advice::retry, "refused");
}

failure silent() {
    return make_failure(errc::deadline_exceeded, advice::retry, "no answer");
}

failure starting() {
    auto why = make_failure(errc::unreachable, advice::retry, "starting up");
    why.sqlstate = "57P03";
    return why;
}

failure full() {
    auto why = make_failure(errc::rejected_by_server, advice::retry, "too many sessions");
    why.sqlstate = "53300";
    return why;
}

failure wrong_password() {
    auto why = make_failure(errc::rejected_by_server, advice::give_up, "login refused");
    why.sqlstate = "28P01";
    return why;
}

failure no_such_name() {
    auto why = make_failure(errc::unreachable, advice::retry, "the name does not resolve");
    why.native = local_cause;
    return why;
}

std::vector<cells> nodes(const std::vector<node>& all) {
    std::vector<cells> rows;
    for (const auto& one : all)
        rows.push_back(
            {one.host, "5432", one.host, one.state, one.goal, "1", one.lineage, one.formation}
        );
    return rows;
}

std::vector<cells> a_is_primary() {
    return nodes({{"db1", "primary", "primary"}, {"db2", "secondary", "secondary"}});
}

std::vector<cells> b_is_primary() {
    return nodes({{"db1", "secondary", "secondary"}, {"db2", "primary", "primary"}});
}

std::vector<cells> a_is_alone() {
    return nodes({{"db1", "wait_primary", "wait_primary"}, {"db2", "secondary", "catchingup"}});
}

std::vector<cells> b_is_alone() {
    return nodes({{"db1", "primary", "demoted"}, {"db2", "stop_replication", "wait_primary"}});
}

std::vector<cells> nobody_is_named() {
    return nodes({{"db1", "primary", "draining"}, {"db2", "secondary", "secondary"}});
}

std::vector<cells> b_is_prepared() {
    return nodes({{"db1", "primary", "draining"}, {"db2", "secondary", "prepare_promotion"}});
}

namespace {

news of_member(std::size_t index, const cells& row) {
    return {{subject::kind::member, index}, answer_of({row})};
}

news of_member(std::size_t index, failure why) {
    return {{subject::kind::member, index}, std::move(why)};
}

}

news a(const cells& row) {
    return of_member(0, row);
}

news a(failure why) {
    return of_member(0, std::move(why));
}

news b(const cells& row) {
    return of_member(1, row);
}

news b(failure why) {
    return of_member(1, std::move(why));
}

news w(const std::vector<cells>& rows) {
    return {{subject::kind::witness, 0}, answer_of(rows)};
}

news w(failure why) {
    return {{subject::kind::witness, 0}, std::move(why)};
}

mirrored_pair::mirrored_pair(const std::string& keys) {
    const auto store = parse(
        "Mode=mirroring;Driver=libpq;Server=db1:5432;Failover_Partner=db2:5432;Database=rtc;UID="
        "app;" +
        keys
    );
    adapter = adapters::mirroring(store.value());
    known = adapter->begin();
}

mirrored_pair& mirrored_pair::hears(const std::vector<news>& all) {
    for (const auto& one : all) {
        ++sequence;
        happens(answered{one.of, now, sequence, now, one.what});
    }
    return *this;
}

mirrored_pair& mirrored_pair::happens(const event_seen& what) {
    known = adapter->apply(known, what, now);
    now += 1ms;
    return *this;
}

mirrored_pair& mirrored_pair::rules(ruled::verdict what, std::size_t member) {
    return happens(ruled{what, member});
}

mirrored_pair&
mirrored_pair::remembers(std::optional<std::uint64_t> timeline, const char* lineage) {
    return happens(remembered{{lineage, timeline, {}, {}, proof::engine_named}, {}});
}

session_standing mirrored_pair::session(std::size_t member, const cells& proof) const {
    return adapter->judge(known, member, answer_of({proof}));
}

expected<operation_plan> mirrored_pair::wants(
    operation_kind what, bool acknowledged, std::optional<std::size_t> target
) const {
    return adapter->consider(known, {what, target, acknowledged}, now);
}

mirrored_pair healthy(const std::string& keys) {
    mirrored_pair pair(keys);
    if (keys.find("Witness=") != std::string::npos)
        pair.hears(w(a_is_primary()));
    pair.hears({a(primary(1)), b(standby(1))});
    return pair;
}

}
