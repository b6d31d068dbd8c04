// SPDX-License-Identifier: Apache-2.0
#include "mirroring/sql_server.hpp"
#include "unit/partners.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test::sql_server {

namespace utf = boost::unit_test;

namespace {

constexpr std::optional<std::size_t> writes_c = 2;

cells partner_is(cells row, const char* name) {
    return with(std::move(row), "partner_instance", name);
}

cells called(cells row, const char* name) {
    return with(std::move(row), "server_name", name);
}

/// b has been replaced by c, which was learned from a.
partners with_c(const std::string& keys = "Partner_Allowed=db3") {
    auto pair = healthy(keys);
    pair.hears({b(not_mirrored()), a(partner_is(principal(1), "DB3"))});
    return pair;
}

}

BOOST_AUTO_TEST_SUITE(sql_server_partners)

BOOST_AUTO_TEST_CASE(
    that_the_principal_names_are_taken_if_allowed,
    *utf::label("C43") * utf::label("C47") * utf::label("X3")
) {
    auto pair = with_c();
    BOOST_TEST_REQUIRE(pair.is().members.size() == 3U);
    BOOST_TEST(to_string(pair.is().members[2].at) == "db3:1433");
    BOOST_TEST(pair.is().unlisted.empty());
    BOOST_TEST(pair.question_to(pair.next(), 2) != nullptr);
    BOOST_TEST(pair.question_to(pair.next(), 1) != nullptr); // The configured list is kept.
    pair.hears(of(2, called(hidden_mirror(), "DB3")));
    BOOST_TEST(pair.is().members[2].plays == role::standby);
    BOOST_TEST(pair.is().state == availability::serving);
}

BOOST_AUTO_TEST_CASE(
    that_nobody_allowed_are_shown_and_never_contacted, *utf::label("C47") * utf::label("X3")
) {
    for (const auto* keys : {"", "Partner_Allowed=db4,*.corp", "Partner_Allowed=db3:1444"}) {
        auto pair = with_c(keys);
        BOOST_TEST(pair.is().members.size() == 2U);
        BOOST_TEST_REQUIRE(pair.is().unlisted.size() == 1U);
        BOOST_TEST(to_string(pair.is().unlisted[0]) == "db3:1433");
        for (const auto& one : pair.next().ask)
            BOOST_TEST(one.to.index < 2U);
    }
}

// C47: original A/B; B was replaced by C, then failed over to C.
BOOST_AUTO_TEST_CASE(
    that_are_stale_are_overcome_by_what_was_learned, *utf::label("C47") * utf::label("C43")
) {
    auto knows = with_c().hears({of(2, called(hidden_mirror(), "DB3")), a(down()), b(down())});
    knows.hears(of(2, called(partner_is(principal(2, mirror_away()), "DB1"), "DB3")));
    BOOST_TEST((knows.is().writer == writes_c));

    auto holds_a_and_b = healthy("Partner_Allowed=db3");
    holds_a_and_b.hears({a(down()), b(not_mirrored())});
    BOOST_TEST((holds_a_and_b.is().writer == std::nullopt)); // Nobody told of C.

    partners remembers("Partner_Allowed=db3");
    remembers.happens(remembered{{guid, 1, {}, {}, proof::engine_named}, {{"db3", 1433, {}}}});
    BOOST_TEST_REQUIRE(remembers.is().members.size() == 3U);
    remembers.hears({a(down())});
    BOOST_TEST(remembers.question_to(remembers.next(), 2) != nullptr); // Before B.
    remembers.hears(of(2, called(partner_is(principal(2, mirror_away()), "DB1"), "DB3")));
    BOOST_TEST((remembers.is().writer == writes_c));

    partners forbids;
    forbids.happens(remembered{{guid, 1, {}, {}, proof::engine_named}, {{"db3", 1433, {}}}});
    BOOST_TEST(forbids.is().members.size() == 2U);
}

BOOST_AUTO_TEST_CASE(
    that_are_listed_no_more_are_left_alone_until_listed_again, *utf::label("C43")
) {
    auto pair = with_c("Partner_Allowed=db3,db4");
    pair.hears(a(partner_is(principal(1), "DB4")));
    BOOST_TEST_REQUIRE(pair.is().members.size() == 4U);
    BOOST_TEST(pair.question_to(pair.next(), 2) == nullptr);
    BOOST_TEST(pair.question_to(pair.next(), 3) != nullptr);
    pair.hears(a(partner_is(principal(1), "DB3")));
    BOOST_TEST(pair.is().members.size() == 4U);
    BOOST_TEST(pair.question_to(pair.next(), 2) != nullptr);
    BOOST_TEST(pair.question_to(pair.next(), 3) == nullptr);
}

