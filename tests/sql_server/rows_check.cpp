// SPDX-License-Identifier: Apache-2.0
#include "sql_server/rows.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

const moment start = moment() + 1h;

/// A hundred rows on site one in term 1; then two leads, in term 2, for as long.
struct past {
    past() {
        known.namings = {{site::one, start}, {site::two, start + 100ms}};
        for (int i = 0; i < 200; ++i)
            row("row-" + std::to_string(i), i < 100 ? site::one : site::two, start + i * 1ms);
    }

    void row(const std::string& token, site at, moment when, bool synchronous = true) {
        const std::uint64_t term = at == site::one ? 1 : 2;
        told.rows.push_back({token, when, 0, true});
        known.answered.push_back({token, at, term, at, synchronous, when});
        known.ledger.push_back(token);
    }

    row_verdict verdict() const { return judge_rows(told, refused, known); }

    witnessed known;
    tally told;
    std::vector<std::string> refused;
};

}

BOOST_FIXTURE_TEST_SUITE(the_judge_of_rows, past)

BOOST_AUTO_TEST_CASE(finds_nothing_where_there_is_nothing) {
    const auto found = verdict();
    BOOST_TEST(found.lost + found.exposed_lost + found.duplicated + found.unexplained == 0U);
    BOOST_TEST(found.demoted_writes + found.refused_present + found.unknown == 0U);
}

BOOST_AUTO_TEST_CASE(finds_rows_that_are_gone_by_whether_anybody_waited_for_the_mirror) {
    row("kept", site::two, start + 200ms);
    row("lost", site::two, start + 201ms);
    row("exposed", site::two, start + 202ms, false);
    known.ledger.pop_back();
    known.ledger.pop_back();
    const auto found = verdict();
    BOOST_TEST(found.lost == 1U);
    BOOST_TEST(found.exposed == 1U);
    BOOST_TEST(found.exposed_lost == 1U);
}

BOOST_AUTO_TEST_CASE(finds_rows_that_are_there_twice_or_though_refused_or_from_nowhere) {
    known.ledger.emplace_back("row-7");
    refused = {"row-8", "never sent"};
    told.rows.push_back({"made up", start + 200ms, 0, true});
    told.unknown = {{"row-9", 0, false}, {"vanished", 0, false}};
    const auto found = verdict();
    BOOST_TEST(found.duplicated == 1U);
    BOOST_TEST(found.refused_present == 1U);
    BOOST_TEST(found.unexplained == 1U);
    BOOST_TEST(found.unknown == 2U);
    BOOST_TEST(found.unknown_present == 1U);
}

BOOST_AUTO_TEST_CASE(finds_writes_on_who_was_no_longer_named, *utf::label("F13")) {
    row("just in time", site::one, start + 150ms);
    BOOST_TEST(verdict().demoted_writes == 0U);
    row("too late", site::one, start + 250ms);
    BOOST_TEST(verdict().demoted_writes == 1U);
    known.namings.push_back({site::one, start + 240ms}); // It was named again ...
    BOOST_TEST(verdict().demoted_writes == 1U);          // ... and wrote in its old term.
}

BOOST_AUTO_TEST_SUITE_END()

}
