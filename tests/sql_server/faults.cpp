// SPDX-License-Identifier: Apache-2.0
// Servers that fall silent, drag, babble or hang up in the middle of a statement, and the library
// on them through unixODBC and FreeTDS: every call is back by its deadline and tells the truth, no
// session that met one of them is used again, and nothing of them is left.
#include "sql_server/left_over.hpp"
#include "sql_server/pair.hpp"
#include "support/ledger.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

namespace hadr::test {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
namespace utf = boost::unit_test;

namespace {

constexpr auto limit = 300ms;
constexpr std::string_view long_value = "SELECT REPLICATE('x', 2000)";
constexpr std::string_view many_rows = "SELECT value FROM GENERATE_SERIES(1, 2000)";

struct struck : mirrored_pair {
    control_thread control;

    struck() {
        open();
        BOOST_TEST_REQUIRE(writes_at(site::one));
    }

    lease session() {
        auto made = store().acquire({.intent = intent::write, .until = deadline::in(10s)});
        BOOST_TEST_REQUIRE(made.has_value());
        return *std::move(made);
    }

    /// What a call is told, which is back by its deadline.
    template <class Call>
    auto in_time(duration within, Call call) {
        const auto begun = clock::now();
        auto made = call(deadline::at(begun + within));
        const auto took = clock::now() - begun;
        BOOST_TEST(
            (took <= within + overrun_most + control.worst()),
            std::chrono::duration<double>(took).count() << " s"
        );
        return made;
    }

    /// The session is beyond use, says so without a word to the server, and others serve.
    void check_dropped(lease& met) {
        BOOST_TEST(!met.current());
        const auto again = met.execute("SELECT 1", {}, deadline::in(limit));
        BOOST_TEST(!again.has_value());
        met.release();
        served.clear(site::one);
        BOOST_TEST(writes_at(site::one));
    }

