// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// A store whose reads go to the primary.
struct lone_primary : simulated_pair {
    explicit lone_primary(const std::string& more = "Pool_Max=1;Pool_Warm=0") {
        store.reset();
        open(more);
        BOOST_TEST(write().has_value());
        b.kill();
        world.advance(2s);
    }

    expected<lease> read_anywhere() {
        return store->acquire({.intent = intent::read, .until = deadline::in(5s)});
    }
};

bool refused(const expected<answer>& how) {
    return !how && how.error().sqlstate == "25006";
}

}

BOOST_AUTO_TEST_SUITE(a_reader)

BOOST_AUTO_TEST_CASE(on_the_primary_cannot_write, *utf::label("E7") * utf::label("F37")) {
    lone_primary pair;
    const auto lost = pair.count(event_kind::primary_lost);
    {
        auto held = pair.read_anywhere();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == pair.a.at);
        BOOST_TEST(refused(held->execute("append x")));
        BOOST_TEST(held->current()); // The session did as it should.
        BOOST_TEST(held->execute("select 1").has_value());
    }
    pair.world.advance(1s);
    BOOST_TEST(pair.a.ledger.empty());
    BOOST_TEST(pair.count(event_kind::primary_lost) == lost);
    BOOST_TEST((pair.store->view()->writer == 0U));
}

BOOST_AUTO_TEST_CASE(on_a_standby_cannot_write_after_its_promotion, *utf::label("E7")) {
    simulated_pair pair;
    auto held = pair.read();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.b.promote();
    BOOST_TEST(refused(held->execute("append x")));
    pair.world.advance(1s);
    BOOST_TEST(pair.write()->server() == pair.b.at);
    if (held->current())
        BOOST_TEST(refused(held->execute("append x")));
    BOOST_TEST(pair.b.ledger.empty());
}

BOOST_AUTO_TEST_CASE(
    on_a_standby_cannot_write_after_a_reset_and_a_promotion, *utf::label("E7") * utf::label("P6")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    BOOST_TEST(pair.read()->execute("SET search_path = x").has_value());
    pair.world.advance(100ms);
    BOOST_TEST(pair.b.resets == 1U);
    auto held = pair.read();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.b.promote();
    BOOST_TEST(refused(held->execute("append x")));
}

BOOST_AUTO_TEST_CASE(
    leaves_no_session_to_the_writers_of_a_promoted_standby, *utf::label("E7") * utf::label("E5")
) {
    simulated_pair pair("Pool_Max=4;Pool_Warm=1");
    BOOST_TEST(pair.read().has_value());
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s);
    for (int i = 0; i < 3; ++i) {
        auto held = pair.write();
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->execute("append x").has_value());
    }
    BOOST_TEST(pair.b.ledger.size() == 3U);
}

BOOST_AUTO_TEST_CASE(and_a_writer_share_a_session_in_turn, *utf::label("E7") * utf::label("P2")) {
    lone_primary pair;
    const auto opened = pair.store->counters().sessions_opened;
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(refused(pair.read_anywhere()->execute("append x")));
        BOOST_TEST(pair.write()->execute("append y").has_value());
        BOOST_TEST(pair.read_anywhere()->execute("SET search_path = x").has_value());
        BOOST_TEST(pair.write()->execute("append z").has_value());
    }
    BOOST_TEST(pair.a.ledger.size() == 6U);
    BOOST_TEST(pair.store->counters().sessions_opened == opened);
}

BOOST_AUTO_TEST_CASE(pays_for_it_once) {
    lone_primary pair;
    BOOST_TEST(pair.read_anywhere().has_value());
    const auto waited = pair.store->counters().acquire_waited;
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(pair.read_anywhere().has_value());
    BOOST_TEST(pair.store->counters().acquire_waited == waited);
}

BOOST_AUTO_TEST_CASE(behind_a_proxy_has_the_primary_too, *utf::label("F53") * utf::label("E7")) {
    lone_primary pair("Pool_Max=1;Pool_Warm=0;Proxy=pgbouncer_session");
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(refused(pair.read_anywhere()->execute("append x")));
        BOOST_TEST(pair.write()->execute("append y").has_value());
    }
    BOOST_TEST(pair.store->counters().stale_refused == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}
