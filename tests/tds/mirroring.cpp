// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"
#include "tds/client.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

namespace hadr::test::tds {

namespace utf = boost::unit_test;
using testing::site;
namespace sql_server = core::sql_server;

namespace {

using clock = std::chrono::steady_clock;

bool soon(const std::function<bool()>& what) {
    const auto until = clock::now() + std::chrono::seconds(20);
    while (!what() && clock::now() < until)
        std::this_thread::yield();
    return what();
}

client::value column(const client::result& of, std::string_view name) {
    for (std::size_t i = 0; i < of.columns.size() && of.rows.size() == 1; ++i)
        if (of.columns[i] == name)
            return of.rows[0][i];
    return "no such column";
}

struct mirrored {
    mirrored() {
        BOOST_TEST_REQUIRE(soon([&] {
            return served.with([](auto& of) { return of.protected_now(); });
        }));
    }

    std::string database(site of) const { return served.odbc_string(of); }
    std::string master(site of) const { return served.odbc_string(of, "master"); }
    bool leads(site which) { return served.writable_since(which) != time_point::max(); }

    tds_double served;
    client one;
    client two;
    const std::string question = sql_server::member_question("d");
};

}

BOOST_FIXTURE_TEST_SUITE(tds_mirroring, mirrored)

BOOST_AUTO_TEST_CASE(refuses_the_mirrors_database_but_not_its_server) {
    BOOST_TEST(!two.connect(database(site::two)));
    BOOST_TEST(two.has(954), two);
    BOOST_TEST(two.has(18456), two);
    BOOST_TEST(two.connect(master(site::two)), two);
    BOOST_TEST(!two.run("USE [d]").succeeded);
    BOOST_TEST(two.has(954), two);
    BOOST_TEST(!two.dead());
    BOOST_TEST(two.current_database() == "master");
    BOOST_TEST(two.run("SELECT 1").succeeded, two);
}

BOOST_AUTO_TEST_CASE(shows_the_roles_to_who_asks) {
    BOOST_TEST_REQUIRE(one.connect(master(site::one)), one);
    BOOST_TEST_REQUIRE(two.connect(master(site::two)), two);
    const auto principal = one.run(question);
    BOOST_TEST((column(principal, "role") == "1"), one);
    BOOST_TEST((column(principal, "state") == "SYNCHRONIZED"));
    BOOST_TEST((column(principal, "role_sequence") == "1"));
    BOOST_TEST((column(principal, "partner_instance") == "TWO"));
    BOOST_TEST((column(principal, "witness_state") == "1"));
    const auto mirror = two.run(question);
    BOOST_TEST((column(mirror, "database_state") == "RESTORING"), two);
    BOOST_TEST((column(mirror, "role") == std::nullopt));
    BOOST_TEST((column(mirror, "server_name") == "TWO"));
}

BOOST_AUTO_TEST_CASE(names_the_partner_that_the_script_wants, *utf::label("C43")) {
    BOOST_TEST_REQUIRE(one.connect(master(site::one)), one);
    served.set_partner_name(site::one, "C.example");
    BOOST_TEST((column(one.run(question), "partner_instance") == "C.example"));
    served.set_partner_name(site::one, "");
    BOOST_TEST((column(one.run(question), "partner_instance") == std::nullopt));
}

BOOST_AUTO_TEST_CASE(moves_a_waiting_session_once_its_server_leads) {
    BOOST_TEST_REQUIRE(two.connect(master(site::two)), two);
    BOOST_TEST(!two.run("USE [d]").succeeded);
    served.with([](auto& of) { of.kill(site::one); });
    BOOST_TEST_REQUIRE(soon([&] { return leads(site::two); }));
    const auto proof = two.run(sql_server::proof_text("d"));
    BOOST_TEST((column(proof, "current_database") == "d"), two);
    BOOST_TEST((column(proof, "role") == "1"));
    BOOST_TEST((column(proof, "role_sequence") == "2"));
    BOOST_TEST(two.current_database() == "d");
    BOOST_TEST(two.run("INSERT INTO ledger VALUES (?)", {"a"}).succeeded, two);
    BOOST_TEST(two.run_prepared("INSERT INTO ledger VALUES (?)", {{"b"}, {"c"}})[1].succeeded);
    const auto seen = served.acknowledgements();
    BOOST_TEST_REQUIRE(seen.size() == 3U);
    BOOST_TEST((seen[2].at == site::two && seen[2].named == site::two && seen[2].term == 2));
}

BOOST_AUTO_TEST_CASE(does_not_move_a_session_by_a_procedure) {
    BOOST_TEST_REQUIRE(one.connect(master(site::one)), one);
    BOOST_TEST(one.run_prepared("USE [d]", {{}})[0].succeeded);
    BOOST_TEST(one.current_database() == "master");
    BOOST_TEST(!one.run("append a").succeeded);
    BOOST_TEST(one.has(208), one);
}

BOOST_AUTO_TEST_CASE(ends_the_sessions_of_a_planned_failover_with_words, *utf::label("C21")) {
    BOOST_TEST_REQUIRE(one.connect(database(site::one)), one);
    BOOST_TEST_REQUIRE(two.connect(master(site::one)), two);
    BOOST_TEST(two.run(sql_server::planned_failover_text("d")).succeeded, two);
    BOOST_TEST(soon([&] { return leads(site::two); }));
    BOOST_TEST(!one.run("append a").succeeded);
    BOOST_TEST(one.dead(), one);
    BOOST_TEST(two.run("SELECT 1").succeeded, two);
    BOOST_TEST(one.connect(database(site::two)), one);
    BOOST_TEST(one.run("append b").succeeded, one);
    BOOST_TEST(!two.connect(database(site::one)));
    BOOST_TEST(two.has(954), two);
}

BOOST_AUTO_TEST_CASE(refuses_the_database_without_a_quorum, *utf::label("C32")) {
    BOOST_TEST_REQUIRE(one.connect(database(site::one)), one);
    served.with([](auto& of) {
        of.kill(site::witness);
        of.kill(site::two);
    });
    BOOST_TEST(soon([&] { return !leads(site::one); }));
    BOOST_TEST(!one.run("append a").succeeded);
    BOOST_TEST(!two.connect(database(site::one)));
    BOOST_TEST((two.has(955) || two.has(956)), two);
}

BOOST_AUTO_TEST_SUITE_END()

}
