// SPDX-License-Identifier: Apache-2.0
#include "support/clients.hpp"
#include "support/postgres.hpp"
#include "support/trial.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <fstream>
#include <thread>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

constexpr std::size_t stores = 100;
constexpr double rss_mib_most = 64;

/// While all log in: the library's own threads and 16 that log in. Where a client library's calls
/// block, each call under way has a thread too: the first question to each session, as many as the
/// servers let pile up, but never one for each store.
std::size_t threads_most() {
    return client_library_under_trial().calls_block ? stores - 1 : 24;
}

/// Once nobody logs in, within the time that an idle thread stays.
constexpr std::size_t threads_at_rest_most = 8;

double rss_mib() {
    std::ifstream in("/proc/self/status");
    for (std::string word; in >> word;)
        if (word == "VmRSS:") {
            double kib = 0;
            in >> kib;
            return kib / 1024;
        }
    return 0;
}

/// Sessions at a server, counted there, the asker's own left out.
std::size_t sessions_at(const postgres_server& server) {
    const auto found = ask(
        server.port(),
        "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> "
        "pg_backend_pid()"
    );
    return found ? std::stoul(*found) : 0;
}

}

BOOST_AUTO_TEST_SUITE(a_hundred_stores_on_the_same_two_members)

BOOST_AUTO_TEST_CASE(share_one_watch_session_for_each_server_and_a_few_threads) {
    postgres_pair pair(postgres_pair::replication::asynchronous, {"max_connections = 400"});
    const auto rss_before = rss_mib();
    const auto threads_before = threads_now();
    std::vector<std::unique_ptr<observed_store>> all;
    for (std::size_t i = 0; i < stores; ++i)
        all.push_back(std::make_unique<observed_store>(mirroring_string(
            pair.first().port(), pair.second().port(), fmt::format("Store_Name=store_{}", i)
        )));
    for (const auto& one : all) {
        const auto held = one->write(30s);
        if (!held)
            BOOST_FAIL(to_string(held.error()));
    }
    // One to write with for each store at the primary, two kept warm at the mirror, and the
    // watchers.
    std::size_t at_primary = 0;
    std::size_t at_mirror = 0;
    const auto until = std::chrono::steady_clock::now() + 60s;
    do {
        std::this_thread::sleep_for(200ms);
        at_primary = sessions_at(pair.primary());
        at_mirror = sessions_at(pair.mirror());
    } while ((at_primary != stores + 1 || at_mirror != 2 * stores + 1) &&
             std::chrono::steady_clock::now() < until);
    BOOST_TEST(at_primary == stores + 1);
    BOOST_TEST(at_mirror == 2 * stores + 1);
    const auto rss = rss_mib() - rss_before;
    const auto threads = threads_now() - threads_before;
    const auto& by = client_library_under_trial();
    const auto whose = by.calls_block ? fmt::format("{}_", by.figures) : std::string();
    fmt::print("figure {}rss_mib_100_pairs {:.1f}\n", whose, rss);
    fmt::print("figure {}threads_100_pairs {}\n", whose, threads);
    BOOST_TEST(rss <= rss_mib_most);
    BOOST_TEST(threads <= threads_most());
    wait_until("idle threads to end", 20s, [&] {
        return threads_now() - threads_before <= threads_at_rest_most;
    });
    all.clear();
    BOOST_TEST(threads_now() == threads_before);
    wait_until("the sessions to end", 10s, [&] { return sessions_at(pair.primary()) == 0; });
}

BOOST_AUTO_TEST_SUITE_END()

}
