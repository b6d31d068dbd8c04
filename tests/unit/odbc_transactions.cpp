// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/profiles.hpp"
#include "drivers/odbc/tracking.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>

namespace hadr::inline v0::odbc {

static std::ostream& operator<<(std::ostream& out, const tracked& of) {
    return out << to_string(of.is) << (of.in_doubt ? ", in doubt" : "")
               << (of.unsettled ? ", unsettled" : "");
}

}

namespace hadr::test {

namespace utf = boost::unit_test;
using odbc::after_statement;
using odbc::sort_of;
using odbc::tracked;

namespace {

using kind = odbc::statement_sort::kind;

struct sort_row {
    const char* text;
    kind is;
    const char* tag;
    bool several = false;
    bool query = false;
};

// clang-format off
constexpr sort_row sorts[] = {
    {"select 1",                        kind::data,        "SELECT", false, true},
    {"  /* a */ -- b\n SELECT 1;  ",    kind::data,        "SELECT", false, true},
    {"select 1; select 2",              kind::data,        "SELECT", true},
    {"insert into t values (1)",        kind::data,        "INSERT"},
    {"BEGIN",                           kind::begin,       "BEGIN"},
    {"START TRANSACTION READ ONLY",     kind::begin,       "BEGIN"},
    {"commit",                          kind::commit,      "COMMIT"},
    {"END",                             kind::commit,      "COMMIT"},
    {"COMMIT AND CHAIN",                kind::commit,      "COMMIT", true},
    {"COMMIT PREPARED 'x'",             kind::commit,      "COMMIT", true},
    {"ROLLBACK",                        kind::rollback,    "ROLLBACK"},
    {"ROLLBACK TO a",                   kind::rollback_to, "ROLLBACK"},
    {"ROLLBACK WORK TO SAVEPOINT a",    kind::rollback_to, "ROLLBACK"},
    {"create table t (a int)",          kind::other,       "CREATE"},
    {"exec p",                          kind::other,       ""},
    {"",                                kind::other,       ""},
    {"/* only a comment",               kind::other,       ""}};
// clang-format on

constexpr tracked idle{};
constexpr tracked open{transaction_status::open};
constexpr tracked failed{transaction_status::failed};
constexpr tracked open_in_doubt{transaction_status::open, true};
constexpr tracked idle_in_doubt{transaction_status::idle, true};

struct step {
    const char* when;
    odbc_family of;
    tracked was;
    const char* text;
    bool ended_well;
    tracked then;
};

const odbc::engine_ways& ways_of(odbc_family which) {
    return odbc::profile_of(which).ways;
}

constexpr auto pg = odbc_family::psqlodbc;
constexpr auto ms = odbc_family::freetds;
constexpr auto my = odbc_family::mariadb;
constexpr auto lite = odbc_family::sqlite;
constexpr bool well = true;
constexpr bool refused = false;

// clang-format off
constexpr step steps[] = {
    {"a query",                             pg,   idle,   "select 1",      well,    idle},
    {"a transaction begins",                pg,   idle,   "BEGIN",         well,    open},
    {"an error fails it",                   pg,   open,   "select 1/0",    refused, failed},
    {"an error outside of one",             pg,   idle,   "select 1/0",    refused, idle},
    {"a savepoint heals it",                pg,   failed, "ROLLBACK TO a", well,    open},
    {"a commit that is refused",            pg,   open,   "COMMIT",        refused, idle},
    {"a commit after a failure",            pg,   failed, "COMMIT",        well,    idle},
    {"tables are part of it",               pg,   open,   "create table t (a int)", well, open},
    {"several statements",                  pg,   idle,   "begin; select 1", well,  {transaction_status::open, true}},
    {"an error may roll it back or not",    ms,   open,   "insert into t values (1)", refused, open_in_doubt},
    {"a procedure may end it",              ms,   open,   "exec p",        well,    open_in_doubt},
    {"a procedure may begin one",           ms,   idle,   "exec p",        well,    idle_in_doubt},
    {"a second BEGIN is counted",           ms,   open,   "BEGIN TRANSACTION", well, {transaction_status::open, true, true}},
    {"so that its COMMIT is not the end",   ms,   {transaction_status::open, false, true}, "COMMIT", well, {transaction_status::idle, true, true}},
    {"BEGIN is no longer needed",           ms,   idle,   "set implicit_transactions on", well, {transaction_status::idle, true, true}},
    {"tables commit it",                    my,   open,   "create table t (a int)", well, open_in_doubt},
    {"tables outside of one",               my,   idle,   "create table t (a int)", well, idle},
    {"BEGIN is no longer needed there",     my,   idle,   "set autocommit=0", well, {transaction_status::idle, true, true}},
    {"a deadlock rolls it back",            my,   open,   "update t set a = 1", refused, open_in_doubt},
    {"a full disk rolls it back",           lite, open,   "insert into t values (1)", refused, open_in_doubt},
    {"a busy file leaves it open",          lite, open,   "COMMIT",        refused, open_in_doubt},
    {"a commit",                            lite, open,   "COMMIT",        well,    idle}};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(odbc_transactions)

BOOST_AUTO_TEST_CASE(are_seen_by_the_words_of_a_statement, *utf::label("C1")) {
    for (const auto& [text, is, tag, several, query] : sorts)
        BOOST_TEST_CONTEXT(text) {
            const auto sort = sort_of(text);
            BOOST_TEST((sort.is == is));
            BOOST_TEST(sort.tag == tag);
            BOOST_TEST(sort.several == several);
            BOOST_TEST(sort.query == query);
        }
}

BOOST_AUTO_TEST_CASE(are_one_write_only_if_nothing_else_is_in_the_text, *utf::label("C8")) {
    for (const auto* text :
         {"insert into t values (?)",
          "  /* why */ INSERT INTO t SELECT a FROM u;",
          "update t set a = 1 where b = 2",
          "delete from t where deleted = 1",
          "with c as (select 1 as a) insert into t select a from c"})
        BOOST_TEST(odbc::writes_once(text), text);
    for (const auto* text :
         {"select 1",
          "",
          "commit",
          "merge t using u on t.a = u.a when matched then update set b = 1;",
          "insert into t values (1) insert into t values (2)",
          "insert into t values (1); select 1",
          "insert into t exec p",
          "update t set a = 1 if @@rowcount = 0 insert into t values (1)",
          "insert into t values ('delete')",
          "delete from t commit",
          "select a into u from t"})
        BOOST_TEST(!odbc::writes_once(text), text);
}

BOOST_AUTO_TEST_CASE(follow_what_their_engine_does, *utf::label("C1") * utf::label("P6")) {
    for (const auto& [when, of, was, text, ended_well, then] : steps)
        BOOST_TEST_CONTEXT(when)
    BOOST_TEST(after_statement(was, sort_of(text), ended_well, ways_of(of)) == then);
}

// Whoever believes that none is open lends a session with somebody else's transaction.
BOOST_AUTO_TEST_CASE(are_never_over_by_a_statement_that_is_not_about_them, *utf::label("P6")) {
    for (const auto of : {pg, ms, my, lite, odbc_family::other})
        for (const auto& was : {open, failed, open_in_doubt})
            for (const auto* text : {"select 1", "insert into t values (1)", "exec p", "set a = 1"})
                for (const bool how : {well, refused}) {
                    const auto then = after_statement(was, sort_of(text), how, ways_of(of));
                    BOOST_TEST((then.in_doubt || then.is != transaction_status::idle), text);
                }
}

BOOST_AUTO_TEST_SUITE_END()

}
