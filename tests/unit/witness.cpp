// SPDX-License-Identifier: Apache-2.0
#include "mirroring/decide.hpp"
#include "unit/mirrored_pair.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace hadr::test {

namespace utf = boost::unit_test;
using mirroring::member_of;
using mirroring::read_witness;
using mirroring::witness_row;

namespace {

const witness_server monitor{{"mon", 5000, ""}, "pg_auto_failover", "default", 0, {}};

cells one_node() {
    return nodes({{"db1", "primary", "primary"}}).front();
}

cells with(cells row, std::size_t column, cell value) {
    row.at(column) = std::move(value);
    return row;
}

// Every state of pg_auto_failover, and whether the node that is assigned it takes writes.
struct state {
    const char* name;
    bool writes;
};

constexpr state states[] = {
    {"init", false},
    {"single", true},
    {"primary", true},
    {"wait_primary", true},
    {"join_primary", true},
    {"apply_settings", true},
    {"wait_standby", false},
    {"catchingup", false},
    {"secondary", false},
    {"prepare_promotion", false},
    {"stop_replication", false},
    {"draining", false},
    {"demote_timeout", false},
    {"demoted", false},
    {"prepare_maintenance", false},
    {"wait_maintenance", false},
    {"maintenance", false},
    {"fast_forward", false},
    {"join_secondary", false},
    {"report_lsn", false},
    {"dropped", false},
    {"", false},
    {"PRIMARY", false},
};

}

BOOST_AUTO_TEST_SUITE(answer_of_the_witness)

BOOST_AUTO_TEST_CASE(is_read_node_by_node, *utf::label("C24") * utf::label("C25")) {
    const auto rows = read_witness(answer_of(b_is_alone()), monitor);
    BOOST_TEST_REQUIRE(rows.has_value());
    BOOST_TEST_REQUIRE(rows->size() == 2U);
    BOOST_TEST((rows->at(0) == witness_row{{"db1", 5432, ""}, "db1", ours, "primary", "demoted", 1})
    );
    BOOST_TEST(
        (rows->at(1) ==
         witness_row{{"db2", 5432, ""}, "db2", ours, "stop_replication", "wait_primary", 1})
    );
    BOOST_TEST(!rows->at(0).named());
    BOOST_TEST(rows->at(1).named());
}

BOOST_AUTO_TEST_CASE(
    names_a_primary_by_what_it_assigned_and_not_by_what_is_reported, *utf::label("E8")
) {
    for (const auto& goal : states)
        for (const auto& reported : states) {
            witness_row row;
            row.goal = goal.name;
            row.state = reported.name;
            BOOST_TEST_CONTEXT(goal.name) BOOST_TEST(row.named() == goal.writes);
        }
}

BOOST_AUTO_TEST_CASE(tells_unknown_from_bad, *utf::label("C24") * utf::label("C49")) {
    const auto read = [](const cells& row) {
        return read_witness(answer_of({row}), monitor)->front();
    };
    BOOST_TEST(read(with(one_node(), 5, "0")).health == 0);
    BOOST_TEST(read(with(one_node(), 5, "-1")).health == -1);
    BOOST_TEST(read(with(one_node(), 5, std::nullopt)).health == -1);
    BOOST_TEST(read(with(one_node(), 6, "0")).lineage.empty());
    BOOST_TEST(read(with(one_node(), 6, std::nullopt)).lineage.empty());
    BOOST_TEST(read(with(one_node(), 0, "DB1.Example")).at.host == "db1.example");
}

BOOST_AUTO_TEST_CASE(of_another_formation_is_refused, *utf::label("E9")) {
    for (const cell& formation : {cell("other"), cell("Default"), cell(""), cell()}) {
        const auto rows =
            read_witness(answer_of({one_node(), with(one_node(), 7, formation)}), monitor);
        BOOST_TEST_REQUIRE(!rows.has_value());
        BOOST_TEST(rows.error().code == errc::configuration_invalid);
        BOOST_TEST(rows.error().message.find("E9") != std::string::npos);
    }
    answer empty;
    for (int c = 0; c < 8; ++c)
        empty.add_column("c");
    BOOST_TEST(read_witness(empty, monitor).error().code == errc::configuration_invalid);
}

