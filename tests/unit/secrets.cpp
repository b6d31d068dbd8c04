// SPDX-License-Identifier: Apache-2.0
#include <hadr/secret.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr std::string_view canary = "canary-0d1f-that-is-longer-than-a-short-string";

std::string printed(const secret& hidden) {
    std::ostringstream out;
    out << hidden;
    return out.str();
}

}

BOOST_AUTO_TEST_SUITE(a_secret)

BOOST_AUTO_TEST_CASE(never_prints, *utf::label("X4")) {
    BOOST_TEST(printed(secret(canary)) == "[redacted]");
    BOOST_TEST(printed(secret()) == "[redacted]"); // Nor that there is none.
}

BOOST_AUTO_TEST_CASE(compares_by_its_text) {
    BOOST_TEST((secret("a") == secret("a")));
    BOOST_TEST((secret("a") != secret("b")));
    BOOST_TEST(secret().empty());
    BOOST_TEST(!secret("a").empty());
}

BOOST_AUTO_TEST_CASE(is_copied_and_moved_whole, *utf::label("X4")) {
    for (const std::string_view text : {std::string_view("x"), canary}) {
        secret first(text);
        secret copy(first);
        BOOST_TEST(copy.reveal() == text);
        secret moved(std::move(first));
        BOOST_TEST(moved.reveal() == text);
        BOOST_TEST(first.empty()); // NOLINT(bugprone-use-after-move): what is left is the claim.
        auto& itself = copy;
        copy = itself;
        BOOST_TEST(copy.reveal() == text);
        copy = secret("other");
        BOOST_TEST(copy.reveal() == "other");
    }
}

BOOST_AUTO_TEST_CASE(overwrites_what_it_held, *utf::label("X4")) {
    secret held(canary);
    const char* bytes = held.reveal().data();
    const secret shorter("x");
    held = shorter; // Reuses the memory, which is still the string's own.
    BOOST_TEST_REQUIRE((held.reveal().data() == bytes));
    BOOST_TEST(std::all_of(bytes + 1, bytes + canary.size(), [](char c) { return c == '\0'; }));
}

BOOST_AUTO_TEST_SUITE_END()

}
