// SPDX-License-Identifier: Apache-2.0
#include "tds/client.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

namespace hadr::test::tds {

namespace utf = boost::unit_test;
using testing::site;

namespace {

using clock = std::chrono::steady_clock;

bool soon(const std::function<bool()>& what) {
    const auto until = clock::now() + std::chrono::seconds(10);
    while (!what() && clock::now() < until)
        std::this_thread::yield();
    return what();
}

double seconds_of(const std::function<void()>& what) {
    const auto begun = clock::now();
    what();
    return std::chrono::duration<double>(clock::now() - begun).count();
}

struct login_row {
    const char* when;
    fault what;
    bool silent; ///< So that only the driver's own time-out ends the login.
};

// clang-format off
const login_row login_rows[] = {
    {"mute once accepted",          {point::accept, effect::mute},                              true},
    {"mute to the first words",     {point::prelogin, effect::mute},                            true},
    {"mute to the login",           {point::login, effect::mute},                               true},
    {"mute once logged in",         {point::login, effect::mute, moment::after},                true},
    {"reset once accepted",         {point::accept, effect::reset},                             false},
    {"reset at the first words",    {point::prelogin, effect::reset},                           false},
    {"reset at the login",          {point::login, effect::reset},                              false},
    {"half closed once accepted",   {point::accept, effect::half_close},                        false},
    {"half closed at the login",    {point::login, effect::half_close},                         false},
    {"nonsense at the first words", {point::prelogin, effect::garbage},                         false},
    {"nonsense at the login",       {point::login, effect::garbage},                            false},
    {"the login's answer cut",      {point::login, effect::cut, moment::after, 20},             false},
    {"refused",                     {point::login, effect::refuse, moment::before, 0, {18456}}, false},
};
// clang-format on

struct with_client {
    with_client() { BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one); }

    bool in_ledger(const std::string& token) {
        return served.with([&](auto& of) {
            const auto all = of.ledger(site::one);
            return std::find(all.begin(), all.end(), token) != all.end();
        });
    }

    tds_double served;
    client one;
};

}

BOOST_FIXTURE_TEST_SUITE(tds_faults, with_client)

BOOST_AUTO_TEST_CASE(of_a_login_end_it_within_its_time) {
    for (const auto& [when, what, silent] : login_rows)
        BOOST_TEST_CONTEXT(when) {
            const int limit = silent ? 1 : 15;
            served.set(site::one, what);
            client other;
            bool made = true;
            const auto took =
                seconds_of([&] { made = other.connect(served.odbc_string(site::one), limit); });
            BOOST_TEST(!made);
            BOOST_TEST((silent ? took > 0.9 && took < 10 : took < 10), took << " s, " << other);
            served.clear(site::one);
        }
    client after;
    BOOST_TEST(after.connect(served.odbc_string(site::one)), after);
}

BOOST_AUTO_TEST_CASE(refuse_a_login_with_all_numbers) {
    served.set(site::one, {point::login, effect::refuse, moment::before, 0, {4060, 18456}});
    client other;
    BOOST_TEST(!other.connect(served.odbc_string(site::one)));
    BOOST_TEST(other.has(4060), other);
    BOOST_TEST(other.has(18456), other);
}

BOOST_AUTO_TEST_CASE(strike_as_often_as_they_are_told) {
    served.set(site::one, {.what = effect::refuse, .numbers = {1205}, .skip = 1, .times = 2});
    std::string seen;
    for (int i = 0; i < 5; ++i)
        seen += one.run("SELECT 1").succeeded ? '+' : '-';
    BOOST_TEST(seen == "+--++");
}

BOOST_AUTO_TEST_CASE(before_a_statement_keep_it_from_running, *utf::label("C7")) {
    const fault all[] = {
        {.what = effect::reset},
        {.what = effect::half_close},
        {.what = effect::mute},
    };
    for (const auto& each : all) {
        served.set(site::one, each);
        BOOST_TEST(!one.run("append never", {}, 1).succeeded);
        BOOST_TEST(one.dead(), one);
        served.clear(site::one);
        BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one);
    }
    BOOST_TEST(!in_ledger("never"));
}

BOOST_AUTO_TEST_CASE(behind_a_statement_leave_it_done, *utf::label("C7")) {
    const fault all[] = {
        {.what = effect::reset, .when = moment::after},
        {.what = effect::half_close, .when = moment::after},
        {.what = effect::mute, .when = moment::after},
        {.what = effect::garbage, .when = moment::after},
        {.what = effect::cut, .bytes = 9},
    };
    int number = 0;
    for (const auto& each : all) {
        const auto token = "t" + std::to_string(++number);
        served.set(site::one, each);
        BOOST_TEST(!one.run("append " + token, {}, 1).succeeded);
        BOOST_TEST(in_ledger(token));
        served.clear(site::one);
        BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one);
    }
}

