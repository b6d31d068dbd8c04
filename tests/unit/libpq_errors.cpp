// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/errors.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using libpq::login_rejected;
using libpq::rejected;
using libpq::words_in;

namespace {

constexpr auto refused = errc::rejected_by_server;
constexpr auto unsure = errc::outcome_unknown;

struct libpq_row {
    const char* when;
    const char* sqlstate;
    errc code;
    advice next;
};

// clang-format off
constexpr libpq_row statements[] = {
    {"unique violation",                         "23505", refused, advice::give_up},
    {"syntax error",                             "42601", refused, advice::give_up},
    {"raised by a function",                     "P0001", refused, advice::give_up},
    {"raised with a code of the application's",  "U0042", refused, advice::give_up},
    {"serialization failure, recovery conflict", "40001", refused, advice::retry},
    {"deadlock",                                 "40P01", refused, advice::retry},
    {"statement timeout or cancel",              "57014", refused, advice::retry},
    {"lock timeout",                             "55P03", refused, advice::retry},
    {"disk full",                                "53100", refused, advice::retry},
    {"out of memory",                            "53200", refused, advice::retry},
    {"too many connections",                     "53300", refused, advice::retry},
    {"in a failed transaction",                  "25P02", refused, advice::retry},
    {"idle in transaction for too long",         "25P03", refused, advice::retry},
    {"internal error",                           "XX000", refused, advice::give_up},
    {"read-only transaction",                    "25006", errc::wrong_role, advice::retry},
    {"shut down by an administrator",            "57P01", unsure, advice::verify},
    {"crash of a sibling",                       "57P02", unsure, advice::verify},
    {"cannot connect now",                       "57P03", unsure, advice::verify},
    {"database dropped",                         "57P04", unsure, advice::verify},
    {"idle session timeout",                     "57P05", unsure, advice::verify},
    {"statement completion unknown",             "40003", unsure, advice::verify},
    {"transaction resolution unknown",           "08007", unsure, advice::verify},
    {"connection failure",                       "08006", unsure, advice::verify},
    {"a pooler lost its server",                 "08P01", unsure, advice::verify},
    {"success is no error",                      "00000", unsure, advice::verify},
    {"a warning is no error",                    "01000", unsure, advice::verify},
    {"no data is no error",                      "02000", unsure, advice::verify},
    {"a standard class that does not exist",     "1A000", unsure, advice::verify},
    {"no code at all",                           "",      unsure, advice::verify},
    {"too short",                                "2350",  unsure, advice::verify},
    {"too long",                                 "235055", unsure, advice::verify},
    {"lower case",                               "2350a", unsure, advice::verify},
    {"a control byte",                           "2350\n", unsure, advice::verify},
};

constexpr libpq_row logins[] = {
    {"wrong password",             "28P01", refused,            advice::give_up},
    {"no entry in pg_hba",         "28000", refused,            advice::give_up},
    {"no such database",           "3D000", refused,            advice::give_up},
    {"full",                       "53300", refused,            advice::retry},
    {"out of memory",              "53200", refused,            advice::retry},
    {"starting up",                "57P03", errc::unreachable,  advice::retry},
    {"shutting down",              "57P01", errc::unreachable,  advice::retry},
    {"crashing",                   "57P02", errc::unreachable,  advice::retry},
    {"a pooler without a server",  "08006", refused,            advice::retry},
    {"recovery conflict",          "40001", refused,            advice::retry},
    {"an input-output error",      "58030", refused,            advice::retry},
    {"a code nobody knows",        "ZZZZZ", refused,            advice::give_up},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(libpq_errors)

BOOST_AUTO_TEST_CASE(
    of_statements_are_definite_by_a_written_list_only,
    *utf::label("C7") * utf::label("F25") * utf::label("F31") * utf::label("F34") *
        utf::label("F36") * utf::label("F37") * utf::label("F38")
) {
    for (const auto& [when, sqlstate, code, next] : statements)
        BOOST_TEST_CONTEXT(when) {
            const auto why = rejected(sqlstate, "text");
            BOOST_TEST(why.code == code);
            BOOST_TEST(why.next == next);
            BOOST_TEST(why.server_text == "text");
        }
}

BOOST_AUTO_TEST_CASE(
    of_logins_tell_full_and_not_yet_from_wrong,
    *utf::label("F25") * utf::label("F26") * utf::label("F33") * utf::label("F34")
) {
    for (const auto& [when, sqlstate, code, next] : logins)
        BOOST_TEST_CONTEXT(when) {
            const auto why = login_rejected(sqlstate, "text", "db1:5432");
            BOOST_TEST(why.code == code);
            BOOST_TEST(why.next == next);
            BOOST_TEST(why.sqlstate == sqlstate);
            BOOST_TEST(why.message.starts_with("db1:5432"));
        }
}

BOOST_AUTO_TEST_CASE(of_a_lost_session_are_unknown, *utf::label("C7") * utf::label("C46")) {
    const auto why = libpq::lost("57P01");
    BOOST_TEST(why.code == unsure);
    BOOST_TEST(why.next == advice::verify);
    BOOST_TEST(why.sqlstate == "57P01");
}

BOOST_AUTO_TEST_CASE(
    never_advise_a_repeat_of_what_may_have_been_done, *utf::label("C5") * utf::label("C7")
) {
    const std::string_view signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string sqlstate = "00000";
    for (const char a : signs)
        for (const char b : signs)
            for (const char c : {'0', '1', 'P'})
                for (const char d : {'0', '1', '3', '7', 'P'}) {
                    sqlstate = {a, b, c, '0', d};
                    const auto why = rejected(sqlstate, "");
                    const bool open =
                        (a == '0' && (b <= '2' || b == '8')) || sqlstate.starts_with("57P");
                    if (open && (why.code != unsure || why.next != advice::verify))
                        BOOST_ERROR(sqlstate << " is not definite");
                    if ((why.code == unsure) != (why.next == advice::verify))
                        BOOST_ERROR(sqlstate << ": unknown and verify go together");
                }
}

BOOST_AUTO_TEST_CASE(
    keep_the_servers_words_apart_escaped_and_bounded, *utf::label("X4") * utf::label("X7")
) {
    const auto why = rejected("23505", std::string("key\n\x1b[31m") + std::string(5000, 'x'));
    BOOST_TEST(why.server_text.starts_with("key\\x0A\\x1B[31mxxx"));
    BOOST_TEST(why.server_text.size() <= 1000U);
    BOOST_TEST(why.message.find("key") == std::string::npos);
    BOOST_TEST(rejected("\x1b[31m", "").sqlstate.size() <= 5U);
}

BOOST_AUTO_TEST_CASE(
    are_found_in_a_message_of_any_language, *utf::label("F26") * utf::label("F33")
) {
    const struct {
        const char* text;
        const char* sqlstate;
        const char* words;
    } messages[] = {
        {"connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  28P01: password "
         "authentication failed\n",
         "28P01",
         "password authentication failed"},
        {"Verbindung fehlgeschlagen: FATAL:  57P03: das Datenbanksystem startet\nLOCATION: x\n",
         "57P03",
         "das Datenbanksystem startet"},
        {"failed: FATAL:  53300", "", ""},
        {"connection refused: is it running?", "", ""},
        {"a:  b:  FATAL:  3D000: x", "3D000", "x"},
        {"FATAL:  3d000: x", "", ""},
        {"FATAL:  28P01:", "", ""},
        {":  :  :  ", "", ""},
        {"", "", ""},
    };
    for (const auto& [text, sqlstate, words] : messages)
        BOOST_TEST_CONTEXT(text) {
            const auto found = words_in(text);
            BOOST_TEST(found.sqlstate == sqlstate);
            BOOST_TEST(found.text == words);
        }
}

BOOST_AUTO_TEST_CASE(tell_a_wire_that_failed_from_a_server_that_was_refused, *utf::label("F27")) {
    struct row {
        const char* when;
        libpq::ending how;
        const char* message;
        bool wire;
    };
    // clang-format off
    const row rows[] = {
        {"no connection",                     {.unsent = true},                    "Connection refused", true},
        {"hung up before TLS",                {.gone_before = true},               "server closed the connection unexpectedly", true},
        {"no TLS there",                      {},                                  "server does not support SSL, but SSL was required", false},
        {"reset in the handshake",            {.gone = true, .reset = true},       "SSL SYSCALL error: Connection reset by peer", true},
        {"reset, in German",                  {},                                  "SSL-SYSCALL-Fehler: Verbindungsaufbau abgelehnt", true},
        {"hung up in the handshake",          {.gone = true},                      "SSL SYSCALL error: EOF detected", true},
        {"the same with OpenSSL 3",           {.gone = true},                      "SSL error: unexpected eof while reading", true},
        {"reset before the handshake",        {.gone = true, .reset = true},       "could not receive data from server", true},
        {"a certificate of a stranger",       {},                                  "SSL error: certificate verify failed", false},
        {"the same, and the server hangs up", {.gone = true},                      "SSL error: certificate verify failed", false},
        {"the same, and the server resets",   {.gone = true, .reset = true},       "SSL error: certificate verify failed", false},
        {"another name",                      {.gone = true},                      "server certificate for \"a\" does not match host name \"b\"", false},
        {"no channel binding",                {.secured = true},                   "channel binding required", false},
        {"dead in the login",                 {.gone = true, .secured = true},     "server closed the connection unexpectedly", true},
    };
    // clang-format on
    for (const auto& [when, how, message, wire] : rows)
        BOOST_TEST_CONTEXT(when)
    BOOST_TEST(libpq::wire_failed(how, message) == wire);
}

BOOST_AUTO_TEST_SUITE_END()

}