BOOST_AUTO_TEST_CASE(
    without_sense_is_the_witnesses_trouble, *utf::label("F51") * utf::label("X7")
) {
    const std::pair<std::size_t, cell> spoilt[] = {
        {0, std::nullopt},
        {1, std::nullopt},
        {1, ""},
        {1, "x"},
        {1, "0"},
        {1, "65536"},
        {1, "-1"},
        {4, std::nullopt}};
    for (const auto& [column, value] : spoilt) {
        const auto rows = read_witness(answer_of({with(one_node(), column, value)}), monitor);
        BOOST_TEST_REQUIRE(!rows.has_value());
        BOOST_TEST(rows.error().code == errc::unreachable);
    }
    for (std::size_t columns = 1; columns < 12; ++columns) {
        auto row = one_node();
        row.resize(columns, "x");
        BOOST_TEST(read_witness(answer_of({row}), monitor).has_value() == (columns == 8));
    }
    BOOST_TEST(!read_witness(answer(), monitor).has_value());
    BOOST_TEST(!read_witness(answer_of(std::vector<cells>(65, one_node())), monitor).has_value());
}

BOOST_AUTO_TEST_CASE(is_escaped_before_it_is_kept, *utf::label("X7") * utf::label("X4")) {
    auto row = with(with(one_node(), 4, "pri\nmary\x1b"), 0, std::string(9000, 'h') + "\n");
    const auto rows = read_witness(answer_of({row}), monitor);
    BOOST_TEST_REQUIRE(rows.has_value());
    BOOST_TEST(rows->front().goal == "pri\\x0Amary\\x1B");
    BOOST_TEST(rows->front().at.host.size() <= 253U);
    BOOST_TEST(!rows->front().named());
}

BOOST_AUTO_TEST_CASE(is_of_a_member_by_host_and_port, *utf::label("C43") * utf::label("C49")) {
    const auto row = [](const char* host, std::uint16_t port) {
        witness_row made;
        made.at = {host, port, ""};
        return made;
    };
    const std::vector<endpoint> apart{{"db1", 0, ""}, {"db2", 5432, ""}};
    BOOST_TEST((member_of(row("db1", 5432), apart) == 0U));
    BOOST_TEST((member_of(row("db2", 5432), apart) == 1U));
    BOOST_TEST((member_of(row("db3", 5432), apart) == std::nullopt)); // C47: not ours to guess.
    BOOST_TEST((member_of(row("db1", 5433), apart) == std::nullopt));
    const std::vector<endpoint> together{{"localhost", 5001, ""}, {"localhost", 5002, ""}};
    BOOST_TEST((member_of(row("127.0.0.1", 5002), together) == 1U)
    ); // One machine, another spelling.
    BOOST_TEST((member_of(row("127.0.0.1", 5003), together) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(
    is_asked_for_one_formation_whatever_its_name, *utf::label("X5") * utf::label("E9")
) {
    auto odd = monitor;
    odd.formation = "a'b; DROP TABLE x --";
    odd.group = 7;
    BOOST_TEST(
        mirroring::witness_question(odd).find("current_state('a''b; DROP TABLE x --', 7)") !=
        std::string::npos
    );
    BOOST_TEST(
        mirroring::planned_failover_text(odd) ==
        "SELECT pgautofailover.perform_failover('a''b; DROP TABLE x --', 7)"
    );
}

BOOST_AUTO_TEST_CASE(is_hinted_at_on_its_own_channel_and_formation_only, *utf::label("E9")) {
    const auto* payload = R"({"type": "state", "formation": "default", "groupId": 0, "nodeId": 1})";
    BOOST_TEST(mirroring::concerns("state", payload, monitor));
    BOOST_TEST(!mirroring::concerns("log", payload, monitor));
    auto other = monitor;
    other.formation = "other";
    BOOST_TEST(!mirroring::concerns("state", payload, other));
    BOOST_TEST(!mirroring::concerns("state", "", monitor));
}

BOOST_AUTO_TEST_SUITE_END()

}
