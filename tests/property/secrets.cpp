// SPDX-License-Identifier: Apache-2.0
#include "property/strings.hpp"

#include <fmt/format.h>

#include <sstream>

#include <rapidcheck.h>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

/// Letters that occur in no text of the library; what surrounds them is up to the test.
constexpr std::string_view canary = "qZ7jXv9WkQ3pYm";

/// The forms in which a secret leaks (trust.md, part 5), for each part of it that stands alone.
std::vector<std::string> forms(std::string_view secret_text) {
    std::vector<std::string> all = {std::string(canary), std::string(secret_text)};
    all.push_back(percent_encoded(secret_text));
    all.push_back(percent_encoded(canary));
    all.push_back(in_braces(secret_text));
    // Wherever the secret begins in the text that is encoded, these are inside its encoding.
    for (std::size_t shift = 0; shift < 3; ++shift)
        all.push_back(base64(canary.substr(shift, 9)));
    return all;
}

bool shows(const std::string& output, std::string_view secret_text) {
    for (const auto& form : forms(secret_text))
        if (output.find(form) != std::string::npos)
            return true;
    return false;
}

/// All that the library says of a string.
std::string all_said_of(const std::string& text) {
    const auto made = parse(text);
    if (!made) {
        std::ostringstream out;
        out << made.error() << to_string(made.error()) << bad_expected_access(made.error()).what();
        return out.str();
    }
    std::ostringstream out;
    out << print(*made) << made->with->password;
    for (const auto& at : made->members())
        out << at;
    if (made->witness)
        out << made->witness->at << made->witness->with->password;
    return out.str();
}

const std::string canary_text(canary);
const std::string without_secrets = "Server=db1;Database=rtc;UID=app;";

struct slip {
    std::string_view when;
    std::string text;
};

