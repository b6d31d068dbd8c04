// SPDX-License-Identifier: Apache-2.0
#include "tds/client.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <filesystem>
#include <thread>

namespace hadr::test::tds {

namespace utf = boost::unit_test;
using testing::site;

namespace {

std::ptrdiff_t entries(const char* folder) {
    const std::filesystem::directory_iterator all(folder);
    return std::distance(begin(all), end(all));
}

bool soon(const std::function<bool()>& what) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!what() && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    return what();
}

std::string only_value(const client::result& of) {
    if (!of.succeeded || of.rows.size() != 1 || of.rows[0].size() != 1)
        return "no value";
    return of.rows[0][0].value_or("NULL");
}

}

BOOST_AUTO_TEST_SUITE(tds_sessions)

BOOST_AUTO_TEST_CASE(begin_with_what_the_client_says) {
    tds_double served;
    client one;
    BOOST_TEST_REQUIRE(
        one.connect(served.odbc_string(site::one) + ";APP=an app;ApplicationIntent=ReadOnly"), one
    );
    const auto seen = served.logins();
    BOOST_TEST_REQUIRE(seen.size() == 1U);
    BOOST_TEST(seen[0].version == 0x74000004U);
    BOOST_TEST(seen[0].user == "u");
    BOOST_TEST(seen[0].password == "p");
    BOOST_TEST(seen[0].database == "d");
    BOOST_TEST(seen[0].application == "an app");
    BOOST_TEST(seen[0].read_only);
    BOOST_TEST(served.counted(site::one).open == 1U);
    one.disconnect();
    BOOST_TEST(soon([&] { return served.counted(site::one).open == 0; }));
}

BOOST_AUTO_TEST_CASE(are_refused_with_wrong_credentials) {
    tds_double served({.user = "somebody"});
    client one;
    BOOST_TEST(one.connect(served.odbc_string(site::one)));
    BOOST_TEST(!one.connect(served.odbc_string(site::one) + ";PWD=other"));
    BOOST_TEST(one.has(18456), one);
    BOOST_TEST(served.counted(site::one).refused == 1U);
}

BOOST_AUTO_TEST_CASE(bring_every_value_back) {
    tds_double served;
    client one;
    BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one) + ";ClientCharset=UTF-8"), one);
    const client::value values[] = {
        "",
        "it's",
        "@P1 ? $1",
        "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
        "-42",
        "007",
        std::nullopt,
        std::string(7'000, 'x'),
        std::string(100'000, 'y')};
    for (const auto& value : values) {
        const auto made = one.run("SELECT ?", {value});
        BOOST_TEST((only_value(made) == value.value_or("NULL")), one);
    }
    BOOST_TEST(
        only_value(one.run("SELECT '6F9619FF-8B86-D011-B42D-00C04FC964FF'")) ==
        "6F9619FF-8B86-D011-B42D-00C04FC964FF"
    );
    BOOST_TEST(only_value(one.run("SELECT REPLICATE('ab', 400000)")).size() == 800'000U);
    BOOST_TEST(one.run("SELECT value FROM GENERATE_SERIES(1, 1000)").rows.size() == 1000U);
}

BOOST_AUTO_TEST_CASE(keep_what_was_prepared) {
    tds_double served;
    client one;
    BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one);
    const auto all = one.run_prepared("INSERT INTO ledger VALUES (?)", {{"a"}, {"b"}, {"c"}});
    for (const auto& each : all) {
        BOOST_TEST(each.succeeded);
        BOOST_TEST(each.affected == 1);
    }
    const auto there = served.with([](auto& of) { return of.ledger(site::one); });
    BOOST_TEST((there == std::vector<std::string>{"a", "b", "c"}));
}

BOOST_AUTO_TEST_CASE(tell_errors_by_their_numbers) {
    tds_double served;
    client one;
    BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one);
    for (const int number : {50'001, 954, 1205, 3906}) {
        const auto text = "THROW " + std::to_string(number) + ", 'no', 1";
        BOOST_TEST(!one.run(text).succeeded);
        BOOST_TEST(one.has(number), one);
        BOOST_TEST(!one.dead());
    }
    BOOST_TEST(only_value(one.run("SELECT 1")) == "1");
}

BOOST_AUTO_TEST_CASE(can_be_moved_to_another_database) {
    tds_double served;
    client one;
    BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one, "master")), one);
    BOOST_TEST(one.current_database() == "master");
    BOOST_TEST(only_value(one.run("USE [d]; SELECT 1")) == "1", one);
    BOOST_TEST(one.current_database() == "d");
}

