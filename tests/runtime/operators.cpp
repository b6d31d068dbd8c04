// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

namespace hadr::test {

namespace utf = boost::unit_test;

// What operators ask and are told.
BOOST_AUTO_TEST_SUITE(the_life_of_a_store)

BOOST_AUTO_TEST_CASE(says_why_there_is_no_session) {
    simulated_pair pair;
    pair.a.is = testing::fake_server::condition::down;
    pair.world.advance(1s);
    const auto why = pair.store->explain();
    BOOST_TEST(!why.available);
    BOOST_TEST_REQUIRE(why.candidates.size() == 2U);
    BOOST_TEST(why.candidates[0].why.find("refused") != std::string::npos);
    BOOST_TEST(why.candidates[1].why == "standby");
}

BOOST_AUTO_TEST_CASE(says_that_all_sessions_are_lent) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.store->explain().available);
    const auto held = pair.write();
    const auto why = pair.store->explain();
    BOOST_TEST(!why.available);
    BOOST_TEST(why.candidates[0].why == "primary; 1 of 1 sessions lent");
    const auto none = pair.write(1s);
    BOOST_TEST_REQUIRE(!none);
    BOOST_TEST(none.error().message.find("1 of 1 sessions lent") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(says_why_the_last_login_failed, *utf::label("F25")) {
    simulated_pair pair("Pool_Max=2;Pool_Warm=0");
    const auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.a.is = testing::fake_server::condition::full;
    const auto none = pair.write(1s);
    BOOST_TEST_REQUIRE(!none);
    BOOST_TEST(none.error().message.find("53300") != std::string::npos);
    const auto why = pair.store->explain();
    BOOST_TEST(!why.available);
    BOOST_TEST(why.summary.find("53300") != std::string::npos);
    pair.a.is = testing::fake_server::condition::up;
    BOOST_TEST(pair.write(3s).has_value());
    BOOST_TEST(pair.store->explain().available);
    BOOST_TEST(pair.store->explain().summary == "a write session can be had");
}

BOOST_AUTO_TEST_CASE(
    plans_what_the_engine_would_do_and_refuses_the_rest,
    *utf::label("C27") * utf::label("C37") * utf::label("B19")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(!pair.store->plan({}).has_value()); // No witness: nothing could do it.
    BOOST_TEST(
        !pair.store->plan({.what = operation_kind::forced_failover, .data_loss_acknowledged = true})
             .has_value()
    );
    pair.a.kill();
    pair.world.advance(1s);
    BOOST_TEST(!pair.store->plan({.what = operation_kind::forced_failover}).has_value());
    const auto plan =
        pair.store->plan({.what = operation_kind::forced_failover, .data_loss_acknowledged = true});
    BOOST_TEST_REQUIRE(plan.has_value());
    BOOST_TEST(plan->to == 1U);
    pair.b.answers = [&](std::string_view text, answer&) -> expected<void> {
        if (text.find("pg_promote") != std::string_view::npos)
            pair.b.promote();
        return {};
    };
    BOOST_TEST(pair.store->execute(*plan).has_value());
    BOOST_TEST(pair.write()->server() == pair.b.at);
    BOOST_TEST(!pair.store->execute(*plan).has_value()); // Made for another view.
}

BOOST_AUTO_TEST_CASE(
    promotes_nobody_when_the_primary_comes_back_during_the_login, *utf::label("C37")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    pair.a.freeze();
    pair.world.advance(5s);
    const auto plan =
        pair.store->plan({.what = operation_kind::forced_failover, .data_loss_acknowledged = true});
    BOOST_TEST_REQUIRE(plan.has_value());
    bool promoted = false;
    pair.b.answers = [&](std::string_view text, answer&) -> expected<void> {
        promoted = promoted || text.find("pg_promote") != std::string_view::npos;
        return {};
    };
    pair.b.login_time = 3s;
    pair.world.later(500ms, [&] { pair.a.thaw(); });
    const auto done = pair.store->execute(*plan, deadline::in(10s));
    BOOST_TEST_REQUIRE(!done);
    BOOST_TEST(done.error().code == errc::rejected_by_server);
    BOOST_TEST(!promoted);
    BOOST_TEST(pair.write()->server() == pair.a.at);
}

BOOST_AUTO_TEST_SUITE_END()

}
