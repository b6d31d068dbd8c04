// SPDX-License-Identifier: Apache-2.0
#include "support/clients.hpp"
#include "support/postgres.hpp"

#include <hadr/adapters.hpp>
#include <hadr/hadr.hpp>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <fstream>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

constexpr std::string_view fork_keys = "Fork_Table=hadr_forks;";

std::string fork_row(int port, int timeline) {
    return must(port, fmt::format("select fork from hadr_forks where timeline = {}", timeline));
}

void wait_for_fork(const observed_store& store, std::uint64_t timeline) {
    wait_until(fmt::format("the fork of timeline {}", timeline), 20s, [&] {
        const auto view = store->view();
        return view->writer && view->accepted->term == timeline && view->accepted->fork;
    });
}

/// A killed primary that somebody promotes although the mirror was: the same timeline, other rows.
void promote_apart(postgres_server& old) {
    std::ofstream(old.data() + "/standby.signal").flush();
    old.append_setting("synchronous_standby_names = ''");
    old.start();
    old.promote();
}

}

BOOST_AUTO_TEST_SUITE(fork_rows)

BOOST_AUTO_TEST_CASE(
    tell_two_real_servers_of_one_timeline_apart,
    *utf::label("E3") * utf::label("F13") * utf::label("F14")
) {
    postgres_pair pair(postgres_pair::replication::asynchronous);
    auto& old = pair.primary();
    const auto text = mirroring_string(pair.first().port(), pair.second().port(), fork_keys);
    must(old.port(), fork_table_definition(parse(text).value()));
    const observed_store store(text);
    BOOST_TEST_REQUIRE(store.write().has_value());
    wait_for_fork(store, 1);
    const auto first = *store->view()->accepted->fork;
    BOOST_TEST(fork_row(old.port(), 1) == first);
    wait_until("the mirror to carry the row", 10s, [&] {
        return ask(pair.mirror().port(), "select count(*) from hadr_forks") == "1";
    });

    old.kill_all();
    pair.promote_mirror();
    BOOST_TEST_REQUIRE(store.write().has_value());
    wait_for_fork(store, 2);
    const auto second = *store->view()->accepted->fork;
    BOOST_TEST(second != first);
    BOOST_TEST(fork_row(pair.primary().port(), 1) == first);
    BOOST_TEST(fork_row(pair.primary().port(), 2) == second);

    promote_apart(old);
    BOOST_TEST(
        must(old.port(), "select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)") == "00000002"
    );
    {
        // Whoever promoted it has an application there, which marks its reign.
        const observed_store other(
            mirroring_string(old.port(), free_port(), "Fork_Table=hadr_forks;Cold_Start=alone;")
        );
        BOOST_TEST_REQUIRE(other.write().has_value());
        wait_for_fork(other, 2);
        BOOST_TEST(fork_row(old.port(), 2) != second);
    }
    wait_until("the other fork to be refused", 10s, [&] {
        const auto view = store->view();
        return view->writer == 1U && view->members[0].refused;
    });
    const auto held = store.write();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(held->server().port == pair.primary().port());

    // Alone it has the accepted timeline and is not the accepted server.
    pair.primary().kill_all();
    wait_until("the loss to be seen", 10s, [&] { return !store->view()->writer; });
    BOOST_TEST(!store.write(500ms).has_value());
    BOOST_TEST(must(old.port(), "show transaction_read_only") == "off");
}

BOOST_AUTO_TEST_CASE(that_cannot_be_written_keep_nobody_from_writing, *utf::label("E2")) {
    postgres_pair pair(postgres_pair::replication::asynchronous);
    const observed_store store(
        mirroring_string(pair.first().port(), pair.second().port(), fork_keys)
    );
    BOOST_TEST(store.write().has_value());
    BOOST_TEST(!store->view()->accepted->fork.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