const std::vector<slip>& slips() {
    static const std::string c = canary_text;
    static const std::vector<slip> all = {
        {"well written", without_secrets + "PWD=" + c},
        {"well quoted", without_secrets + "PWD={;}}" + c + "}"},
        {"an unknown key beside it", without_secrets + "PWD=" + c + ";Colour=red"},
        {"a repeated key", without_secrets + "PWD=" + c + ";Password=" + c},
        {"a misspelled key", without_secrets + "PWDD=" + c},
        {"a misspelled alias", without_secrets + "Pasword=" + c},
        {"another word for it", without_secrets + "Secret=" + c},
        {"no '='", without_secrets + "PWD " + c},
        {"no '=' and an end", without_secrets + "PWD:" + c + ";UID=x"},
        {"a ':' for the '='", without_secrets + "PWD:" + c + "=x"},
        {"a blank for the '='", without_secrets + "PWD " + c + "=x"},
        {"a ';' in it", without_secrets + "PWD=x;" + c},
        {"a ';' and a '=' in it", without_secrets + "PWD=x;" + c + "=y"},
        {"a ';' and '=' and a key in it", without_secrets + "PWD=x;Mode=" + c},
        {"braces around nothing before it", without_secrets + "PWD={};" + c + "=x"},
        {"a '}' in it", without_secrets + "PWD={x}" + c + "}"},
        {"an open brace", without_secrets + "PWD={" + c},
        {"a line feed", without_secrets + "PWD=" + c + "\n"},
        {"libpq's own syntax", "host=db1 user=app password=" + c + " dbname=rtc"},
        {"libpq's own syntax, password first", "password=" + c + " host=db1 port=x"},
        {"commas between settings", "Server=db1,PWD=" + c + ",UID=app"},
        {"commas after the user", "Server=db1;Database=rtc;UID=app,PWD=" + c},
        {"blanks after the user", "Server=db1;Database=rtc;UID=app PWD=" + c},
        {"nothing after the user", "Server=db1;Database=rtc;UID=appPWD=" + c},
        {"ampersands", "Server=db1;Database=rtc;UID=app&password = " + c},
        {"a URI as the server", "Server=postgresql://app:" + c + "@db1/rtc"},
        {"user and password in the server", "Server=app:" + c + "@db1;Database=rtc;UID=app"},
        {"user and password in the witness",
         "Mode=mirroring;" + without_secrets + "Witness=pg_auto_failover:w:" + c + "@m"},
        {"a URI of another kind", "mysql://app:" + c + "@db1/rtc"},
        {"a URI of another kind with a parameter", "mysql://app:" + c + "@db1/rtc?ssl=on"},
        {"a JDBC URL", "jdbc:postgresql://db1/rtc?user=app&password=" + c},
        {"a quoted URI", "\"postgresql://app:" + c + "@db1/rtc?a=b\""},
        {"a URI", "postgresql://app:" + c + "@db1/rtc"},
        {"a URI with a port that is none", "postgresql://app:" + c + "@db1:x/rtc"},
        {"a URI without its '@'", "postgresql://app:" + c + "/rtc"},
        {"a URI with an '@' in the password", "postgresql://app:x@" + c + "@db1/rtc"},
        {"a URI with an '@' at its end", "postgresql://app:" + c + "@@db1/rtc"},
        {"a URI with a '/' in the password", "postgresql://app:x/" + c + "@db1/rtc"},
        {"the same with a port before it", "postgresql://app:5432/" + c + "@db1/rtc"},
        {"a URI with a '?' in the password", "postgresql://app:x?" + c + "@db1/rtc"},
        {"a URI with '?' and '='", "postgresql://app:5432?" + c + "=x@db1/rtc"},
        {"a URI with '@' and '?'", "postgresql://app:x@y?" + c + "=z@db1/rtc"},
        {"a URI with a bad percent sign", "postgresql://app:" + c + "%@db1/rtc"},
        {"a URI with the password as a parameter", "postgresql://app@db1/rtc?password=" + c},
        {"the same twice", "postgresql://app:" + c + "@db1/rtc?password=" + c},
        {"the same, misspelled", "postgresql://app@db1/rtc?pasword=" + c},
        {"the same with '&' in it", "postgresql://app@db1/rtc?password=x&" + c + "=y"},
        {"libpq's password of a key", "postgresql://app@db1/rtc?sslpassword=" + c},
        {"two sources", without_secrets + "PWD=" + c + ";PWD_Env=X"},
        {"the witness's, without a witness",
         "Mode=mirroring;" + without_secrets + "Witness_PWD=" + c},
        {"the witness's",
         "Mode=mirroring;Failover_Partner=db2;Witness=pg_auto_failover:m;Witness_PWD=" + c + ";" +
             without_secrets}};
    return all;
}

/// A valid string in which the secret is quoted in one way or another.
std::string carrying(std::string_view secret_text) {
    const std::string rest = "Server=db1;Database=rtc;UID=app;Connect_Timeout=7s;";
    switch (*rc::gen::inRange(0, 5)) {
    case 0: return rest + "PWD=" + in_braces(secret_text);
    case 1: return "PWD=" + in_braces(secret_text) + ";" + rest;
    case 2: return rest + "PWD=" + std::string(secret_text) + ";Pool_Max=3";
    case 3:
        return "Mode=mirroring;Failover_Partner=db2;Witness=pg_auto_failover:m;Witness_PWD=" +
               in_braces(secret_text) + ";" + rest;
    default: return "postgresql://app:" + percent_encoded(secret_text) + "@db1/rtc?Pool_Max=3";
    }
}

std::string any_secret() {
    static const std::vector<std::string> pieces = {
        "",
        "a",
        ";",
        "}",
        "{",
        "=",
        "@",
        ":",
        "/",
        "?",
        "&",
        "%",
        "%41",
        " ",
        ",",
        "'",
        "\\",
        "#",
        "}}"};
    const auto piece = [] { return *rc::gen::elementOf(pieces); };
    return piece() + piece() + canary_text + piece() + piece();
}

}

BOOST_AUTO_TEST_SUITE(connection_string_secrets)

