// SPDX-License-Identifier: Apache-2.0
#include "support/vectors.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

namespace hadr::test {

namespace {

struct bad_text {
    const char* when;
    const char* text;
    const char* said; ///< In the error.
};

#define HEAD R"("about": "x", "with": "Mode=standalone;Server=db1;Database=d;UID=u;", )"
#define WHOLE(VECTOR) R"({"kind": "views", )" HEAD R"("vectors": [)" VECTOR "]}"
#define STORY(STEPS) WHOLE(R"({"name": "n", "rules": ["B1"], "story": [)" STEPS "]}")

// clang-format off
constexpr bad_text bad_texts[] = {
    {"no JSON",                    "{",                                                                        "parse error"},
    {"text behind it",             "{} {}",                                                                    "parse error"},
    {"no object",                  "[]",                                                                       "no object"},
    {"no kind",                    "{}",                                                                       "kind"},
    {"a kind that is none",        R"({"kind": "wishes"})",                                                    "wishes"},
    {"no word of what it is",      R"({"kind": "views", "vectors": []})",                                      "about"},
    {"no vector",                  WHOLE(""),                                                                   "no vector"},
    {"a field of the file twice",  R"({"kind": "views", "kind": "views"})",                                    "twice"},
    {"a field twice",              STORY(R"({"db1": {"primary": 1}, "db1": {"primary": 1}, "then": {"term": 1}})"), "twice"},
    {"a name twice",               WHOLE(R"({"name": "n", "rules": ["B1"], "story": [{"then": {"term": null}}]}, {"name": "n", "rules": ["B1"], "story": [{"then": {"term": null}}]})"), "another vector's name"},
    {"an unknown field of a file", R"({"kind": "views", "mood": 1, )" HEAD R"("vectors": [{"name": "n", "rules": ["B1"], "story": [{"then": {"term": null}}]}]})", "mood"},
    {"no name",                    WHOLE(R"({"rules": ["B1"], "story": [{"then": {"term": 1}}]})"),             "name"},
    {"no rules",                   WHOLE(R"({"name": "n", "story": [{"then": {"term": 1}}]})"),                 "rules"},
    {"an empty list of rules",     WHOLE(R"({"name": "n", "rules": [], "story": [{"then": {"term": 1}}]})"),    "no rule"},
    {"a rule that is none",        WHOLE(R"({"name": "n", "rules": ["rule 1"], "story": [{"then": {"term": 1}}]})"), "rule 1"},
    {"an unknown field",           WHOLE(R"({"name": "n", "rules": ["B1"], "mood": 1, "story": [{"then": {"term": 1}}]})"), "mood"},
    {"no story",                   WHOLE(R"({"name": "n", "rules": ["B1"]})"),                                  "story"},
    {"an empty story",             STORY(""),                                                                  "then"},
    {"no expectation at the end",  STORY(R"({"then": {"term": null}}, {"db1": {"primary": 1}})"),              "then"},
    {"an empty expectation",       STORY(R"({"then": {}})"),                                                   "expects nothing"},
    {"an expectation of nobody",   STORY(R"({"then": {"roles": {}}})"),                                        "expects nothing"},
    {"an unknown expectation",     STORY(R"({"then": {"mood": "good"}})"),                                     "mood"},
    {"a state that is none",       STORY(R"({"then": {"state": "fine"}})"),                                    "fine"},
    {"a role that is none",        STORY(R"({"then": {"roles": {"db1": "boss"}}})"),                           "boss"},
    {"something after then",       STORY(R"({"then": {"term": null}, "db1": {"primary": 1}})"),                "after 'then'"},
    {"an unknown happening",       STORY(R"({"weather": {}, "then": {"term": null}})"),                        "weather"},
    {"an unknown field of news",   STORY(R"({"db1": {"primary": 1, "mood": 1}, "then": {"term": 1}})"),        "mood"},
    {"news of no kind",            STORY(R"({"db1": {}, "then": {"term": 1}})"),                               "primary"},
    {"a timeline below zero",      STORY(R"({"db1": {"primary": -1}, "then": {"term": 1}})"),                  "whole number"},
    {"a timeline of text",         STORY(R"({"db1": {"primary": "1"}, "then": {"term": 1}})"),                 "whole number"},
    {"a timeline too large",       STORY(R"({"db1": {"primary": 4294967296}, "then": {"term": 1}})"),          "whole number"},
    {"a failure that is none",     STORY(R"({"db1": {"fails": "sadly"}, "then": {"term": 1}})"),               "sadly"},
    {"a failure and an answer",    STORY(R"({"db1": {"fails": "refused", "primary": 1}, "then": {"term": 1}})"), "primary"},
    {"a witness that is not there", STORY(R"({"witness": [["db1", "primary", "primary"]], "then": {"term": 1}})"), "no witness"},
    {"a prelude that is none",     STORY(R"("well", {"then": {"term": 1}})"),                                  "well"},
    {"a session's failure as proof", STORY(R"({"then": {"sessions": [{"on": "db1", "shows": {"fails": "silent"}, "may": "read"}]}})"), "no answer"},
    {"a connection string that is none", R"({"kind": "views", "about": "x", "with": "Mode=mirroring", "vectors": [{"name": "n", "rules": ["B1"], "story": [{"then": {"term": 1}}]}]})", "'n'"},
    {"preludes where there are no stories", R"({"kind": "policy", "about": "x", "preludes": {}, "vectors": []})", "views only"},
    {"a time that is none",        R"({"kind": "schedule", "about": "x", "vectors": [{"name": "n", "rules": ["C44"], "login_timeout": "soon", "attempts": []}]})", "soon"},
    {"a level that goes back",     R"({"kind": "level", "about": "x", "with": "Server=a;Database=b;UID=c;", "vectors": [{"name": "n", "rules": ["B6"], "story": [{"at": "2s", "primary": "there", "then": {"level": "full"}}, {"at": "1s", "primary": "there", "then": {"level": "full"}}]}]})", "earlier"},
    {"a string that is both",      R"({"kind": "strings", "about": "x", "vectors": [{"name": "n", "rules": ["B12"], "string": "Server=a", "then": {"refused": ["x"], "mode": "mirroring"}}]})", "either"},
};
// clang-format on

// Preludes of preludes, each twice the one before.
std::string endless_story() {
    std::string text =
        R"({"kind": "views", )" HEAD R"("preludes": {"p0": [{"db1": {"primary": 1}}])";
    for (int i = 1; i < 40; ++i)
        text += fmt::format(R"(, "p{0}": ["p{1}", "p{1}"])", i, i - 1);
    return text +
           R"(}, "vectors": [{"name": "n", "rules": ["B1"], "story": ["p39", {"then": {"term": 1}}]}]})";
}

std::vector<std::string> differences_of(const std::string& steps) {
    const auto text = fmt::format(
        R"({{"kind": "views", {}"vectors": [{{"name": "n", "rules": ["B1"], "story": [{}]}}]}})",
        HEAD,
        steps
    );
    const auto made = read_vectors("text", text);
    BOOST_TEST_REQUIRE(made.has_value(), (made ? "" : made.error().message));
    return made->front().differences();
}

}

BOOST_AUTO_TEST_SUITE(reader_of_vectors)

BOOST_AUTO_TEST_CASE(refuses_whatever_is_not_of_the_format_and_says_where) {
    for (const auto& [when, text, said] : bad_texts)
        BOOST_TEST_CONTEXT(when) {
            const auto made = read_vectors("some.json", text);
            BOOST_TEST(!made.has_value());
            if (made)
                continue;
            BOOST_TEST(made.error().message.find(said) != std::string::npos, made.error().message);
            BOOST_TEST(made.error().message.starts_with("some.json"), made.error().message);
        }
    const auto endless = read_vectors("some.json", endless_story());
    BOOST_TEST(!endless.has_value());
}

BOOST_AUTO_TEST_CASE(names_the_vector_and_the_field) {
    const auto made = read_vectors("some.json", STORY(R"({"then": {"state": "fine"}})"));
    BOOST_TEST_REQUIRE(!made.has_value());
    for (const auto* part : {"'n'", "story[0]", "then", "state"})
        BOOST_TEST(made.error().message.find(part) != std::string::npos, made.error().message);
}

BOOST_AUTO_TEST_CASE(finds_every_expectation_that_is_not_met) {
    const auto* const well = R"({"db1": {"primary": 1}, "then": )";
    for (const auto* holds :
         {R"({"writer": "db1"})",
          R"({"state": "exposed", "term": 1, "lineage": "ours"})",
          R"({"sessions": [{"on": "db1", "shows": {"primary": 1}, "may": "write"}]})",
          R"({"operations": [{"wants": "forced", "refused": "nothing"}]})"})
        BOOST_TEST(differences_of(fmt::format("{}{}}}", well, holds)).empty(), holds);
    for (const auto* fails :
         {R"({"writer": null})",
          R"({"writer": "db2"})",
          R"({"state": "serving"})",
          R"({"failover": "automatic"})",
          R"({"witness": "lost"})",
          R"({"replication": "suspended"})",
          R"({"term": 2})",
          R"({"term": null})",
          R"({"lineage": "foreign"})",
          R"({"fork": "aa"})",
          R"({"proof": "engine_named"})",
          R"({"refused": ["db1"]})",
          R"({"named": "db1"})",
          R"({"offline": ["db1"]})",
          R"({"members": ["db1", "db2"]})",
          R"({"unlisted": ["db1"]})",
          R"({"asks": ["db1", "witness"]})",
          R"({"readers": []})",
          R"({"cause": "something else"})",
          R"({"roles": {"db1": "standby"}})",
          R"({"roles": {"db2": "standby"}})",
          R"({"names": {"db1": "mirror"}})",
          R"({"engine_states": {"db1": "primary"}})",
          R"({"trouble": {"db1": "F15"}})",
          R"({"trouble": {"db2": null}})",
          R"({"lag": {"db1": 0}})",
          R"({"sessions": [{"on": "db1", "shows": {"primary": 1}, "may": "read"}]})",
          R"({"operations": [{"wants": "forced", "done_at": "db1"}]})",
          R"({"operations": [{"wants": "planned", "refused": "C36"}]})"})
        BOOST_TEST(!differences_of(fmt::format("{}{}}}", well, fails)).empty(), fails);
    BOOST_TEST(!differences_of(R"({"db2": {"primary": 1}, "then": {"writer": null}})").empty());
}

BOOST_AUTO_TEST_SUITE_END()

#undef STORY
#undef WHOLE
#undef HEAD

}
