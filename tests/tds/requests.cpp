// SPDX-License-Identifier: Apache-2.0
// Which requests of the protocol FreeTDS really sends.
#include "tds/client.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test::tds {

using testing::site;
using kind = tds_double::request_kind;

namespace {

struct with_client {
    with_client() { BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one); }

    std::size_t of(kind which) { return served.counted(site::one).of(which); }

    tds_double served;
    client one;
};

}

BOOST_FIXTURE_TEST_SUITE(tds_requests, with_client)

BOOST_AUTO_TEST_CASE(of_a_text_alone_are_batches) {
    BOOST_TEST(one.run("SELECT 1").succeeded);
    BOOST_TEST(one.run("append a").succeeded);
    BOOST_TEST(of(kind::batch) == 2U);
    BOOST_TEST(of(kind::executesql) == 0U);
}

BOOST_AUTO_TEST_CASE(with_parameters_call_sp_executesql) {
    BOOST_TEST(one.run("SELECT ?", {"a"}).succeeded);
    BOOST_TEST(one.run("INSERT INTO ledger VALUES (?)", {"b"}).succeeded);
    BOOST_TEST(of(kind::executesql) == 2U);
    BOOST_TEST(of(kind::batch) == 0U);
}

BOOST_AUTO_TEST_CASE(of_what_is_prepared_go_by_its_handle_until_it_is_given_back) {
    const auto all = one.run_prepared("INSERT INTO ledger VALUES (?)", {{"a"}, {"b"}, {"c"}});
    BOOST_TEST(all.back().succeeded);
    BOOST_TEST(of(kind::prepexec) == 1U);
    BOOST_TEST(of(kind::execute) == 2U);
    BOOST_TEST(of(kind::unprepare) == 1U);
    BOOST_TEST(of(kind::executesql) == 0U);
    BOOST_TEST(of(kind::prepare) == 0U);
    BOOST_TEST(of(kind::other) == 0U);
}

BOOST_AUTO_TEST_CASE(that_end_transactions_are_of_their_own_kind) {
    BOOST_TEST_REQUIRE(one.set_autocommit(false));
    BOOST_TEST(one.run("append a").succeeded);
    BOOST_TEST(one.commit());
    BOOST_TEST(of(kind::transaction) >= 2U); // It begins, and it ends.
    BOOST_TEST(of(kind::batch) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}
