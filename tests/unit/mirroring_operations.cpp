// SPDX-License-Identifier: Apache-2.0
#include "unit/mirrored_pair.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr auto planned = operation_kind::planned_failover;
constexpr auto forced = operation_kind::forced_failover;

void refuses(
    const mirrored_pair& pair,
    operation_kind what,
    std::string_view reason,
    std::optional<std::size_t> target = {}
) {
    const auto made = pair.wants(what, true, target);
    BOOST_TEST(!made.has_value());
    if (made)
        return;
    BOOST_TEST(made.error().code == errc::rejected_by_server);
    BOOST_TEST(made.error().message.find(reason) != std::string::npos, made.error().message);
}

}

BOOST_AUTO_TEST_SUITE(mirroring_operations)

BOOST_AUTO_TEST_CASE(
    pass_a_planned_failover_to_the_witness,
    *utf::label("C7") * utf::label("C36") * utf::label("B19")
) {
    const auto made =
        healthy("Witness=pg_auto_failover:mon:5000;Witness_Formation=o'brien;Witness_Group=3")
            .wants(planned);
    BOOST_TEST(!made.has_value()); // Its rows are of another formation.
    const auto plan = healthy().wants(planned);
    BOOST_TEST_REQUIRE(plan.has_value());
    BOOST_TEST(plan->from == 0U);
    BOOST_TEST(plan->to == 1U);
    BOOST_TEST_REQUIRE(plan->steps.size() == 1U);
    BOOST_TEST((plan->steps[0].where == operation_step::place::witness));
    BOOST_TEST(plan->steps[0].text == "SELECT pgautofailover.perform_failover('default', 0)");
}

BOOST_AUTO_TEST_CASE(
    force_a_mirror_only_with_the_loss_acknowledged,
    *utf::label("C22") * utf::label("C37") * utf::label("C19")
) {
    auto pair = healthy(without_witness);
    pair.hears(a(down()));
    BOOST_TEST(!pair.wants(forced, false).has_value());
    BOOST_TEST(pair.wants(forced, false).error().message.find("C22") != std::string::npos);
    const auto plan = pair.wants(forced, true);
    BOOST_TEST_REQUIRE(plan.has_value());
    BOOST_TEST(plan->to == 1U);
    BOOST_TEST_REQUIRE(plan->steps.size() == 1U);
    BOOST_TEST((plan->steps[0].where == operation_step::place::member));
    BOOST_TEST(plan->steps[0].member == 1U);
    BOOST_TEST(!plan->warnings.empty());
}

BOOST_AUTO_TEST_CASE(
    refuse_what_the_engine_would_not_do, *utf::label("C27") * utf::label("C28") * utf::label("C36")
) {
    refuses(healthy().hears(w(a_is_alone())), planned, "C36");
    refuses(healthy().hears({a(down()), w(a_is_primary())}), planned, "C36");
    refuses(healthy("Safety=off"), planned, "C27");
    refuses(healthy(without_witness), planned, "without a witness");
    refuses(healthy().hears(w(down())), planned, "without a witness");
    refuses(healthy().hears({w(down()), a(down())}), forced, "C28");
    refuses(mirrored_pair(), planned, "C36");
}

BOOST_AUTO_TEST_CASE(never_force_while_the_engine_fails_over, *utf::label("C28")) {
    auto pair = healthy();
    pair.hears(a(down()));
    refuses(pair, forced, "C28");
    pair.hears(w(b_is_prepared()));
    refuses(pair, forced, "C28");
    pair.hears(w(b_is_alone()));
    refuses(pair, forced, "C28");
}

BOOST_AUTO_TEST_CASE(never_force_beside_a_living_primary, *utf::label("C37") * utf::label("B11")) {
    refuses(healthy(without_witness), forced, "C37");
    auto offline = healthy(without_witness);
    offline.rules(ruled::verdict::offline, 0); // Nobody is sent there, and it lives.
    refuses(offline, forced, "C37");
    refuses(healthy(without_witness).hears(a(promoted_not_yet_writable(1))), forced, "C37");
}

BOOST_AUTO_TEST_CASE(
    never_promote_one_that_is_silent_foreign_or_no_standby, *utf::label("E9") * utf::label("C22")
) {
    refuses(healthy("").hears({b(silent()), a(down())}), forced, "no standby");
    refuses(healthy("").hears({b(standby(1, foreign)), a(down())}), forced, "no standby");
    auto lost = healthy("");
    lost.hears(a(down()));
    refuses(lost, forced, "no standby", 0);
    refuses(lost, forced, "no standby", 2);
    refuses(lost, forced, "no standby", static_cast<std::size_t>(-1));
    refuses(healthy(), planned, "no standby", 0);
    refuses(healthy().hears(b(silent())), planned, "no standby");
}

BOOST_AUTO_TEST_SUITE_END()

}