BOOST_AUTO_TEST_CASE(of_a_commit_leave_it_done_or_not, *utf::label("C1")) {
    for (const auto when : {moment::before, moment::after}) {
        const std::string token = when == moment::before ? "lost" : "kept";
        BOOST_TEST_REQUIRE(one.set_autocommit(false));
        served.set(site::one, {.at = point::commit, .what = effect::reset, .when = when});
        BOOST_TEST(one.run("INSERT INTO ledger VALUES (?)", {token}).succeeded);
        BOOST_TEST(!one.commit());
        BOOST_TEST(one.dead());
        BOOST_TEST(in_ledger(token) == (when == moment::after));
        served.clear(site::one);
        BOOST_TEST_REQUIRE(one.connect(served.odbc_string(site::one)), one);
    }
}

BOOST_AUTO_TEST_CASE(slow_an_answer_down) {
    served.set(site::one, {.what = effect::slow, .bytes = 40});
    const auto took =
        seconds_of([&] { BOOST_TEST(one.run("SELECT REPLICATE('x', 2000)").succeeded, one); });
    BOOST_TEST((took > 0.09 && took < 10), took);
}

BOOST_AUTO_TEST_CASE(hold_an_answer_until_it_is_released) {
    served.set(site::one, {.what = effect::hold, .when = moment::after, .skip = 1, .times = 1});
    BOOST_TEST(one.run("append a").succeeded);
    bool done = false;
    std::jthread waits([&] { done = one.run("append b").succeeded; });
    BOOST_TEST(soon([&] { return served.held(site::one) == 1; }));
    BOOST_TEST(in_ledger("b"));
    served.release(site::one);
    waits.join();
    BOOST_TEST(done, one);
    BOOST_TEST(one.run("append c").succeeded);
}

BOOST_AUTO_TEST_CASE(that_hold_heed_an_attention) {
    served.set(site::one, {.what = effect::hold, .times = 1});
    BOOST_TEST(!one.run("append never", {}, 1).succeeded);
    BOOST_TEST(one.has_state("HYT00"), one);
    BOOST_TEST(!one.dead());
    BOOST_TEST(served.held(site::one) == 0U);
    BOOST_TEST(one.run("append next").succeeded, one);
    BOOST_TEST(!in_ledger("never"));
}

BOOST_AUTO_TEST_CASE(that_make_it_deaf_end_the_connection) {
    served.set(site::one, {.what = effect::deaf});
    const auto took =
        seconds_of([&] { BOOST_TEST(!one.run("WAITFOR DELAY '00:00:20'", {}, 1).succeeded); });
    BOOST_TEST((took > 1.5 && took < 15), took);
    BOOST_TEST(one.dead());
}

BOOST_AUTO_TEST_CASE(of_the_store_are_those_of_its_sockets) {
    served.with([](auto& of) { of.kill(site::one); });
    BOOST_TEST(!one.run("SELECT 1").succeeded);
    BOOST_TEST(one.dead());
    const auto took =
        seconds_of([&] { BOOST_TEST(!one.connect(served.odbc_string(site::one), 5)); });
    BOOST_TEST(took < 4);
    // Whoever came as the door was being closed was let in, and then dropped.
    const auto finds_nobody = [&] {
        return !one.connect(served.odbc_string(site::one), 5) && one.has(20009);
    };
    BOOST_TEST(soon(finds_nobody), one);
    served.with([](auto& of) { of.restart(site::one); });
    BOOST_TEST(soon([&] { return one.connect(served.odbc_string(site::one), 1); }), one);
}

BOOST_AUTO_TEST_CASE(that_pass_are_waited_out) {
    const std::pair<
        const char*,
        std::pair<void (*)(testing::simulated_store&), void (*)(testing::simulated_store&)>>
        all[] = {
            {"frozen",
             {[](auto& of) { of.freeze(site::one); }, [](auto& of) { of.thaw(site::one); }}},
            {"cut off",
             {[](auto& of) { of.cut(site::client, site::one); },
              [](auto& of) { of.mend(site::client, site::one); }}},
        };
    for (const auto& [when, fault] : all)
        BOOST_TEST_CONTEXT(when) {
            served.with(fault.first);
            bool done = false;
            std::jthread waits([&] { done = one.run("SELECT 1").succeeded; });
            client other;
            BOOST_TEST(!other.connect(served.odbc_string(site::one), 1));
            BOOST_TEST(other.has_state("HYT00"), other);
            served.with(fault.second);
            waits.join();
            BOOST_TEST(done, one);
        }
}

BOOST_AUTO_TEST_CASE(send_a_reader_elsewhere) {
    served.set_routing(site::one, tds_double::address(site::two), served.port(site::two));
    const auto to = served.odbc_string(site::one, "master");
    client other;
    BOOST_TEST(other.connect(to + ";ApplicationIntent=ReadOnly"), other);
    BOOST_TEST(served.counted(site::two).logins == 1U);
    client writer;
    BOOST_TEST(writer.connect(to), writer);
    BOOST_TEST(served.counted(site::two).logins == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}
