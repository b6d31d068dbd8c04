// SPDX-License-Identifier: Apache-2.0
#include "support/vector_kinds.hpp"
#include "unit/answers.hpp"

#include <fmt/format.h>

#include <limits>

namespace hadr::test {

namespace {

constexpr std::uint64_t timeline_max = 0xFFFF'FFFF;
constexpr std::uint64_t bytes_of_log_max = std::numeric_limits<std::int64_t>::max();

failure failure_of_state(const std::string& sqlstate) {
    // As the driver has it of a login.
    auto made = sqlstate.starts_with("57P")
                    ? make_failure(errc::unreachable, advice::retry, "takes no logins now")
                : sqlstate.starts_with("28")
                    ? make_failure(errc::rejected_by_server, advice::give_up, "login refused")
                    : make_failure(errc::rejected_by_server, advice::retry, "no session left");
    made.sqlstate = sqlstate;
    return made;
}

failure read_failure(const entry& why) {
    const auto word = why.word(
        {"refused",
         "silent",
         "name",
         "read_only",
         "lost",
         "53300",
         "28P01",
         "28000",
         "57P01",
         "57P02",
         "57P03"}
    );
    if (word == "refused")
        return make_failure(errc::unreachable, advice::retry, "nobody listens there");
    if (word == "silent")
        return make_failure(errc::deadline_exceeded, advice::retry, "no answer in time");
    if (word == "read_only")
        return make_failure(errc::wrong_role, advice::retry, "the session is read-only");
    if (word == "lost")
        return make_failure(errc::outcome_unknown, advice::verify, "the session was lost");
    if (word == "name") {
        auto made = make_failure(errc::unreachable, advice::retry, "the name does not resolve");
        made.native = local_cause;
        return made;
    }
    return failure_of_state(word);
}

cells read_cells(const entry& of) {
    cells made;
    for (const auto& one : of.items())
        made.push_back(one.null() ? cell() : cell(one.text()));
    return made;
}

// What query_to_xml() makes of the rows; nothing if the table may not be read.
cell read_fork_rows(const entry& of) {
    if (of.null())
        return std::nullopt;
    std::string rows;
    for (const auto& [timeline, fork] : of.named())
        rows += fmt::format("{}{}={}", rows.empty() ? "" : ",", timeline, fork.text());
    return rows.empty() ? "<row xmlns:xsi=\"x\">\n</row>\n"
                        : fmt::format("<row xmlns:xsi=\"x\">\n  <forks>{}</forks>\n</row>\n", rows);
}

cells primary_cells(const entry& timeline, fields& of) {
    const auto number = [&](std::string_view name, std::uint64_t usual) {
        const auto given = of.take(name);
        return std::to_string(given ? given->number(bytes_of_log_max) : usual);
    };
    const auto lineage = of.take("lineage");
    const auto read_only = of.take("read_only");
    const auto synchronous = of.take("synchronous");
    const bool visible = !synchronous || !synchronous->null();
    const auto position = number("position", 5000);
    const auto standbys = number("standbys", 1);
    return {
        "f",
        read_only && read_only->flag() ? "on" : "off",
        lineage ? read_lineage(*lineage) : "7301234567890123456",
        fmt::format("{:08X}", timeline.number(timeline_max)),
        "0",
        position,
        "t",
        standbys,
        visible ? standbys : "0",
        synchronous && visible ? std::to_string(synchronous->number(64))
        : visible              ? standbys
                               : "0"};
}

cells standby_cells(const entry& timeline, fields& of) {
    const auto lineage = of.take("lineage");
    const auto position = of.take("position");
    return {
        "t",
        "on",
        lineage ? read_lineage(*lineage) : "7301234567890123456",
        std::nullopt,
        std::to_string(timeline.null() ? 0 : timeline.number(timeline_max)),
        std::to_string(position ? position->number(bytes_of_log_max) : 4900),
        "f",
        std::nullopt,
        std::nullopt,
        std::nullopt};
}

cells read_witness_row(const entry& of) {
    const auto parts = of.items();
    if (parts.size() != 3 && parts.size() != 4)
        of.wrong("is no [host, reported state, assigned state] with an object of more, maybe");
    cells made{
        parts[0].text(),
        "5432",
        parts[0].text(),
        parts[1].text(),
        parts[2].text(),
        "1",
        "7301234567890123456",
        "default"};
    if (parts.size() == 3)
        return made;
    fields more(parts[3]);
    if (const auto port = more.take("port"))
        made[1] = std::to_string(port->number(65535));
    if (const auto name = more.take("name"))
        made[2] = name->text();
    if (const auto health = more.take("health"))
        made[5] = health->word({"1", "0", "-1"});
    if (const auto lineage = more.take("lineage"))
        made[6] = read_lineage(*lineage);
    if (const auto formation = more.take("formation"))
        made[7] = formation->text();
    more.finish();
    return made;
}

// As many columns as are asked for, also where there is no row.
answer answer_of_witness(const std::vector<cells>& rows) {
    if (!rows.empty())
        return answer_of(rows);
    answer made;
    for (int i = 0; i < 8; ++i)
        made.add_column("c");
    made.finish("SELECT 0", 0, transaction_status::idle);
    return made;
}

}

std::string read_lineage(const entry& of) {
    const auto word = of.word({"ours", "foreign", "unknown", "session", "other_session"});
    if (word.ends_with("session"))
        return word == "session" ? mirroring_session : "99999999-2222-3333-4444-555555555555";
    return word == "ours" ? "7301234567890123456" : word == "foreign" ? "7999999999999999999" : "0";
}

std::variant<answer, failure> read_member_evidence(const std::string& host, fields& of) {
    if (auto partner = read_partner_evidence(host, of))
        return *std::move(partner);
    if (const auto why = of.take("fails"))
        return read_failure(*why);
    if (const auto said = of.take("says"))
        return answer_of({read_cells(*said)});
    const auto standby = of.take("standby");
    auto row = standby ? standby_cells(*standby, of) : primary_cells(of.need("primary"), of);
    if (const auto forks = of.take("forks"))
        row.push_back(read_fork_rows(*forks));
    return answer_of({row});
}

std::variant<answer, failure> read_witness_evidence(const entry& of) {
    std::vector<cells> rows;
    if (of.list()) {
        for (const auto& one : of.items())
            rows.push_back(read_witness_row(one));
        return answer_of_witness(rows);
    }
    fields all(of);
    if (const auto why = all.take("fails")) {
        auto made = read_failure(*why);
        all.finish();
        return made;
    }
    const auto said = all.need("says");
    for (const auto& one : said.items()) {
        rows.push_back(read_cells(one));
        if (rows.back().size() != rows.front().size())
            one.wrong("has another number of cells than the first row");
    }
    all.finish();
    return answer_of_witness(rows);
}

}
