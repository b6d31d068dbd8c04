// SPDX-License-Identifier: Apache-2.0
#include "core/connection_schedule.hpp"
#include "mirroring/alternation.hpp"
#include "unit/partners.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <utility>
#include <vector>

namespace hadr::test::sql_server {

namespace utf = boost::unit_test;

namespace {

constexpr std::optional<std::size_t> writes_a = 0;
constexpr std::optional<std::size_t> writes_b = 1;

bool fails(const failure& why, partners& of, std::size_t member) {
    of.hears({{subject::kind::member, member}, why});
    return of.is().members[member].trouble.has_value();
}

}

BOOST_AUTO_TEST_SUITE(sql_server_evidence)

BOOST_AUTO_TEST_CASE(
    is_sought_by_the_published_schedule_while_nothing_is_known,
    *utf::label("C42") * utf::label("C44") * utf::label("C45")
) {
    partners pair("Connect_Timeout=15s");
    for (int n = 0; n < 8; ++n) {
        BOOST_TEST_CONTEXT("attempt " << n) {
            const auto expected = core::nth_attempt(n, 15s);
            const auto which = static_cast<std::size_t>(n % 2);
            const auto made = pair.next();
            BOOST_TEST_REQUIRE(made.ask.size() == 1U);
            const auto* question = pair.question_to(made, which);
            BOOST_TEST_REQUIRE(question != nullptr);
            BOOST_TEST((question->limit == expected.slice));
            BOOST_TEST(question->paced);
            BOOST_TEST((question->due == std::max(pair.now, pair.now - 1ms + expected.pause_before))
            );
            pair.now = question->due;
            BOOST_TEST(fails(n % 3 == 0 ? silent() : down(), pair, which));
        }
    }
    pair.hears(a(principal(1)));
    BOOST_TEST((pair.is().writer == writes_a));
    BOOST_TEST(pair.next().ask.size() == 2U);
}

BOOST_AUTO_TEST_CASE(
    is_sought_on_while_a_partner_refuses_our_credentials, *utf::label("C44") * utf::label("F26")
) {
    partners pair;
    pair.hears(a(wrong_password()));
    for (int n = 0; n < 4; ++n) {
        const auto made = pair.next();
        BOOST_TEST(pair.question_to(made, 0) != nullptr); // Once its watcher dares again.
        const auto* other = pair.question_to(made, 1);
        BOOST_TEST_REQUIRE(other != nullptr);
        pair.now = other->due;
        pair.hears(b(down()));
    }
    pair.hears(b(wrong_password()));
    BOOST_TEST(pair.next().ask.size() == 2U);
    pair.hears(b(principal(1)));
    BOOST_TEST((pair.is().writer == writes_b));
}

BOOST_AUTO_TEST_CASE(
    is_sought_anew_once_a_login_time_out_has_passed,
    *utf::label("C44") * utf::label("C50") * utf::label("T3")
) {
    using mirroring::after_failure;
    using mirroring::alternation;
    // When each attempt of one login time-out begins and how long it has, both partners silent.
    const auto silent = [](duration login_timeout) {
        std::vector<std::pair<duration, duration>> all;
        alternation at;
        auto now = time_point(1h);
        do {
            const auto asked = std::max(now, at.due);
            const auto slice = current(at, login_timeout).slice;
            all.emplace_back(asked - time_point(1h), slice);
            now = asked + slice;
            at = after_failure(begun(at, asked), 2, login_timeout, now);
            BOOST_TEST_REQUIRE(all.size() < 20U);
        } while (at.attempt != 0);
        BOOST_TEST((current(at, login_timeout) == core::nth_attempt(0, login_timeout)));
        return all;
    };
    const std::vector<std::pair<duration, duration>> of_15_seconds = {
        {0ms, 1200ms},
        {1200ms, 1200ms},
        {2500ms, 2400ms},
        {4900ms, 2400ms},
        {7500ms, 3600ms},
        {11100ms, 3600ms}}; // The next pause would outlast it.
    BOOST_TEST((silent(15s) == of_15_seconds));
    const std::vector<std::pair<duration, duration>> of_100_seconds = {
        {0ms, 8s},
        {8s, 8s},
        {16100ms, 16s},
        {32100ms, 16s},
        {48300ms, 24s},
        {72300ms, 24s},
        {96700ms, 3300ms}}; // What remains.
    BOOST_TEST((silent(100s) == of_100_seconds));
    // Refused at once: the pauses alone end it.
    alternation at;
    auto now = time_point(2h);
    for (int attempts = 0; attempts == 0 || at.attempt != 0; ++attempts) {
        now = std::max(now, at.due);
        at = after_failure(begun(at, now), 2, 5s, now);
        BOOST_TEST_REQUIRE(attempts < 40);
    }
    BOOST_TEST((now - time_point(2h) == 4500ms));
    BOOST_TEST((at.due == now + 1s));
}

BOOST_AUTO_TEST_CASE(
    is_sought_of_a_partner_alone_with_a_pause_after_each_attempt,
    *utf::label("C45") * utf::label("T3")
) {
    mirroring::alternation at;
    auto now = time_point(1h);
    for (const duration pause : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        at = mirroring::after_failure(at, 1, 15s, now);
        BOOST_TEST((at.due - now == pause));
        now = at.due;
    }
}

BOOST_AUTO_TEST_CASE(
    is_sought_of_the_partner_learned_last_before_the_configured_one,
    *utf::label("C43") * utf::label("C47")
) {
    const std::array<std::size_t, 4> places = {0, 1, 2, 3};
    const std::array<std::size_t, 8> order = {0, 3, 0, 2, 0, 1, 0, 3};
    for (int n = 0; n < 8; ++n)
        BOOST_TEST(
            mirroring::partner_of({n, {}, {}}, places) == order.at(static_cast<std::size_t>(n))
        );
    const std::array<std::size_t, 1> alone = {0};
    BOOST_TEST(mirroring::partner_of({1, {}, {}}, alone) == 0U);
}

BOOST_AUTO_TEST_CASE(
    is_sought_of_all_at_once_while_the_loss_is_fresh, *utf::label("C44") * utf::label("T3")
) {
    auto pair = healthy().hears({a(silent()), b(silent())});
    const auto fresh = pair.next();
    BOOST_TEST_REQUIRE(fresh.ask.size() == 2U);
    BOOST_TEST((fresh.ask[0].due <= pair.now + 1ms));
    pair.later(1100ms).hears({a(silent()), b(silent())});
    const auto blind = pair.next();
    BOOST_TEST(blind.ask.size() == 1U); // The watchers are blind.
    pair.hears(b(hidden_mirror()));
    BOOST_TEST(pair.next().ask.size() == 2U);
}

BOOST_AUTO_TEST_CASE(is_ordered_by_when_it_was_asked, *utf::label("E6") * utf::label("F2")) {
    auto pair = healthy().hears({a(down()), b(principal(2, mirror_away()))});
    BOOST_TEST((pair.is().writer == writes_b));
    const auto late = [&](std::uint64_t sequence, const news& of) {
        pair.happens(answered{of.of, pair.now - 1s, sequence, pair.now, of.what});
    };
    late(1, b(hidden_mirror())); // Asked before the promotion, and comes only now.
    BOOST_TEST((pair.is().writer == writes_b));
    pair.happens(reported{1, pair.now - 1s, 1, std::get<answer>(b(hidden_mirror()).what)});
    BOOST_TEST((pair.is().writer == writes_b));
    late(pair.sequence + 1, a(principal(1))); // F15: later, and of an older epoch.
    BOOST_TEST((pair.is().writer == writes_b));
    BOOST_TEST(pair.is().members[0].refused);
}

BOOST_AUTO_TEST_CASE(
    of_a_session_that_was_refused_sends_the_watcher, *utf::label("C51") * utf::label("F37")
) {
    for (const auto code : {errc::wrong_role, errc::no_quorum, errc::rejected_by_server}) {
        auto pair = healthy();
        BOOST_TEST((pair.question_to(pair.next(), 0)->due > pair.now + 200ms));
        pair.happens(reported{
            0, pair.now, ++pair.sequence, make_failure(code, advice::retry, "refused")});
        BOOST_TEST((pair.is().writer == writes_a)); // One session speaks for itself alone.
        BOOST_TEST((pair.question_to(pair.next(), 0)->due <= pair.now + 2ms));
        pair.hears(a(principal(1)));
        BOOST_TEST((pair.question_to(pair.next(), 0)->due > pair.now + 200ms));
    }
}

BOOST_AUTO_TEST_CASE(
    of_an_earlier_process_is_the_floor_and_no_proof, *utf::label("E1") * utf::label("F15")
) {
    const remembered before{{guid, 5, {}, {}, proof::engine_named}, {}};
    auto pair = partners().happens(before).hears({a(principal(4)), b(hidden_mirror())});
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST((pair.is().accepted->term == 5U));
    pair.hears(b(principal(5, no_witness("DISCONNECTED"))));
    BOOST_TEST((pair.is().writer == writes_b));
    BOOST_TEST(pair.is().accepted->strength == proof::own_word);
    auto foreign = partners().happens(before);
    foreign.hears(a(principal(9, {"SYNCHRONIZED", "1", "2", foreign_guid})));
    BOOST_TEST((foreign.is().writer == std::nullopt));
    auto later = healthy().hears({a(down()), b(principal(7, mirror_away())), b(down())});
    later.happens(before).hears(a(principal(6)));
    BOOST_TEST((later.is().accepted->term == 7U)); // E2: it is read late, and is older.
    BOOST_TEST((later.is().writer == std::nullopt));
    partners unreadable("Cold_Start=alone");
    unreadable.happens(remembered{{}, {}});
    unreadable.hears({a(principal(1, no_witness("DISCONNECTED"))), b(down())});
    BOOST_TEST((unreadable.is().writer == std::nullopt));
}

BOOST_AUTO_TEST_CASE(
    of_an_operator_lets_an_epoch_go_back_once,
    *utf::label("E2") * utf::label("F14") * utf::label("F17")
) {
    auto pair = healthy().hears({a(down()), b(principal(5)), b(down()), a(principal(1))});
    BOOST_TEST((pair.is().writer == std::nullopt));
    pair.happens(ruled{ruled::verdict::accept_lineage, 0});
    BOOST_TEST((pair.is().writer == writes_a));
    BOOST_TEST((pair.is().accepted->term == 1U));
    auto tied = partners().hears({a(principal(2)), b(principal(2))});
    tied.happens(ruled{ruled::verdict::accept_lineage, 1});
    BOOST_TEST((tied.is().writer == writes_b));
    tied.hears(a(principal(2)));
    BOOST_TEST((tied.is().writer == writes_b));
    BOOST_TEST(tied.is().members[0].refused);
}

BOOST_AUTO_TEST_CASE(of_an_operator_takes_a_member_out, *utf::label("B11")) {
    auto pair = healthy().happens(ruled{ruled::verdict::offline, 0});
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST(pair.is().members[0].offline);
    pair.happens(ruled{ruled::verdict::online, 0}).hears(a(principal(1)));
    BOOST_TEST((pair.is().writer == writes_a));
    pair.happens(ruled{ruled::verdict::offline, 9});
    BOOST_TEST((pair.is().writer == writes_a));
}

BOOST_AUTO_TEST_CASE(of_nobody_is_never_waited_for_without_an_end, *utf::label("T3")) {
    for (auto pair : {partners(), healthy(), healthy().hears(a(down()))}) {
        const auto made = pair.next();
        BOOST_TEST((made.wake > pair.now));
        BOOST_TEST(!made.ask.empty());
        pair.happens(suspected{7, pair.now}).happens(suspected{0, pair.now});
        BOOST_TEST((pair.next().wake > pair.now));
        pair.happens(answered{{subject::kind::witness, 0}, pair.now, 99, pair.now, answer()});
        pair.happens(pushed{{subject::kind::member, 0}, pair.now, "state", "x"});
        BOOST_TEST(!pair.next().ask.empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
