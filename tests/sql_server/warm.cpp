// SPDX-License-Identifier: Apache-2.0
// A mirror refuses its database, so that sessions are kept ready beside it, in master, and moved by
// USE at the promotion.
#include "sql_server/pair.hpp"
#include "support/ledger.hpp"
#include "support/process.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

constexpr int trials = 15;
constexpr double follow_most = 20;

struct waiting : mirrored_pair {
    waiting() {
        open();
        BOOST_TEST_REQUIRE(write().where.has_value());
        await_warm();
    }

    void await_warm() {
        wait_until("two warm sessions", 10s, [&] {
            return store().counters().sessions_warm_now == 2;
        });
    }

    site other() { return named() == site::one ? site::two : site::one; }

    void kill(site which) {
        served.with([which](simulated_store& of) { of.kill(which); });
    }

    /// Everything as before, with the roles swapped.
    void recover() {
        served.with([](simulated_store& of) { of.heal(); });
        settle();
        await_warm();
    }
};

double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
}

}

BOOST_FIXTURE_TEST_SUITE(sessions_that_wait_in_master, waiting, *utf::label("E4"))

BOOST_AUTO_TEST_CASE(never_try_the_database_of_a_mirror) {
    BOOST_TEST(database_logins(site::two) == 0U);
    BOOST_TEST(served.counted(site::two).refused == 0U);
    BOOST_TEST(served.counted(site::two).logins >= 3U, "a watcher and two that wait");
}

BOOST_AUTO_TEST_CASE(serve_the_first_commit_of_the_new_principal_without_a_login) {
    const auto before = served.counted(site::two).logins;
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    BOOST_TEST(served.counted(site::two).logins == before);
    BOOST_TEST(database_logins(site::two) == 0U);
}

BOOST_AUTO_TEST_CASE(serve_transaction_after_transaction_once_they_are_moved, *utf::label("P6")) {
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    const auto before = served.counted(site::two).logins;
    for (int i = 0; i < 20; ++i) {
        const auto result = store().transact({.until = deadline::in(10s)}, [i](lease& held) {
            const auto row = fmt::format("INSERT INTO ledger VALUES ('many {}')", i);
            const auto how = held.execute(row, {}, deadline::in(10s));
            return how ? expected<void>() : how.error();
        });
        BOOST_TEST((result.ended == outcome::committed));
    }
    BOOST_TEST(served.counted(site::two).logins == before);
}

BOOST_AUTO_TEST_CASE(are_of_no_use_before_the_promotion_is_through, *utf::label("E5")) {
    served.set(site::two, {.at = point::statement, .what = effect::hold, .skip = 0, .times = 1});
    kill(site::one); // The watcher, or the first to move, is held at its question.
    wait_until("one to be held", 10s, [&] { return served.held(site::two) == 1U; });
    BOOST_TEST(writes_at(site::two), "the others go on");
    served.release(site::two);
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(wait_again_once_their_server_is_a_mirror_again) {
    kill(site::one);
    BOOST_TEST(writes_at(site::two));
    recover();
    const auto before = served.counted(site::one).logins;
    kill(site::two);
    BOOST_TEST(writes_at(site::one));
    BOOST_TEST(served.counted(site::one).logins == before);
}

// From the first moment at which the new principal would take a login to its database, by the
// double's clock, to the first commit that the library made there.
BOOST_AUTO_TEST_CASE(follow_a_failover_within_milliseconds, *utf::label("C40")) {
    control_thread control;
    std::vector<double> added;
    for (int i = 0; i < trials; ++i) {
        const auto next = other();
        kill(named());
        auto row = write();
        while (!row.where || *row.where != next)
            row = write();
        const auto accepts = served.writable_since(next);
        added.push_back(std::chrono::duration<double, std::milli>(row.ended - accepts).count());
        recover();
    }
    fmt::print("figure odbc_follow_trials {}\n", added.size());
    fmt::print("figure odbc_follow_median_ms {:.3f}\n", median(added));
    fmt::print(
        "figure odbc_follow_worst_ms {:.3f}\n", *std::max_element(added.begin(), added.end())
    );
    fmt::print(
        "figure odbc_follow_control_lateness_ms {:.3f}\n",
        std::chrono::duration<double, std::milli>(control.worst()).count()
    );
    BOOST_TEST(*std::min_element(added.begin(), added.end()) >= 0);
    BOOST_TEST(median(added) <= follow_most);
}

BOOST_AUTO_TEST_SUITE_END()

}
