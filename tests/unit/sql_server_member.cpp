// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"

#include "unit/partners.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test::sql_server {

namespace utf = boost::unit_test;
namespace asked = core::sql_server;

namespace {

expected<asked::member_facts> read(const cells& row) {
    return asked::read_member(answer_of({row}));
}

}

BOOST_AUTO_TEST_SUITE(answer_of_a_partner)

BOOST_AUTO_TEST_CASE(is_read_column_by_column, *utf::label("C25") * utf::label("C26")) {
    const auto made = read(principal(7));
    BOOST_TEST_REQUIRE(made.has_value());
    BOOST_TEST(made->server_name == "db?");
    BOOST_TEST(made->known);
    BOOST_TEST(!made->in_database);
    BOOST_TEST(made->serves());
    BOOST_TEST((made->plays == asked::part::principal));
    BOOST_TEST((made->mirroring == asked::mirroring_state::synchronized));
    BOOST_TEST((made->safety == asked::safety_level::full));
    BOOST_TEST((made->witness == asked::witness_link::connected));
    BOOST_TEST(made->partner == "db!");
    BOOST_TEST((made->sequence == 7U));
    BOOST_TEST(made->guid == guid);
    BOOST_TEST(read(with(principal(7), "current_database", "rtc"))->in_database);
    BOOST_TEST(!read(with(principal(7), "current_database", "RTC"))->in_database); // C49
    BOOST_TEST(!read(with(principal(7), "witness_state", {}))->witness.has_value());
    const auto epoch = asked::reign_of(*made, proof::own_word);
    BOOST_TEST(epoch.lineage == guid);
    BOOST_TEST((epoch.term == 7U));
}

BOOST_AUTO_TEST_CASE(with_a_part_of_null_is_of_a_part_unknown, *utf::label("C24")) {
    for (const auto& row : {hidden_mirror(), not_mirrored()}) {
        const auto made = read(row);
        BOOST_TEST_REQUIRE(made.has_value());
        BOOST_TEST((made->plays == asked::part::unknown));
        BOOST_TEST(made->known);
        BOOST_TEST(!made->serves());
    }
    BOOST_TEST(!read(no_database())->known);
}

BOOST_AUTO_TEST_CASE(without_sense_is_an_error, *utf::label("F51") * utf::label("X7")) {
    auto short_row = principal(1);
    short_row.pop_back();
    BOOST_TEST(!read(short_row).has_value());
    BOOST_TEST(!asked::read_member(answer()).has_value());
    BOOST_TEST(!asked::read_member(answer_of({principal(1), principal(1)})).has_value());
    BOOST_TEST(!read(with(principal(1), "role", "3")).has_value());
    BOOST_TEST(!read(with(principal(1), "role", "principal")).has_value());
    BOOST_TEST(!read(with(principal(1), "role_sequence", "-1")).has_value());
    BOOST_TEST(!read(with(principal(1), "role_sequence", {})).has_value());
    BOOST_TEST(!read(with(principal(1), "mirroring_guid", {})).has_value());
    BOOST_TEST(!read(with(principal(1), "mirroring_guid", "guid")).has_value());
    BOOST_TEST(!read(with(principal(1), "broker_guid", "x")).has_value());
    BOOST_TEST(!read(with(principal(1), "server_name", {})).has_value());
    BOOST_TEST(!read(with(principal(1), "server_name", "")).has_value());
    BOOST_TEST(!read(with(principal(1), "current_database", {})).has_value());
    const auto made = read(with(principal(1), "partner_instance", std::string(5000, '\n')));
    BOOST_TEST_REQUIRE(made.has_value());
    BOOST_TEST(made->partner.size() <= 600U);
    BOOST_TEST((made->partner.find('\n') == std::string::npos));
}

BOOST_AUTO_TEST_CASE(
    is_asked_for_with_any_name_of_a_database, *utf::label("X5") * utf::label("C49")
) {
    BOOST_TEST(asked::quoted_name("a]b") == "[a]]b]");
    BOOST_TEST(asked::quoted_name("]") == "[]]]");
    BOOST_TEST(asked::quoted_text("a'b") == "N'a''b'");
    BOOST_TEST(asked::use_text("x]; DROP DATABASE y; --") == "USE [x]]; DROP DATABASE y; --]");
    BOOST_TEST((asked::member_question("it's").find("d.name = N'it''s' ") != std::string::npos));
    BOOST_TEST((asked::member_question("").find("d.name = DB_NAME() ") != std::string::npos));
    BOOST_TEST(asked::proof_text("rtc") == "USE [rtc]; " + asked::member_question("rtc"));
    BOOST_TEST(asked::planned_failover_text("a]b") == "ALTER DATABASE [a]]b] SET PARTNER FAILOVER");
    for (const auto column : asked::member_columns)
        BOOST_TEST_CONTEXT(column)
    BOOST_TEST(
        (asked::member_question("rtc").find(" AS " + std::string(column)) != std::string::npos)
    );
}

BOOST_AUTO_TEST_SUITE_END()

}
