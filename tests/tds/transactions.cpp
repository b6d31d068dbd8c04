// SPDX-License-Identifier: Apache-2.0
#include "tds/client.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test::tds {

using testing::site;

namespace {

struct with_client {
    with_client() { BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one); }

    std::vector<std::string> ledger() {
        return served.with([](auto& of) { return of.ledger(site::one); });
    }

    tds_double served;
    client one;
};

using tokens = std::vector<std::string>;

}

BOOST_FIXTURE_TEST_SUITE(tds_transactions, with_client)

BOOST_AUTO_TEST_CASE(are_ended_by_requests_of_the_transaction_manager) {
    BOOST_TEST_REQUIRE(one.set_autocommit(false));
    BOOST_TEST(one.run("INSERT INTO ledger VALUES (?)", {"a"}).succeeded);
    BOOST_TEST(ledger().empty());
    BOOST_TEST(one.commit(), one);
    BOOST_TEST(one.run("INSERT INTO ledger VALUES (?)", {"b"}).succeeded);
    BOOST_TEST(one.roll_back(), one);
    BOOST_TEST(one.run("INSERT INTO ledger VALUES (?)", {"c"}).succeeded);
    BOOST_TEST(one.commit(), one);
    BOOST_TEST((ledger() == tokens{"a", "c"}));
}

BOOST_AUTO_TEST_CASE(are_ended_by_text) {
    BOOST_TEST(one.run("BEGIN TRANSACTION").succeeded);
    BOOST_TEST(one.run("append a").succeeded);
    BOOST_TEST(one.run("append b").succeeded);
    BOOST_TEST(ledger().empty());
    BOOST_TEST(one.run("COMMIT TRANSACTION").succeeded);
    BOOST_TEST(one.run("BEGIN TRAN").succeeded);
    BOOST_TEST(one.run("append c").succeeded);
    BOOST_TEST(one.run("IF @@TRANCOUNT > 0 ROLLBACK").succeeded);
    BOOST_TEST(one.run("append d").succeeded);
    BOOST_TEST((ledger() == tokens{"a", "b", "d"}));
}

BOOST_AUTO_TEST_CASE(are_rolled_back_with_their_connection) {
    BOOST_TEST(one.run("BEGIN TRANSACTION").succeeded);
    BOOST_TEST(one.run("append a").succeeded);
    one.disconnect();
    BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one);
    BOOST_TEST(one.run("append b").succeeded);
    BOOST_TEST((ledger() == tokens{"b"}));
}

BOOST_AUTO_TEST_CASE(are_on_record_with_who_acknowledged_them) {
    BOOST_TEST(one.run("append a").succeeded);
    const auto seen = served.acknowledgements();
    BOOST_TEST_REQUIRE(seen.size() == 1U);
    BOOST_TEST(seen[0].token == "a");
    BOOST_TEST((seen[0].at == site::one && seen[0].named == site::one));
    BOOST_TEST(seen[0].term == 1U);
    const auto now = std::chrono::steady_clock::now();
    BOOST_TEST((seen[0].when <= now && now - seen[0].when < std::chrono::seconds(10)));
}

BOOST_AUTO_TEST_SUITE_END()

}