    std::ptrdiff_t times_in_ledger(const std::string& token) {
        return served.with([&](simulated_store& of) {
            const auto all = of.ledger(site::one);
            return std::count(all.begin(), all.end(), token);
        });
    }
};

struct row {
    const char* when;
    tds::fault what;
};

void check_unknown(const failure& why) {
    BOOST_TEST_CONTEXT(to_string(why)) {
        BOOST_TEST(why.code == errc::outcome_unknown);
        BOOST_TEST((why.next == advice::verify));
    }
}

// clang-format off
const row of_an_answer[] = {
    {"nothing comes",                      {.what = effect::mute}},
    {"nothing comes, though it has run",   {.what = effect::mute, .when = tds::moment::after}},
    {"it stalls in the middle",            {.what = effect::stall, .bytes = 3'000}},
    {"it stalls in the first packet",      {.what = effect::stall, .bytes = 5}},
    {"it comes too slowly",                {.what = effect::slow, .bytes = 1}},
    {"it means nothing",                   {.what = effect::garbage}},
    {"it means nothing, after it has run", {.what = effect::garbage, .when = tds::moment::after}},
    {"it is cut in the middle",            {.what = effect::cut, .bytes = 3'000}},
    {"the connection is reset",            {.what = effect::reset}},
    {"the connection is half closed",      {.what = effect::half_close}},
};

const row of_a_write[] = {
    {"nothing comes",                   {.what = effect::mute}},
    {"nothing comes of what is done",   {.what = effect::mute, .when = tds::moment::after}},
    {"it stalls",                       {.what = effect::stall, .when = tds::moment::after, .bytes = 9}},
    {"it means nothing",                {.what = effect::garbage}},
    {"it means nothing of what is done",{.what = effect::garbage, .when = tds::moment::after}},
    {"it is cut",                       {.what = effect::cut, .when = tds::moment::after, .bytes = 9}},
    {"reset before it is done",         {.what = effect::reset}},
    {"reset behind it",                 {.what = effect::reset, .when = tds::moment::after}},
    {"half closed before it is done",   {.what = effect::half_close}},
    {"half closed behind it",           {.what = effect::half_close, .when = tds::moment::after}},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(
    a_server_that_fails_in_a_statement, *utf::label("F50") * utf::label("F51") * utf::label("P4")
)

BOOST_FIXTURE_TEST_CASE(brings_no_part_of_an_answer, struck, *utf::label("F7")) {
    for (const auto text : {long_value, many_rows})
        for (auto [when, what] : of_an_answer)
            BOOST_TEST_CONTEXT(when << " of " << text) {
                auto met = session();
                what.about = text.substr(0, 12);
                served.set(site::one, what);
                const auto how =
                    in_time(limit, [&](deadline until) { return met.execute(text, {}, until); });
                BOOST_TEST_REQUIRE(!how.has_value());
                BOOST_TEST_MESSAGE(when << ": " << to_string(how.error()));
                check_unknown(how.error());
                if (what.what == effect::garbage)
                    BOOST_TEST(how.error().message.find("protocol") != std::string::npos);
                check_dropped(met);
            }
}

BOOST_FIXTURE_TEST_CASE(
    leaves_a_write_unknown, struck, *utf::label("C7") * utf::label("F2") * utf::label("F39")
) {
    int number = 0;
    for (auto [when, what] : of_a_write)
        BOOST_TEST_CONTEXT(when) {
            auto met = session();
            const auto token = fmt::format("struck-{}", ++number);
            what.about = token;
            served.set(site::one, what);
            const std::array<parameter, 1> with = {std::string_view(token)};
            const auto how = in_time(limit, [&](deadline until) {
                return met.execute("INSERT INTO ledger VALUES (?)", with, until);
            });
            BOOST_TEST_REQUIRE(!how.has_value());
            BOOST_TEST_MESSAGE(when << ": " << to_string(how.error()));
            check_unknown(how.error());
            BOOST_TEST(times_in_ledger(token) == (what.when == tds::moment::after ? 1 : 0));
            check_dropped(met);
        }
}

BOOST_FIXTURE_TEST_CASE(
    leaves_a_commit_in_doubt, struck, *utf::label("C1") * utf::label("C6") * utf::label("F39")
) {
    int number = 0;
    for (auto [when, what] : of_a_write)
        BOOST_TEST_CONTEXT(when) {
            auto met = session();
            const auto token = fmt::format("in-doubt-{}", ++number);
            const std::array<parameter, 1> with = {std::string_view(token)};
            BOOST_TEST_REQUIRE(met.execute("BEGIN TRANSACTION").has_value());
            BOOST_TEST_REQUIRE(met.execute("INSERT INTO ledger VALUES (?)", with).has_value());
            what.at = point::commit;
            served.set(site::one, what);
            const auto how = in_time(limit, [&](deadline until) { return met.commit(until); });
            BOOST_TEST((how.ended == outcome::in_doubt));
            BOOST_TEST_REQUIRE(how.cause.has_value());
            BOOST_TEST_MESSAGE(when << ": " << to_string(*how.cause));
            check_unknown(*how.cause);
            BOOST_TEST(times_in_ledger(token) == (what.when == tds::moment::after ? 1 : 0));
            check_dropped(met);
        }
}

BOOST_FIXTURE_TEST_CASE(that_drags_is_waited_for_within_the_deadline, struck) {
    auto met = session();
    served.set(site::one, {.what = effect::slow, .bytes = 40, .about = "REPLICATE"});
    const auto how = met.execute(long_value, {}, deadline::in(10s));
    BOOST_TEST_REQUIRE(how.has_value());
    BOOST_TEST_REQUIRE(how->rows() == 1U);
    BOOST_TEST((how->at(0, 0) == std::string(2'000, 'x')));
    BOOST_TEST(met.current());
}

// What FreeTDS sends at its own time-outs, which come later than the library's deadline, or
// earlier.
BOOST_FIXTURE_TEST_CASE(that_is_deaf_to_attentions_keeps_nobody_waiting, struck) {
    for (const auto within : {duration(limit), duration(1'300ms), duration(2'600ms)}) {
        auto met = session();
        served.set(site::one, {.what = effect::deaf});
        const auto how = in_time(within, [&](deadline until) {
            return met.execute("WAITFOR DELAY '00:00:20'", {}, until);
        });
        BOOST_TEST_REQUIRE(!how.has_value());
        BOOST_TEST_MESSAGE(to_string(how.error()));
        check_unknown(how.error());
        check_dropped(met);
    }
}

BOOST_FIXTURE_TEST_CASE(that_stalls_one_session_delays_no_other, struck) {
    served.set(site::one, {.what = effect::stall, .bytes = 3'000, .about = "REPLICATE"});
    std::atomic<int> failed{0};
    std::vector<std::jthread> stalled;
    std::vector<lease> met;
    for (int i = 0; i < 4; ++i)
        met.push_back(session());
    for (auto& one : met)
        stalled.emplace_back([&] {
            failed += one.execute(long_value, {}, deadline::in(1s)).has_value() ? 0 : 1;
        });
    wait_until("all to be stalled", 10s, [&] {
        return served.counted(site::one).stalled == met.size();
    });
    for (int i = 0; i < 20; ++i) {
        const auto one = write(1s);
        BOOST_TEST(one.where.has_value());
        BOOST_TEST((one.took <= 1s + overrun_most + control.worst()));
    }
    stalled.clear();
    BOOST_TEST(failed == 4);
}

BOOST_AUTO_TEST_CASE(leaves_nothing_behind) {
    { const struck once; } // What libraries make once for a process.
    const left_over before;
    {
        struck pair;
        for (const auto what : {effect::mute, effect::stall, effect::garbage, effect::slow}) {
            auto met = pair.session();
            pair.served.set(site::one, {.what = what, .bytes = 1, .about = "REPLICATE"});
            BOOST_TEST(!met.execute(long_value, {}, deadline::in(100ms)).has_value());
        }
        pair.close(); // While calls are stuck in the driver.
    }
    const auto left = before.after();
    BOOST_TEST(left.threads == 0);
    BOOST_TEST(left.descriptors == 0);
    BOOST_TEST(left.handles == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}
