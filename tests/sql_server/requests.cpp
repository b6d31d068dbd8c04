// SPDX-License-Identifier: Apache-2.0
// As which requests of the protocol the library's statements arrive.
#include "sql_server/pair.hpp"
#include "support/process.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <array>

namespace hadr::test {

using namespace std::chrono_literals;
using sent_as = tds_double::request_kind;

namespace {

struct held : mirrored_pair {
    held() {
        open();
        auto made = store().acquire({.intent = intent::write, .until = deadline::in(10s)});
        BOOST_TEST_REQUIRE(made.has_value());
        on = *std::move(made);
        before = served.counted(site::one);
    }

    /// Since the session is held.
    std::size_t more(sent_as which) {
        return served.counted(site::one).of(which) - before.of(which);
    }

    void insert(const std::string& token, preparation how) {
        const std::array<parameter, 1> with = {std::string_view(token)};
        answer into;
        BOOST_TEST(on.execute(
                         {"INSERT INTO ledger VALUES (?)", with, statement_kind::text, how},
                         into,
                         deadline::in(5s)
        )
                       .has_value());
    }

    lease on;
    tds_double::counters before;
};

}

BOOST_FIXTURE_TEST_SUITE(statements_on_their_way_to_a_server, held)

BOOST_AUTO_TEST_CASE(are_prepared_once_and_run_by_their_handle_where_they_are_kept) {
    constexpr int runs = 5;
    for (int i = 0; i < runs; ++i)
        insert(fmt::format("kept-{}", i), preparation::kept);
    BOOST_TEST(more(sent_as::prepexec) == 1U);
    BOOST_TEST(more(sent_as::execute) == runs - 1U);
    BOOST_TEST(more(sent_as::executesql) == 0U);
    BOOST_TEST(served.with([](simulated_store& of) { return of.ledger(site::one).size(); }) == 5U);
}

BOOST_AUTO_TEST_CASE(carry_their_parameters_beside_the_text) {
    insert("once", preparation::none);
    insert("@P1 ? $1", preparation::none);
    BOOST_TEST(more(sent_as::executesql) + more(sent_as::prepexec) == 2U);
    BOOST_TEST(more(sent_as::batch) == 0U);
    const auto all = served.with([](simulated_store& of) { return of.ledger(site::one); });
    BOOST_TEST(
        all == (std::vector<std::string>{"once", "@P1 ? $1"}), boost::test_tools::per_element()
    );
}

BOOST_AUTO_TEST_CASE(give_back_what_was_prepared_before_the_session_ends) {
    insert("a", preparation::kept);
    on.release();
    close();
    wait_until("it to be given back", 5s, [this] { return more(sent_as::unprepare) > 0U; });
}

BOOST_AUTO_TEST_SUITE_END()

}
