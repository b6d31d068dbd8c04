// SPDX-License-Identifier: Apache-2.0
#include "core/postgresql_member.hpp"
#include "fuzz/answer_maker.hpp"
#include "mirroring/postgresql.hpp"

namespace hadr::test {

namespace {

void read_both(byte_reader& from) {
    witness_server of;
    of.product = "pg_auto_failover";
    answer_maker make(from);
    const auto member = core::read_member(make.member());
    if (member) {
        must(!member->lineage.empty(), "a member has a lineage");
        must(member->in_recovery || member->timeline.has_value(), "a primary has a timeline");
        const auto reign = core::reign_of(*member, proof::own_word);
        must(reign.lineage == member->lineage && reign.term == member->timeline, "as its epoch");
    } else {
        must(member.error().code == make_error_code(errc::unreachable), "else no sense (F51)");
    }
    const auto rows = mirroring::read_witness(make.witness(), of);
    if (!rows) {
        must(!rows.error().message.empty(), "the error of a witness has a message");
        return;
    }
    must(!rows->empty(), "a witness that answers knows a node");
    for (const auto& row : *rows) {
        must(row.at.port != 0, "a node has a port");
        must(!row.goal.empty() || !row.named(), "a node is named by its goal");
        for (const auto* text : {&row.at.host, &row.name, &row.state, &row.goal, &row.lineage})
            for (const char c : *text)
                must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "text is printable");
    }
    mirroring::concerns(from.text(), from.text(), of);
}

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    hadr::test::byte_reader from(bytes, count);
    while (!from.empty())
        hadr::test::read_both(from);
    return 0;
}
