// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr const char* the_same = "Mode=mirroring;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;"
                                 "Encrypt=disable;Pool_Max=2;Pool_Warm=0";

/// A pair whose store was changed while leases of it were out.
struct changed_pair : simulated_pair {
    explicit changed_pair(int leases = 1, const std::string& to = the_same)
        : simulated_pair("Pool_Max=2;Pool_Warm=0") {
        for (int i = 0; i < leases; ++i)
            old.push_back(std::move(*write()));
        change(to);
    }

    ~changed_pair() { old.clear(); }

    void change(const std::string& to) {
        BOOST_TEST(store->reconfigure(to).has_value());
        world.advance(1s);
    }

    std::vector<lease> old;
};

}

BOOST_AUTO_TEST_SUITE(a_changed_store)

BOOST_AUTO_TEST_CASE(
    cuts_an_old_lease_whose_server_was_demoted,
    *utf::label("E1") * utf::label("E5") * utf::label("C12")
) {
    changed_pair pair;
    BOOST_TEST(pair.old[0].execute("append x").has_value());
    pair.b.promote(); // The old primary lives on, and takes writes.
    pair.world.advance(2s);
    BOOST_TEST(pair.write()->server() == pair.b.at);
    BOOST_TEST(!pair.old[0].execute("append y").has_value());
    BOOST_TEST((pair.a.ledger == std::vector<std::string>{"x"}));
    BOOST_TEST(pair.store->counters().sessions_severed == 1U);
}

BOOST_AUTO_TEST_CASE(cuts_an_old_lease_on_a_server_that_is_left_behind, *utf::label("E1")) {
    changed_pair pair;
    pair.b.promote();
    pair.change("Mode=standalone;Server=b:2;Database=d;UID=u;Encrypt=disable");
    BOOST_TEST(pair.write()->server() == pair.b.at);
    BOOST_TEST(!pair.old[0].execute("append y").has_value());
}

BOOST_AUTO_TEST_CASE(leaves_an_old_lease_of_the_same_reign_alone, *utf::label("C12")) {
    changed_pair pair;
    pair.change("Mode=standalone;Server=a:1;Database=d;UID=u;Encrypt=disable");
    pair.world.advance(1min);
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.old[0].execute("append x").has_value());
}

BOOST_AUTO_TEST_CASE(changes_its_mode, *utf::label("C12")) {
    changed_pair pair(0, "Mode=standalone;Server=a:1;Database=d;UID=u;Encrypt=disable");
    BOOST_TEST(pair.store->view()->members.size() == 1U);
    BOOST_TEST((pair.store->specification().how == mode::standalone));
    BOOST_TEST(pair.write().has_value());
    pair.change(the_same);
    BOOST_TEST(pair.store->view()->members.size() == 2U);
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.count(event_kind::reconfigured) == 2U);
}

BOOST_AUTO_TEST_CASE(waits_for_old_leases_when_it_drains, *utf::label("C12")) {
    changed_pair pair;
    BOOST_TEST(pair.store->counters().sessions_lent_now == 1U);
    pair.world.later(500ms, [&] { pair.old[0].release(); });
    const auto begun = pair.world.now();
    BOOST_TEST(pair.store->drain(deadline::in(5s)).has_value());
    BOOST_TEST((pair.world.now() - begun >= 500ms));
}

BOOST_AUTO_TEST_CASE(reports_an_old_lease_that_is_out_for_too_long, *utf::label("F42")) {
    changed_pair pair(1, std::string(the_same) + ";Lease_Limit=10s");
    pair.world.advance(1min);
    BOOST_TEST(pair.count(event_kind::lease_leaked) == 1U);
}

BOOST_AUTO_TEST_CASE(counts_old_leases_against_its_maximum, *utf::label("P2") * utf::label("P3")) {
    changed_pair pair(2);
    pair.change(the_same);
    BOOST_TEST(pair.a.sessions() == 3U); // The watcher's too.
    BOOST_TEST(!pair.write(1s).has_value());
    BOOST_TEST(pair.a.sessions() == 3U);
    pair.old[0].release();
    BOOST_TEST(pair.write(1s).has_value());
    BOOST_TEST(pair.a.sessions() == 3U);
    pair.old[1].release();
    const auto first = pair.write(1s);
    BOOST_TEST(pair.write(1s).has_value());
    BOOST_TEST(pair.a.sessions() == 3U);
}

BOOST_AUTO_TEST_CASE(counts_every_lease_once_however_often_it_changes, *utf::label("C12")) {
    changed_pair pair(1);
    pair.old.clear();
    for (std::uint64_t i = 2; i <= 10; ++i) {
        pair.change(the_same);
        BOOST_TEST(pair.write().has_value());
        BOOST_TEST(pair.store->counters().acquired == i);
    }
    pair.store->close();
    BOOST_TEST(pair.store->counters().acquired == 10U);
}

BOOST_AUTO_TEST_SUITE_END()

}
