// SPDX-License-Identifier: Apache-2.0
#include "unit/partners.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace hadr::test::sql_server {

namespace utf = boost::unit_test;

namespace {

constexpr auto planned = operation_kind::planned_failover;
constexpr auto forced = operation_kind::forced_failover;

void is_refused(const partners& pair, operation_kind what, std::string_view why) {
    for (const bool acknowledged : {false, true}) {
        const auto made = pair.wants(what, acknowledged);
        BOOST_TEST_REQUIRE(!made.has_value());
        BOOST_TEST_INFO(made.error().message);
        BOOST_TEST((made.error().message.find(why) != std::string::npos));
    }
}

const std::vector<news> without = {a(principal(1, no_witness())), b(hidden_mirror())};

}

BOOST_AUTO_TEST_SUITE(sql_server_operations)

BOOST_AUTO_TEST_CASE(
    planned_goes_to_the_principal, *utf::label("C7") * utf::label("C21") * utf::label("C36")
) {
    for (const auto& pair : {healthy(), partners().hears(without)}) {
        const auto made = pair.wants(planned);
        BOOST_TEST_REQUIRE(made.has_value());
        BOOST_TEST_REQUIRE(made->steps.size() == 1U);
        BOOST_TEST(made->steps[0].text == "ALTER DATABASE [rtc] SET PARTNER FAILOVER");
        BOOST_TEST((made->steps[0].where == operation_step::place::member));
        BOOST_TEST(made->steps[0].member == 0U);
        BOOST_TEST(made->from == 0U);
        BOOST_TEST(made->to == 1U);
    }
    const auto back = healthy().hears({b(principal(2)), a(hidden_mirror())}).wants(planned);
    BOOST_TEST_REQUIRE(back.has_value());
    BOOST_TEST(back->steps[0].member == 1U);
}

BOOST_AUTO_TEST_CASE(planned_loses_nothing_or_is_refused, *utf::label("C27") * utf::label("C36")) {
    is_refused(
        healthy().hears(a(principal(1, mirror_away()))), planned, "synchronized standby (C36)"
    );
    is_refused(
        healthy().hears(a(principal(1, {"SYNCHRONIZING"}))), planned, "synchronized standby (C36)"
    );
    is_refused(healthy().hears(a(principal(1, {"SYNCHRONIZED", "1", "1"}))), planned, "(C27)");
    is_refused(healthy().hears(a(down())), planned, "both partners connected (C36)");
    is_refused(healthy().hears(b(down())), planned, "no mirror that answers (C36)");
    is_refused(partners(), planned, "(C36)");
    BOOST_TEST(!healthy().wants(planned, false, 0).has_value());
    BOOST_TEST(!healthy().wants(planned, false, 7).has_value());
}

BOOST_AUTO_TEST_CASE(
    forced_goes_to_the_mirror_of_a_lost_principal,
    *utf::label("C22") * utf::label("C37") * utf::label("C38")
) {
    const auto lost = partners().hears(without).hears(a(down()));
    BOOST_TEST(!lost.wants(forced, false).has_value());
    const auto made = lost.wants(forced, true);
    BOOST_TEST_REQUIRE(made.has_value());
    BOOST_TEST_REQUIRE(made->steps.size() == 1U);
    BOOST_TEST(
        made->steps[0].text == "ALTER DATABASE [rtc] SET PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS"
    );
    BOOST_TEST(made->steps[0].member == 1U);
    BOOST_TEST(made->from == 0U);
    const auto warned = [&](std::string_view of) {
        return std::any_of(made->warnings.begin(), made->warnings.end(), [&](const auto& one) {
            return one.find(of) != std::string::npos;
        });
    };
    BOOST_TEST(warned("(C37)"));
    BOOST_TEST(warned("(C38)"));
    const auto behind =
        healthy().hears({a(principal(1, {"SYNCHRONIZING"})), a(down())}).wants(forced, true);
    BOOST_TEST(behind.has_value()); // The witness is with the mirror, and will not act.
}

BOOST_AUTO_TEST_CASE(
    forced_is_refused_where_the_engine_would_or_must_not, *utf::label("C28") * utf::label("C37")
) {
    is_refused(healthy(), forced, "(C37)");
    is_refused(healthy().hears(a(principal(1, isolated()))), forced, "(C37)");
    is_refused(healthy().hears(a(down())), forced, "fails over by itself");
    is_refused(
        healthy().hears({a(principal(1, witness_lost())), a(down())}), forced, "out of touch"
    );
    is_refused(partners().hears({a(down()), b(hidden_mirror())}), forced, "no principal has been");
    is_refused(partners().hears(without).hears({a(down()), b(down())}), forced, "no mirror");
}

BOOST_AUTO_TEST_CASE(
    forced_is_an_operators_where_the_engine_has_given_up,
    *utf::label("C28") * utf::label("C33") * utf::label("C22")
) {
    const auto apart = healthy().hears({a(down()), b(down()), b(hidden_mirror())});
    BOOST_TEST((apart.is().state == availability::action_required));
    BOOST_TEST(!apart.wants(forced, false, 1).has_value());
    const auto made = apart.wants(forced, true, 1);
    BOOST_TEST_REQUIRE(made.has_value());
    BOOST_TEST(made->steps[0].member == 1U);
    BOOST_TEST(std::any_of(made->warnings.begin(), made->warnings.end(), [](const auto& one) {
        return one.find("(C33)") != std::string::npos;
    }));
    auto late = healthy();
    late.hears({a(down()), b(hidden_mirror())});
    BOOST_TEST(!late.wants(forced, true, 1).has_value()); // It is at it.
    late.later(121s).hears({a(down()), b(hidden_mirror())});
    BOOST_TEST((late.is().state == availability::action_required));
    BOOST_TEST(late.wants(forced, true, 1).has_value());
}

BOOST_AUTO_TEST_CASE(
    forced_is_for_a_mirror_that_shows_its_part_or_is_named_by_an_operator, *utf::label("C37")
) {
    partners cold;
    cold.hears({a(down()), b(mirror(1, no_witness("DISCONNECTED")))});
    const auto shown = cold.wants(forced, true);
    BOOST_TEST_REQUIRE(shown.has_value());
    BOOST_TEST(shown->to == 1U);
    BOOST_TEST(!cold.wants(forced, true, 0).has_value());
}

BOOST_AUTO_TEST_CASE(quote_the_database, *utf::label("X5")) {
    const auto store = parse("Mode=mirroring;Driver=FreeTDS;Server=db1;Failover_Partner=db2;"
                             "Database={a]]b; DROP DATABASE c};UID=app");
    const auto adapter = adapters::mirroring(store.value());
    auto known = adapter->begin();
    std::uint64_t sequence = 0;
    for (const auto& one : {a(principal(1)), b(hidden_mirror())})
        known = adapter->apply(
            known,
            answered{one.of, time_point(1h), ++sequence, time_point(1h), one.what},
            time_point(1h)
        );
    const auto made = adapter->consider(known, {planned, {}, false}, time_point(1h));
    BOOST_TEST_REQUIRE(made.has_value());
    BOOST_TEST(
        made->steps[0].text == "ALTER DATABASE [a]]]]b; DROP DATABASE c] SET PARTNER FAILOVER"
    );
}

BOOST_AUTO_TEST_SUITE_END()

}
