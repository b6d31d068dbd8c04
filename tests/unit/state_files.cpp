// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_file.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using runtime::read_state;
using runtime::write_state;

namespace {

remembered sample() {
    return {
        {"7301234567890123456", 12, "9f3a", 77, proof::none},
        {{"db1", 5432, ""}, {"::1", 0, ""}, {"db2", 1433, "rtc"}, {"/run/my sockets", 5433, ""}}};
}

bool same(const std::optional<remembered>& a, const remembered& b) {
    return a && a->highest == b.highest && a->members == b.members;
}

}

BOOST_AUTO_TEST_SUITE(a_state_file)

BOOST_AUTO_TEST_CASE(
    brings_the_highest_epoch_over_a_restart,
    *utf::label("E1") * utf::label("F15") * utf::label("F17")
) {
    BOOST_TEST(same(read_state(write_state(sample())), sample()));
}

BOOST_AUTO_TEST_CASE(keeps_unknown_parts_unknown, *utf::label("E1")) {
    for (unsigned bits = 0; bits < 8; ++bits) {
        auto some = sample();
        if ((bits & 1U) != 0)
            some.highest.term.reset();
        if ((bits & 2U) != 0)
            some.highest.fork.reset();
        if ((bits & 4U) != 0)
            some.highest.revision.reset();
        BOOST_TEST(same(read_state(write_state(some)), some));
    }
    auto bare = sample();
    bare.members.clear();
    BOOST_TEST(same(read_state(write_state(bare)), bare));
}

BOOST_AUTO_TEST_CASE(forgets_how_the_epoch_was_proved, *utf::label("E4")) {
    auto proved = sample();
    proved.highest.strength = proof::engine_named;
    BOOST_TEST((read_state(write_state(proved))->highest.strength == proof::none));
}

BOOST_AUTO_TEST_CASE(is_not_believed_in_part, *utf::label("E1") * utf::label("X7")) {
    const auto whole = write_state(sample());
    for (std::size_t length = 0; length < whole.size(); ++length)
        BOOST_TEST(!read_state(whole.substr(0, length)).has_value());
    for (std::size_t from = 1; from < whole.size(); ++from)
        BOOST_TEST(!read_state(whole.substr(from)).has_value());
    BOOST_TEST(!read_state("").has_value());
}

BOOST_AUTO_TEST_CASE(
    is_not_believed_with_the_rest_of_another, *utf::label("E1") * utf::label("X7")
) {
    auto old = sample();
    old.highest.term = 3;
    BOOST_TEST(!read_state(write_state(sample()) + write_state(old)).has_value());
    BOOST_TEST(!read_state(write_state(sample()) + "term 3\nend\n").has_value());
    const std::string body = "hadr-state 1\nlineage 1\nterm 5\n";
    BOOST_TEST(read_state(body + "end\n").has_value());
    for (const auto* wrong :
         {"term 3\n",
          "lineage 2\n",
          "password x\n",
          "\n",
          "member\n",
          "member 70000 db\n",
          "member x db\n",
          "term\n",
          "revision -1\n",
          "fork a\nfork b\n",
          "revision 1\nrevision 2\n",
          "end\nterm 3\n"})
        BOOST_TEST_CONTEXT(wrong) BOOST_TEST(!read_state(body + wrong + "end\n").has_value());
    for (const auto* term : {"", "-1", "0x5", "5 ", "99999999999999999999999"})
        BOOST_TEST(!read_state(std::string("hadr-state 1\nlineage 1\nterm ") + term + "\nend\n")
                        .has_value());
    BOOST_TEST(!read_state("hadr-state 2\nlineage 1\nterm 5\nend\n").has_value());
    BOOST_TEST(!read_state("hadr-state 1\nterm 5\nend\n").has_value());
    BOOST_TEST(!read_state("hadr-state 1\nlineage \nterm 5\nend\n").has_value());
}

BOOST_AUTO_TEST_CASE(never_takes_a_value_for_a_key, *utf::label("X5") * utf::label("E1")) {
    auto hostile = sample();
    hostile.highest.fork = "x\nterm 1\nend";
    const auto read = read_state(write_state(hostile));
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST((read->highest.term == 12U));
    hostile.highest.lineage = "1\nterm 1";
    BOOST_TEST((read_state(write_state(hostile))->highest.term == 12U));
}

BOOST_AUTO_TEST_CASE(is_read_whatever_byte_is_damaged, *utf::label("X7")) {
    const auto whole = write_state(sample());
    std::size_t refused = 0;
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const char damage : {'\0', '\n', ' ', '9', '\xff'}) {
            auto text = whole;
            text[at] = damage;
            const auto read = read_state(text);
            refused += read ? 0U : 1U;
            if (read && (read->highest.lineage.empty() || read->members.size() > 5))
                BOOST_ERROR("damage at " << at);
        }
    BOOST_TEST(refused > whole.size());
}

BOOST_AUTO_TEST_SUITE_END()

}