BOOST_AUTO_TEST_CASE(stop_a_statement_when_the_client_has_waited_enough) {
    tds_double served;
    client one;
    BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one);
    const auto begun = std::chrono::steady_clock::now();
    BOOST_TEST(!one.run("WAITFOR DELAY '00:00:30'", {}, 1).succeeded);
    BOOST_TEST(one.has_state("HYT00"), one);
    BOOST_TEST((std::chrono::steady_clock::now() - begun < std::chrono::seconds(15)));
    BOOST_TEST(!one.dead());
    BOOST_TEST(served.counted(site::one).attentions == 1U);
    BOOST_TEST(only_value(one.run("SELECT 1")) == "1");
}

BOOST_AUTO_TEST_CASE(of_many_threads_do_not_disturb_each_other) {
    tds_double served;
    std::atomic<int> right = 0;
    {
        std::vector<std::jthread> all;
        for (int i = 0; i < 16; ++i)
            all.emplace_back([&, i] {
                client own;
                if (!own.connect(served.odbc_string(site::one)))
                    return;
                for (int k = 0; k < 30; ++k) {
                    const auto value = std::to_string(i * 1000 + k);
                    right += only_value(own.run("SELECT ?", {value})) == value ? 1 : 0;
                }
            });
    }
    BOOST_TEST(right == 16 * 30);
    BOOST_TEST(soon([&] { return served.counted(site::one).open == 0; }));
}

BOOST_AUTO_TEST_CASE(leave_nothing_behind) {
    client one;
    const auto threads = entries("/proc/self/task");
    const auto descriptors = entries("/proc/self/fd");
    {
        tds_double served;
        client open;
        client held;
        BOOST_TEST(open.connect(served.odbc_string(site::one)));
        BOOST_TEST(held.connect(served.odbc_string(site::one)));
        served.set(site::one, {.what = effect::hold});
        std::jthread waits([&] { held.run("SELECT 1"); });
        BOOST_TEST(soon([&] { return served.held(site::one) == 1; }));
        served.with([](auto& of) { of.freeze(site::two); });
        // Its destructor waits for none of them.
        auto moved = std::make_unique<tds_double>();
        moved.reset();
        served.clear(site::one);
        served.release(site::one);
    }
    BOOST_TEST(entries("/proc/self/task") == threads);
    BOOST_TEST(entries("/proc/self/fd") == descriptors);
}

BOOST_AUTO_TEST_CASE(end_with_the_double, *utf::timeout(30)) {
    client held;
    std::jthread waits;
    {
        tds_double served;
        BOOST_TEST_REQUIRE(held.connect(served.odbc_string(site::one)), held);
        served.set(site::one, {.what = effect::hold});
        waits = std::jthread([&] { held.run("SELECT 1"); });
        BOOST_TEST(soon([&] { return served.held(site::one) == 1; }));
    }
    waits.join();
    BOOST_TEST(held.dead());
}

BOOST_AUTO_TEST_CASE(with_the_witness_bring_no_answer, *utf::label("C9")) {
    tds_double served;
    client one;
    BOOST_TEST(!one.connect(served.odbc_string(site::witness), 1));
    BOOST_TEST(one.has_state("HYT00"), one);
    BOOST_TEST(served.counted(site::witness).accepted == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}
