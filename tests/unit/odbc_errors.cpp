// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/errors.hpp"
#include "drivers/odbc/profiles.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using odbc::diagnostic;
using odbc::login_failure;
using odbc::phase;
using odbc::statement_failure;

namespace {

constexpr auto no = errc::rejected_by_server;
constexpr auto unsure = errc::outcome_unknown;
const odbc::engine_ways& ways_of(odbc_family which) {
    return odbc::profile_of(which).ways;
}

constexpr auto pg = odbc_family::psqlodbc;
constexpr auto my = odbc_family::mariadb;
constexpr auto lite = odbc_family::sqlite;

struct error_row {
    const char* when;
    odbc_family of;
    phase during;
    bool dead;
    const char* sqlstate;
    int native;
    errc code;
    advice next;
};

constexpr auto running = phase::statement;
constexpr auto committing = phase::commit;

// clang-format off
constexpr error_row rows[] = {
    {"unique violation",               pg,   running,    false, "23505", 1,    no, advice::give_up},
    {"deadlock",                       pg,   running,    false, "40P01", 1,    no, advice::retry},
    {"cancelled",                      pg,   running,    false, "57014", 1,    no, advice::retry},
    {"read-only",                      pg,   running,    false, "25006", 1,    errc::wrong_role, advice::retry},
    {"deferred constraint",            pg,   committing, false, "23503", 1,    no, advice::give_up},
    {"terminated",                     pg,   running,    true,  "57P01", 35,   unsure, advice::verify},
    {"terminated during a commit",     pg,   committing, true,  "57P01", 35,   unsure, advice::verify},
    {"says so of itself",              pg,   committing, false, "40003", 1,    unsure, advice::verify},
    {"link lost",                      pg,   running,    true,  "08S01", 35,   unsure, advice::verify},
    {"driver's own, of any kind",      pg,   running,    false, "HY000", 1,    unsure, advice::verify},
    {"too few parameters",             pg,   running,    false, "07002", 32,   no, advice::give_up},
    {"too few, and the link is gone",  pg,   running,    true,  "07002", 32,   unsure, advice::verify},
    {"unique violation",               my,   running,    false, "23000", 1062, no, advice::give_up},
    {"deadlock",                       my,   running,    false, "40001", 1213, no, advice::retry},
    {"lock wait",                      my,   running,    false, "HY000", 1205, no, advice::retry},
    {"read-only server",               my,   running,    false, "HY000", 1290, errc::wrong_role, advice::retry},
    {"syntax, by the driver's words",  my,   running,    false, "42000", 0,    no, advice::give_up},
    {"killed",                         my,   running,    true,  "HY018", 1927, unsure, advice::verify},
    {"gone away",                      my,   running,    true,  "08S01", 2006, unsure, advice::verify},
    {"lost during the query",          my,   committing, true,  "HY000", 2013, unsure, advice::verify},
    {"error during COMMIT",            my,   committing, false, "HY000", 1180, unsure, advice::verify},
    {"an error, and the link is gone", my,   running,    true,  "23000", 1062, unsure, advice::verify},
    {"constraint",                     lite, running,    false, "HY000", 19,   no, advice::give_up},
    {"busy",                           lite, running,    false, "HY000", 5,    no, advice::retry},
    {"busy at the commit",             lite, committing, false, "HY000", 5,    no, advice::retry},
    {"busy, of an extended kind",      lite, running,    false, "HY000", 517,  no, advice::retry},
    {"full disk",                      lite, running,    false, "HY000", 13,   no, advice::retry},
    {"disk error",                     lite, running,    false, "HY000", 10,   no, advice::retry},
    {"disk error at the commit",       lite, committing, false, "HY000", 10,   unsure, advice::verify}};
// clang-format on

struct login_row {
    const char* when;
    odbc_family of;
    diagnostic record;
    errc code;
    advice next;
};

const login_row logins[] = {
    {"wrong password",
     pg,
     {"08001", 101, "failed: FATAL:  password authentication failed for user \"a\""},
     no,
     advice::give_up},
    {"full",
     pg,
     {"08001", 101, "failed: FATAL:  sorry, too many clients already"},
     no,
     advice::retry},
    {"starting",
     pg,
     {"08001", 101, "failed: FATAL:  the database system is starting up"},
     errc::unreachable,
     advice::retry},
    {"down", pg, {"08001", 101, "failed: Connection refused"}, errc::unreachable, advice::retry},
    {"no TLS", pg, {"08001", 101, "server does not support SSL"}, no, advice::give_up},
    {"wrong password", my, {"28000", 1045, "Access denied"}, no, advice::give_up},
    {"full", my, {"08004", 1040, "Too many connections"}, no, advice::retry},
    {"down", my, {"HY000", 2002, "Can't connect"}, errc::unreachable, advice::retry},
    {"no such folder", lite, {"HY000", 14, "connect failed"}, errc::unreachable, advice::retry},
    {"no such driver",
     pg,
     {"01000", 0, "Can't open lib 'x' : file not found"},
     errc::configuration_invalid,
     advice::give_up}};

}

