// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/markers.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using odbc::with_question_marks;

namespace {

using order = std::vector<std::uint16_t>;

struct marked_row {
    const char* when;
    const char* text;
    const char* sent;
    order parameters;
};

// clang-format off
const marked_row rows[] = {
    {"nothing to do",             "select 1",                     "select 1",                {}},
    {"one",                       "select $1",                    "select ?",                {0}},
    {"out of order",              "select $2, $1",                "select ?, ?",             {1, 0}},
    {"twice",                     "select $1 + $1",               "select ? + ?",            {0, 0}},
    {"of two digits",             "select $12+1",                 "select ?+1",              {11}},
    {"in a literal",              "select '$1?', $1",             "select '$1?', ?",         {0}},
    {"behind a doubled quote",    "select 'a''$1', $1",           "select 'a''$1', ?",       {0}},
    {"behind a backslash",        "select 'a\\', $1",             "select 'a\\', ?",         {0}},
    {"in a literal with escapes", "select E'\\'$1?', $1",         "select E'\\'$1?', ?",     {0}},
    {"in a quoted name",          "select \"$1?\" from t",        "select \"$1?\" from t",   {}},
    {"in a comment",              "select 1 -- $1 ?\n, $1",       "select 1 -- $1 ?\n, ?",   {0}},
    {"in a nested comment",       "/* /* ? */ $1 */ select $1",   "/* /* ? */ $1 */ select ?", {0}},
    {"in dollar quotes",          "select $$ $1 ? $$, $1",        "select $$ $1 ? $$, ?",    {0}},
    {"in tagged dollar quotes",   "select $q$ $$ ? $q$, $1",      "select $q$ $$ ? $q$, ?",  {0}},
    {"in a name",                 "select a$1 from t",            "select a$1 from t",       {}},
    {"in a name of other letters","select \xC3\xA4$1 from t",     "select \xC3\xA4$1 from t", {}},
    {"behind a cast",             "select $1::text",              "select ?::text",          {0}},
    {"a quote without an end",    "select '$1",                   "select '$1",              {}},
    {"a comment without an end",  "select /* $1",                 "select /* $1",            {}},
    {"a lone dollar",             "select $",                     "select $",                {}},
    {"a dollar and a zero",       "select $0",                    "select $0",               {}}};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(odbc_markers)

BOOST_AUTO_TEST_CASE(stand_where_the_engine_has_its_own, *utf::label("X5")) {
    for (const auto& [when, text, sent, parameters] : rows)
        BOOST_TEST_CONTEXT(when) {
            const auto made = with_question_marks(text);
            BOOST_TEST_REQUIRE(made.has_value());
            BOOST_TEST(made->text == sent);
            BOOST_TEST(made->order == parameters, boost::test_tools::per_element());
        }
}

BOOST_AUTO_TEST_CASE(are_never_made_of_an_operator, *utf::label("X5")) {
    for (const auto* text : {"select a ? 'b'", "select $1 ?| $2", "?"}) {
        const auto made = with_question_marks(text);
        BOOST_TEST_REQUIRE(!made.has_value());
        BOOST_TEST(made.error().code == errc::rejected_by_server);
        BOOST_TEST((made.error().next == advice::give_up));
    }
}

BOOST_AUTO_TEST_CASE(are_refused_beyond_what_the_engine_takes, *utf::label("F57")) {
    BOOST_TEST(with_question_marks("select $65535").has_value());
    for (const auto* text : {"select $65536", "select $99999999999999999999"})
        BOOST_TEST(!with_question_marks(text).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
