// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_text.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test::tds {

namespace {

std::string shown(const answer& of) {
    std::string made;
    for (std::size_t row = 0; row < of.rows(); ++row)
        for (std::size_t column = 0; column < of.columns(); ++column)
            made += "[" + std::string(of.at(row, column).value_or("NULL")) + "]";
    return made;
}

}

BOOST_AUTO_TEST_SUITE(tds_statements)

BOOST_AUTO_TEST_CASE(take_their_parameters_as_literals) {
    const std::vector<rpc_parameter> given = {
        {"@P1", "it's @P2", false, false},
        {"@P2", "5", false, true},
        {"@P10", std::nullopt, false, false}};
    const std::pair<const char*, const char*> rows[] = {
        {"INSERT INTO t VALUES (@P1)", "INSERT INTO t VALUES ('it''s @P2')"},
        {"SELECT @P2, @P10", "SELECT 5, NULL"},
        {"SELECT '@P1', @P2", "SELECT '@P1', 5"},
        {"SELECT @P3", "SELECT @P3"},
        {"append @P1", "append it's @P2"},
        {"@", "@"},
    };
    for (const auto& [text, then] : rows)
        BOOST_TEST(with_parameters(text, given) == then);
}

BOOST_AUTO_TEST_CASE(of_transactions_have_one_form_each) {
    const std::pair<const char*, const char*> rows[] = {
        {" begin tran ;", "BEGIN TRANSACTION"},
        {"BEGIN TRANSACTION", "BEGIN TRANSACTION"},
        {"Commit", "COMMIT"},
        {"COMMIT TRANSACTION;", "COMMIT"},
        {"ROLLBACK WORK", "ROLLBACK"},
        {"IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION", "ROLLBACK"},
        {"COMMITTED", "COMMITTED"},
        {"BEGIN SELECT 1 END", "BEGIN SELECT 1 END"},
        {" ; ", ""},
        {"", ""},
    };
    for (const auto& [text, then] : rows)
        BOOST_TEST(model_text(text) == then);
}

BOOST_AUTO_TEST_CASE(that_change_the_database_name_it) {
    BOOST_TEST((used_database("USE [d]") == "d"));
    BOOST_TEST((used_database("use [a]]b]; SELECT 1") == "a]b"));
    BOOST_TEST(!used_database("USE [d] SELECT 1"));
    BOOST_TEST(!used_database("USE [d"));
    BOOST_TEST(!used_database("USED [d]"));
}

BOOST_AUTO_TEST_CASE(that_wait_say_for_how_long) {
    BOOST_TEST((delay_of("WAITFOR DELAY '00:00:01.5'") == std::chrono::milliseconds(1500)));
    BOOST_TEST((delay_of("waitfor delay '01:02:03'") == std::chrono::seconds(3723)));
    BOOST_TEST(!delay_of("WAITFOR DELAY '00:61:00'"));
    BOOST_TEST(!delay_of("WAITFOR DELAY '00:00'"));
    BOOST_TEST(!delay_of("WAITFOR DELAY '00:00:01.0001'"));
}

BOOST_AUTO_TEST_CASE(without_a_table_are_answered) {
    const std::pair<const char*, const char*> rows[] = {
        {"SELECT 'a''b', N'c', NULL, -3", "[a'b][c][NULL][-3]"},
        {"SELECT CAST('x' AS nvarchar(max)) AS [y]", "[x]"},
        {"SELECT CAST(NULL AS varchar(10))", "[NULL]"},
        {"SELECT REPLICATE('ab', 3)", "[ababab]"},
        {"SELECT value FROM GENERATE_SERIES(2, 4)", "[2][3][4]"},
        {"SELECT 'a' AS [x], 1 UNION ALL SELECT NULL, 2 union all select 'c', 3",
         "[a][1][NULL][2][c][3]"},
        {"USE [d]; SELECT 1", "[1]"},
    };
    for (const auto& [text, then] : rows) {
        answer made;
        const auto how = answer_of(text, made);
        BOOST_TEST_REQUIRE((how && *how));
        BOOST_TEST(shown(made) == then);
    }
}

BOOST_AUTO_TEST_CASE(that_are_none_of_those_are_left_to_others) {
    for (const auto* const text :
         {"SELECT",
          "SELECT a",
          "SELECT 'a",
          "SELECT 1 FROM t",
          "SELECT REPLICATE('a', 99999999)",
          "SELECT 'a' UNION ALL SELECT 'b', 'c'",
          "SELECT 'a' UNION SELECT 'b'",
          "SELECT 'a' UNION ALL",
          "SELECT value FROM GENERATE_SERIES(1, 999999999)",
          "THROW 0, 'a', 1",
          "UPDATE t SET x = 1"}) {
        answer made;
        BOOST_TEST(!answer_of(text, made));
        BOOST_TEST(made.columns() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(that_throw_fail_with_their_number) {
    answer made;
    const auto how = answer_of("THROW 50001, 'no''t', 1", made);
    BOOST_TEST_REQUIRE((how && !*how));
    BOOST_TEST(how->error().native == 50'001);
    BOOST_TEST(how->error().server_text == "no't");
}

BOOST_AUTO_TEST_SUITE_END()

}