BOOST_AUTO_TEST_SUITE(odbc_errors)

BOOST_AUTO_TEST_CASE(say_what_became_of_a_statement, *utf::label("C7") * utf::label("F37")) {
    for (const auto& [when, of, during, dead, sqlstate, native, code, next] : rows)
        BOOST_TEST_CONTEXT(when) {
            const diagnostic one[] = {{sqlstate, native, "text"}};
            const auto why = statement_failure(ways_of(of), one, during, dead);
            BOOST_TEST(why.code == code);
            BOOST_TEST((why.next == next));
        }
}

BOOST_AUTO_TEST_CASE(without_a_record_leave_the_outcome_open, *utf::label("C7")) {
    for (const auto of : {pg, my, lite, odbc_family::freetds, odbc_family::other})
        for (const bool dead : {false, true}) {
            const auto why = statement_failure(ways_of(of), {}, committing, dead);
            BOOST_TEST(why.code == unsure);
            BOOST_TEST((why.next == advice::verify));
        }
}

BOOST_AUTO_TEST_CASE(
    say_why_a_login_failed, *utf::label("F25") * utf::label("F26") * utf::label("F33")
) {
    for (const auto& [when, of, record, code, next] : logins)
        BOOST_TEST_CONTEXT(when) {
            const auto why = login_failure(ways_of(of), {&record, 1}, "db1:1");
            BOOST_TEST(why.code == code);
            BOOST_TEST((why.next == next));
            BOOST_TEST(
                (why.code == errc::configuration_invalid || why.message.starts_with("db1:1 "))
            );
        }
}

BOOST_AUTO_TEST_CASE(
    of_a_login_have_the_sqlstate_of_the_server_or_none, *utf::label("F25") * utf::label("F33")
) {
    const std::pair<diagnostic, const char*> all[] = {
        {{"08001", 101, "FATAL:  password authentication failed for user \"a\""}, "28P01"},
        {{"08001", 101, "FATAL:  sorry, too many clients already"}, "53300"},
        {{"08001", 101, "FATAL:  the database system is starting up"}, "57P03"},
        {{"08001", 101, "FATAL:  database \"d\" does not exist"}, "3D000"},
        {{"08001", 101, "FATAL:  role \"a\" does not exist"}, "28000"},
        {{"08001", 101, "failed: Connection refused"}, ""}};
    for (const auto& [one, sqlstate] : all)
        BOOST_TEST_CONTEXT(one.text)
    BOOST_TEST(login_failure(ways_of(pg), {&one, 1}, "db1:1").sqlstate == sqlstate);
    const diagnostic away[] = {{"HY000", 2002, "Can't connect"}};
    BOOST_TEST(login_failure(ways_of(my), away, "db1:1").sqlstate == "");
}

BOOST_AUTO_TEST_CASE(show_what_a_server_says_escaped_and_bounded, *utf::label("X4")) {
    const diagnostic one[] = {{"23505", 7, std::string(5000, 'x') + "\n\x1b[31m"}};
    const auto why = statement_failure(ways_of(pg), one, running, false);
    BOOST_TEST(why.server_text.size() <= 1000U);
    BOOST_TEST(why.server_text.find('\x1b') == std::string::npos);
    BOOST_TEST(why.native == 0); // PostgreSQL has no numbers; psqlODBC has its own.
}

BOOST_AUTO_TEST_SUITE_END()

}
