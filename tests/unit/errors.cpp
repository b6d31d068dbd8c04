// SPDX-License-Identifier: Apache-2.0
#include "unit/printing.hpp"

#include <hadr/expected.hpp>

#include <boost/test/unit_test.hpp>

#include <set>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr errc codes[] = {
    errc::unreachable,
    errc::deadline_exceeded,
    errc::wrong_role,
    errc::no_quorum,
    errc::read_only_degraded,
    errc::outcome_unknown,
    errc::standby_not_provisioned,
    errc::configuration_invalid,
    errc::rejected_by_server,
    errc::closed,
    errc::stopped};

bool fit_for_a_line(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7F)
            return false;
        if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
            return false;
    }
    return true;
}

// Takes back what escaped() did; reading \\ and \xNN from the left is unambiguous.
std::string unescaped(std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            made += text[i];
        } else if (text.at(i + 1) == '\\') {
            made += '\\';
            ++i;
        } else {
            made += static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16));
            i += 3;
        }
    }
    return made;
}

// Where a byte changes its part in UTF-8 or in a terminal.
constexpr int edges[] = {0x00, 0x0A, 0x1B, 0x1F, 0x20, 0x5C, 0x7E, 0x7F, 0x80, 0x85, 0x8F, 0x90,
                         0x9B, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xF5, 0xFF};

struct error_row {
    const char* from;
    const char* to;
};

constexpr error_row error_rows[] = {
    {"plain text", "plain text"},
    {"line\nbreak", "line\\x0Abreak"},
    {"\x1b[31mred", "\\x1B[31mred"},
    {"tab\tbell\a", "tab\\x09bell\\x07"},
    {"back\\slash", "back\\\\slash"},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"\xe2\x82\xac \xf0\x9f\x90\x98", "\xe2\x82\xac \xf0\x9f\x90\x98"},
    {"\xc3", "\\xC3"},
    {"\xc0\xaf", "\\xC0\\xAF"},
    {"\xe0\x80\xaf", "\\xE0\\x80\\xAF"},
    {"\xed\xa0\x80", "\\xED\\xA0\\x80"},
    {"\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
    {"\xc2\x85next", "\\xC2\\x85next"},
    {"\xc2\x9b"
     "31m",
     "\\xC2\\x9B31m"},
    {"\xc2\xa0", "\xc2\xa0"},
    {"\x7f", "\\x7F"},
    {"", ""},
};

}

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(have_a_name_and_a_sentence_each) {
    std::set<std::string> seen;
    std::set<std::string> sentences;
    for (const auto code : codes) {
        BOOST_TEST(seen.insert(std::string(to_string(code))).second);
        BOOST_TEST(sentences.insert(make_error_code(code).message()).second);
        BOOST_TEST(make_error_code(code).category().name() == "hadr");
        BOOST_TEST(make_error_code(code) == code);
    }
    BOOST_TEST(make_error_code(static_cast<errc>(99)).message() == "unknown error 99");
    BOOST_TEST(to_string(static_cast<errc>(99)) == "unknown");
}

BOOST_AUTO_TEST_CASE(print_in_one_line_what_is_ours_and_what_is_the_servers, *utf::label("X4")) {
    failure why = make_failure(errc::rejected_by_server, advice::retry, "a:1 refused the login");
    BOOST_TEST(to_string(why) == "rejected_by_server: a:1 refused the login");
    why.sqlstate = "53300";
    why.native = 4060;
    why.server_text = "too many";
    BOOST_TEST(
        to_string(why) ==
        "rejected_by_server: a:1 refused the login [53300] (error 4060) (server: too many)"
    );
    why.code = std::make_error_code(std::errc::timed_out);
    BOOST_TEST(to_string(why).starts_with(why.code.message()));
}

BOOST_AUTO_TEST_CASE(give_the_whole_failure_to_whoever_likes_exceptions) {
    const expected<int> none = make_failure(errc::closed, advice::give_up, "closed");
    BOOST_TEST(!none.has_value());
    BOOST_CHECK_EXCEPTION((void)none.value(), bad_expected_access, [&](const auto& thrown) {
        return thrown.cause() == none.error() && thrown.code() == errc::closed;
    });
    BOOST_TEST(expected<int>(7).value() == 7);
    BOOST_TEST(expected<void>().has_value());
    BOOST_CHECK_THROW(expected<void>(none.error()).value(), std::system_error);
}

BOOST_AUTO_TEST_CASE(escape_what_a_server_says, *utf::label("X7") * utf::label("X4")) {
    for (const auto& [from, to] : error_rows)
        BOOST_TEST(escaped(from) == to);
}

BOOST_AUTO_TEST_CASE(never_let_a_control_byte_or_broken_text_into_a_line, *utf::label("X7")) {
    for (int a = 0; a < 256; ++a)
        for (const int b : edges) {
            const std::string from{static_cast<char>(a), static_cast<char>(b)};
            for (const auto& text : {from, "\xe2" + from, "\xf0\x9f" + from}) {
                const auto to = escaped(text);
                if (!fit_for_a_line(to) || unescaped(to) != text || escaped(unescaped(to)) != to)
                    BOOST_ERROR("bytes " << a << ' ' << b);
            }
        }
}

BOOST_AUTO_TEST_CASE(bound_what_a_server_says, *utf::label("X7")) {
    const std::string text = "a\\\n\xc3\xbc\xf0\x9f\x90\x98\xff";
    const auto whole = escaped(text);
    for (std::size_t most = 0; most <= whole.size() + 2; ++most) {
        const auto cut = escaped(text, most);
        BOOST_TEST(cut.size() <= most);
        BOOST_TEST(whole.starts_with(cut));
        BOOST_TEST(text.starts_with(unescaped(cut))); // No character in halves.
    }
    BOOST_TEST(escaped(std::string(100'000, '\x01')).size() <= 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}