BOOST_AUTO_TEST_CASE(
    that_call_themselves_otherwise_are_known_by_their_own_word,
    *utf::label("C43") * utf::label("C49")
) {
    auto pair = partners("Partner_Allowed=*");
    pair.hears({b(called(hidden_mirror(), "SQLB\\LYNC")), a(partner_is(principal(1), "sqlb\\lync"))}
    );
    BOOST_TEST(pair.is().members.size() == 2U);
    BOOST_TEST(pair.is().members[1].plays == role::standby);
    // It was learned by another name before it spoke.
    auto twice = partners("Partner_Allowed=*");
    twice.hears({b(down()), a(partner_is(principal(1), "SQLB"))});
    BOOST_TEST(twice.is().members.size() == 3U);
    twice.hears({b(called(hidden_mirror(), "SQLB")), of(2, called(hidden_mirror(), "SQLB"))});
    twice.hears(a(partner_is(principal(1), "SQLB")));
    BOOST_TEST(twice.question_to(twice.next(), 1) != nullptr);
    BOOST_TEST(twice.question_to(twice.next(), 2) == nullptr);
}

BOOST_AUTO_TEST_CASE(
    that_may_be_the_configured_one_wait_until_it_has_spoken_or_failed, *utf::label("C43")
) {
    const auto named = a(partner_is(principal(1), "SQLB"));
    for (const auto* keys : {"", "Partner_Allowed=*"}) {
        auto pair = partners(keys);
        pair.hears(named);
        BOOST_TEST(pair.is().members.size() == 2U);
        BOOST_TEST(pair.is().unlisted.empty());
        pair.hears({b(called(hidden_mirror(), "SQLB")), named});
        BOOST_TEST(pair.is().members.size() == 2U);
        BOOST_TEST(pair.is().unlisted.empty());
        auto stale = partners(keys);
        stale.hears({named, b(down()), named});
        BOOST_TEST(stale.is().members.size() + stale.is().unlisted.size() == 3U);
    }
}

BOOST_AUTO_TEST_CASE(that_are_many_exhaust_nobody, *utf::label("X7")) {
    auto pair = healthy("Partner_Allowed=*");
    for (int i = 0; i < 100; ++i)
        pair.hears(a(partner_is(principal(1), ("host" + std::to_string(i)).c_str())));
    BOOST_TEST(pair.is().members.size() == 16U);
    BOOST_TEST(pair.next().ask.size() <= 3U);
}

BOOST_AUTO_TEST_CASE(have_names_of_host_and_instance, *utf::label("C43")) {
    using mirroring::sql_server::place_called;
    BOOST_TEST(to_string(place_called("db3")) == "db3:1433");
    BOOST_TEST(to_string(place_called("db3\\lync")) == "db3\\lync");
    mirroring::sql_server::evidence known;
    const auto meant = [&](std::vector<endpoint> places, std::string_view name) {
        known.places = std::move(places);
        known.members.assign(known.places.size(), {});
        return mirroring::sql_server::member_called(name, known);
    };
    const std::optional<std::size_t> none;
    BOOST_TEST((meant({{"db1", 0, {}}, {"db2", 0, {}}}, "db2") == 1U));
    BOOST_TEST((meant({{"db1", 0, {}}, {"db2.corp", 0, {}}}, "db2") == 1U));
    BOOST_TEST((meant({{"db1", 0, {}}, {"db2", 14330, {}}}, "db2\\lync") == 1U)); // By its port.
    BOOST_TEST((meant({{"db1", 0, {}}, {"db2", 0, "lync"}}, "db2\\lync") == 1U));
    BOOST_TEST((meant({{"db1", 0, {}}, {"db2", 0, "other"}}, "db2\\lync") == none));
    BOOST_TEST((meant({{"db1", 0, {}}, {"db2", 0, {}}}, "db2\\lync") == none));
    BOOST_TEST((meant({{"db2", 1, {}}, {"db2", 2, {}}}, "db2\\lync") == none)); // Which of them?
    BOOST_TEST((meant({{"10.0.0.1", 0, {}}, {"10.0.0.2", 0, {}}}, "10") == none));
}

BOOST_AUTO_TEST_SUITE_END()

}
