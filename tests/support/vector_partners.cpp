// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"
#include "support/vector_kinds.hpp"
#include "unit/answers.hpp"

#include <algorithm>

namespace hadr::test {

namespace {

constexpr const char* broker = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

cell word_of(const std::optional<entry>& of, std::string_view usual) {
    return of ? of->null() ? cell() : cell(of->text()) : cell(usual);
}

// "connected" and so on to the engine's number; null: none is configured.
cell witness_number(const std::optional<entry>& of) {
    if (!of)
        return "1";
    if (of->null())
        return std::nullopt;
    const auto word = of->word({"unknown", "connected", "disconnected"});
    return word == "connected" ? "1" : word == "disconnected" ? "2" : "0";
}

cell safety_number(const std::optional<entry>& of) {
    if (!of)
        return "2";
    return of->word({"off", "full"}) == "full" ? "2" : "1";
}

bool flag_of(const std::optional<entry>& of) {
    return of && of->flag();
}

// What a login that is no sysadmin sees of a mirror, or anybody of what is not mirrored.
void hide_mirroring(cells& row) {
    std::fill(row.begin() + 8, row.end(), cell());
}

cells database_cells(const std::string& host, fields& of, bool mirror) {
    const auto state = word_of(of.take("database"), mirror ? "RESTORING" : "ONLINE");
    const bool usable = state == "ONLINE" && !flag_of(of.take("no_access"));
    const bool inside = flag_of(of.take("inside"));
    return {
        inside ? "rtc" : "master",
        host,
        "rtc",
        state,
        flag_of(of.take("read_only")) ? "READ_ONLY" : "READ_WRITE",
        usable ? "1" : "0",
        broker,
        std::nullopt};
}

}

std::optional<answer> read_partner_evidence(const std::string& host, fields& of) {
    if (const auto none = of.take("no_database")) {
        cells row(core::sql_server::member_columns.size());
        row[0] = "master";
        row[1] = host;
        return none->flag() ? std::optional(answer_of({row})) : std::nullopt;
    }
    const auto principal = of.take("principal");
    const auto mirror = principal ? std::nullopt : of.take("mirror");
    const auto apart = principal || mirror ? std::nullopt : of.take("not_mirrored");
    if (!principal && !mirror && !apart)
        return std::nullopt;
    const bool hidden = apart || (mirror && mirror->null());
    const auto sequence = principal ? principal : mirror;
    auto row = database_cells(host, of, mirror.has_value());
    const auto lineage = of.take("session");
    row.push_back(lineage ? read_lineage(*lineage) : mirroring_session);
    row.push_back(principal ? "1" : "2");
    row.push_back(word_of(of.take("state"), "SYNCHRONIZED"));
    row.push_back(safety_number(of.take("safety")));
    row.push_back(witness_number(of.take("witness")));
    row.push_back(word_of(of.take("partner"), host == "db2" ? "db1" : "db2"));
    row.push_back(hidden ? "0" : std::to_string(sequence->number(0x7FFF'FFFF)));
    row.push_back("1");
    if (hidden)
        hide_mirroring(row);
    return answer_of({row});
}

}