BOOST_AUTO_TEST_CASE(are_found_in_every_form_by_these_tests) {
    const std::string secret_text = canary_text + ";}";
    BOOST_TEST(shows("x" + canary_text, secret_text));
    BOOST_TEST(shows(percent_encoded("a" + secret_text), secret_text));
    BOOST_TEST(shows(in_braces(secret_text), secret_text));
    for (const std::string before : {"", "a", "ab"})
        BOOST_TEST(shows(base64(before + secret_text + "tail"), secret_text), before);
    BOOST_TEST(!shows(print(taken(without_secrets)), secret_text));
}

BOOST_AUTO_TEST_CASE(are_in_no_output_whatever_the_slip, *utf::label("X4") * utf::label("M11")) {
    for (const auto& [when, text] : slips())
        BOOST_TEST_CONTEXT(when) {
            const auto said = all_said_of(text);
            BOOST_TEST(!said.empty());
            BOOST_TEST(!shows(said, canary), said);
        }
}

BOOST_AUTO_TEST_CASE(print_and_parse_back_as_redacted, *utf::label("X4")) {
    const auto made = taken(std::string(mirroring) + "PWD=a;Witness_PWD=b");
    const auto text = print(made);
    BOOST_TEST(text.find("PWD=[redacted]") != std::string::npos);
    BOOST_TEST(text.find("Witness_PWD=[redacted]") != std::string::npos);
    const auto again = taken(text);
    BOOST_TEST((again.with->password == secret("[redacted]")));
    BOOST_TEST((again.witness->with->password == secret("[redacted]")));
    BOOST_TEST(core::same(again, redacted(made)));
    BOOST_TEST(print(taken(without_secrets)).find("PWD") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(come_from_files_and_variables_by_name) {
    const auto made = taken(without_secrets + "PWD_File=/run/secret");
    BOOST_TEST(made.with->password_file == "/run/secret");
    BOOST_TEST(made.with->password.empty());
    BOOST_TEST(taken(without_secrets + "PWD_Env=APP_PWD").with->password_environment == "APP_PWD");
    const auto witness =
        taken(std::string(mirroring) + "PWD_File=/f;Witness_PWD_File=/f").witness->with;
    BOOST_TEST(witness->password_file == "/f");
    BOOST_TEST(
        print(taken(std::string(mirroring) + "PWD_File=/f;Witness_PWD_File=/f"))
            .find("Witness_PWD_File=/f") != std::string::npos
    );
}

BOOST_AUTO_TEST_CASE(are_in_no_output_of_any_valid_string, *utf::label("X4")) {
    BOOST_TEST(rc::check("no leak", [] {
        const auto secret_text = any_secret();
        RC_ASSERT(!shows(all_said_of(carrying(secret_text)), secret_text));
    }));
}

BOOST_AUTO_TEST_CASE(are_in_no_output_of_a_string_with_a_slip, *utf::label("X4")) {
    BOOST_TEST(rc::check("no leak", [] {
        const auto secret_text = any_secret();
        auto text = carrying(secret_text);
        const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
        // Without the colon before it, it is the rest of the user's name, and nobody can tell.
        RC_PRE(!text.starts_with("postgresql://") || at != text.find(":", 13));
        switch (*rc::gen::inRange(0, 3)) {
        case 0: text.erase(at, 1); break;
        case 1: text.insert(at, 1, *rc::gen::elementOf(std::string(";={}@/?&%: ,x\n"))); break;
        default: text[at] = *rc::gen::elementOf(std::string(";={}@/?&%: ,x\n")); break;
        }
        // Nor whether a brace before another value was meant to hold all that follows.
        const auto brace = text.find("={");
        const bool of_another =
            brace != std::string::npos && !std::string_view(text).substr(0, brace).ends_with("PWD");
        RC_PRE(!of_another);
        RC_LOG() << text << '\n' << all_said_of(text) << '\n';
        RC_ASSERT(!shows(all_said_of(text), secret_text));
    }));
}

BOOST_AUTO_TEST_SUITE_END()

}
