// SPDX-License-Identifier: Apache-2.0
#include "unit/mirrored_pair.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

const inquiry& question_to(const plan& what, std::size_t member) {
    return *std::find_if(what.ask.begin(), what.ask.end(), [&](const inquiry& one) {
        return one.to == subject{subject::kind::member, member};
    });
}

const inquiry& question_to_witness(const plan& what) {
    return *std::find_if(what.ask.begin(), what.ask.end(), [](const inquiry& one) {
        return one.to.what == subject::kind::witness;
    });
}

// How often a member is asked while it gives this answer, each at once, for so long.
int questions_in(
    duration length,
    mirrored_pair pair,
    std::size_t member,
    const std::variant<cells, failure>& says
) {
    const auto end = pair.now + length;
    int asked = 0;
    while (pair.now < end) {
        const auto due = question_to(pair.next(), member).due;
        if (due > pair.now) {
            pair.now = std::min(due, pair.next().wake);
            continue;
        }
        ++asked;
        const bool dead = std::holds_alternative<failure>(says);
        pair.hears(
            member == 0 ? (dead ? a(std::get<failure>(says)) : a(std::get<cells>(says)))
                        : (dead ? b(std::get<failure>(says)) : b(std::get<cells>(says)))
        );
    }
    return asked;
}

constexpr const char* state_push = R"({"type": "state", "formation": "default", "groupId": 0})";

}

BOOST_AUTO_TEST_SUITE(mirroring_evidence)

BOOST_AUTO_TEST_CASE(
    is_ordered_by_when_it_was_asked, *utf::label("F2") * utf::label("E6") * utf::label("C34")
) {
    auto pair = healthy();
    const auto frozen = pair.sequence + 1;
    pair.sequence += 1; // Asked of a before the failover; the answer is still under way.
    pair.hears({w(b_is_alone()), b(primary(2)), a(silent())});
    const auto before = pair.is();
    pair.happens(answered{
        {subject::kind::member, 0}, pair.now - 1h, frozen, pair.now, answer_of({primary(1)})});
    BOOST_TEST((pair.is() == before));
    pair.happens(reported{0, pair.now - 1h, frozen, answer_of({primary(1)})});
    BOOST_TEST((pair.is() == before));
    pair.happens(answered{
        {subject::kind::witness, 0}, pair.now - 1h, frozen, pair.now, answer_of(a_is_primary())});
    BOOST_TEST((pair.is() == before));
}

BOOST_AUTO_TEST_CASE(
    of_two_lineages_calls_neither_foreign_before_the_witness_spoke, *utf::label("E9")
) {
    mirrored_pair pair;
    pair.hears({a(primary(1)), b(primary(1, foreign))});
    for (const auto& one : pair.is().members) {
        BOOST_TEST(one.refused);
        BOOST_TEST((one.trouble->code == errc::no_quorum));
    }
    BOOST_TEST((pair.is().writer == std::nullopt));
    pair.hears(w(a_is_primary()));
    BOOST_TEST((pair.is().writer == 0U));
    BOOST_TEST((pair.is().members[1].trouble->code == errc::configuration_invalid));
}

BOOST_AUTO_TEST_CASE(is_the_same_whenever_the_answer_arrived, *utf::label("F2")) {
    auto early = healthy();
    early.hears(a(down()));
    auto late = healthy();
    late.happens(answered{
        {subject::kind::member, 0}, late.now, late.sequence + 1, late.now + 1h, down()});
    BOOST_TEST((early.is() == late.is()));
}

BOOST_AUTO_TEST_CASE(
    counts_from_sessions_for_applications_too, *utf::label("E4") * utf::label("F37")
) {
    auto pair = healthy(without_witness);
    pair.hears(a(down()));
    pair.happens(reported{1, pair.now, ++pair.sequence, answer_of({primary(2)})});
    BOOST_TEST((pair.is().writer == 1U));
    pair.happens(reported{
        1, pair.now, ++pair.sequence, make_failure(errc::wrong_role, advice::retry, "read-only")});
    BOOST_TEST((pair.is().writer == 1U)); // The server may be as writable as ever.
    pair.hears(b(promoted_not_yet_writable(2)));
    BOOST_TEST((pair.is().writer == std::nullopt));
    pair.hears(b(primary(2)));
    BOOST_TEST((pair.is().writer == 1U));
}

BOOST_AUTO_TEST_CASE(
    of_a_primary_in_touch_outlives_a_time_read_only_or_offline,
    *utf::label("E10") * utf::label("F37") * utf::label("B11")
) {
    for (const auto* keys : {with_witness, without_witness}) {
        auto exposed = healthy(keys);
        exposed.hears({w(down()), b(down()), a(promoted_not_yet_writable(1))});
        BOOST_TEST((exposed.is().writer == std::nullopt));
        BOOST_TEST((exposed.hears(a(primary(1))).is().writer == 0U));
        exposed.rules(ruled::verdict::offline, 0).hears(a(primary(1)));
        BOOST_TEST((exposed.is().writer == std::nullopt));
        BOOST_TEST((exposed.rules(ruled::verdict::online, 0).is().writer == 0U));
        exposed.hears({a(down()), a(primary(1))}); // But no death.
        BOOST_TEST((exposed.is().writer == std::nullopt));
    }
    auto doubted = healthy(without_witness);
    doubted.hears({b(primary(1)), b(down()), a(primary(1))}); // Nor a claimant of its epoch (F14).
    BOOST_TEST((doubted.is().writer == std::nullopt));
}

BOOST_AUTO_TEST_CASE(
    of_a_promotion_behind_the_back_of_the_witness_outlives_its_loss,
    *utf::label("E1") * utf::label("E8") * utf::label("F14")
) {
    const std::vector<news> behind_its_back = {b(primary(2)), w(a_is_primary()), w(down())};
    auto pair = healthy();
    BOOST_TEST((pair.hears(behind_its_back).is().writer == 0U));
    BOOST_TEST((pair.hears(a(primary(1))).is().writer == 0U)); // E10
    pair.hears({a(down()), b(primary(2))});
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST((pair.is().state == availability::action_required));
    auto ruled_for = pair;
    BOOST_TEST((ruled_for.rules(ruled::verdict::accept_lineage, 1).is().writer == 1U));
    auto named = pair;
    BOOST_TEST((named.hears({w(b_is_alone()), w(down())}).is().writer == 1U));
    BOOST_TEST((pair.hears(b(primary(3))).is().writer == 1U)); // Of which it could know nothing.
    auto unheard = healthy();
    BOOST_TEST((unheard.hears({b(primary(2)), w(down())}).is().writer == 1U));
}

BOOST_AUTO_TEST_CASE(of_a_lost_session_is_no_proof_of_death, *utf::label("E6") * utf::label("F4")) {
    auto pair = healthy();
    pair.happens(reported{0, pair.now, ++pair.sequence, down()});
    BOOST_TEST((pair.is().writer == 0U));
}

BOOST_AUTO_TEST_CASE(
    of_an_earlier_process_is_the_floor_and_no_proof,
    *utf::label("E1") * utf::label("F15") * utf::label("F17")
) {
    auto pair = mirrored_pair(without_witness).remembers(2);
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST(pair.is().accepted->strength == proof::none);
    pair.hears({a(primary(1)), b(down())});
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST(pair.is().members[0].refused);
    pair.hears(b(primary(2))); // The one that was verified on it needs nobody else.
    BOOST_TEST((pair.is().writer == 1U));
    auto alone = mirrored_pair(without_witness).remembers(2);
    alone.hears({a(down()), b(primary(2))});
    BOOST_TEST((alone.is().writer == 1U));
    auto other = mirrored_pair(without_witness).remembers(2, foreign);
    other.hears({a(primary(5)), b(standby(5))});
    BOOST_TEST((other.is().writer == std::nullopt));
    BOOST_TEST((healthy().remembers(3).is().accepted->term == 3U));
    BOOST_TEST((healthy().remembers(0).is().accepted->term == 1U));
    BOOST_TEST((healthy().hears(a(down())).remembers(0).is().accepted->term == 1U));
}

BOOST_AUTO_TEST_CASE(
    of_an_operator_lets_an_epoch_go_back_once,
    *utf::label("E2") * utf::label("F17") * utf::label("E9")
) {
    auto pair = healthy(without_witness);
    pair.hears({a(primary(9, foreign)), b(standby(9, foreign))});
    BOOST_TEST((pair.is().writer == std::nullopt));
    pair.rules(ruled::verdict::accept_lineage, 0);
    BOOST_TEST((pair.is().writer == 0U));
    BOOST_TEST(pair.is().accepted->lineage == foreign);
    pair.hears({b(standby(9, foreign)), a(primary(1))}); // And the word is used up.
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST(pair.is().accepted->lineage == foreign);
}

BOOST_AUTO_TEST_CASE(
    of_an_operator_decides_between_two_claimants,
    *utf::label("F14") * utf::label("E3") * utf::label("E2")
) {
    for (const std::size_t chosen : {0U, 1U}) {
        auto pair = healthy(without_witness);
        pair.hears(b(primary(1)));
        BOOST_TEST((pair.is().writer == std::nullopt));
        pair.rules(ruled::verdict::accept_lineage, chosen);
        for (int i = 0; i < 3; ++i) {
            BOOST_TEST((pair.is().writer == chosen));
            BOOST_TEST(pair.is().members[1 - chosen].refused);
            pair.hears({a(primary(1)), b(primary(1))}); // Both go on claiming.
        }
        pair.rules(ruled::verdict::accept_lineage, 1 - chosen); // He changes his mind.
        pair.hears({a(primary(1)), b(primary(1))});
        BOOST_TEST((pair.is().writer == 1 - chosen));
        const auto newer = primary(2); // A later promotion counts again.
        pair.hears(chosen == 0 ? a(newer) : b(newer));
        BOOST_TEST((pair.is().writer == chosen));
    }
    auto lower = healthy(without_witness);
    lower.hears(b(primary(2)));
    BOOST_TEST((lower.is().writer == 1U));
    lower.rules(ruled::verdict::accept_lineage, 0);
    lower.hears({b(primary(2)), a(primary(1))});
    BOOST_TEST((lower.is().writer == 0U));
    BOOST_TEST((lower.is().accepted->term == 1U));
}

BOOST_AUTO_TEST_CASE(of_an_operator_takes_a_member_out_and_back, *utf::label("B11")) {
    auto pair = healthy();
    pair.rules(ruled::verdict::offline, 0);
    BOOST_TEST((pair.is().writer == std::nullopt));
    pair.hears(a(primary(1)));
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST(!pair.session(0, primary(1)).may_read);
    pair.rules(ruled::verdict::online, 0);
    BOOST_TEST((pair.is().writer == 0U));
}

BOOST_AUTO_TEST_CASE(
    is_asked_of_both_members_and_the_witness, *utf::label("C39") * utf::label("T2")
) {
    const auto first = mirrored_pair().next();
    BOOST_TEST(first.ask.size() == 3U);
    for (const auto& one : first.ask) {
        BOOST_TEST((one.due <= time_point{24h})); // At once.
        BOOST_TEST((one.limit == 1s));
        BOOST_TEST(one.text.starts_with("SELECT"));
    }
    BOOST_TEST(question_to_witness(first).listens == "LISTEN state");
    BOOST_TEST(mirrored_pair(without_witness).next().ask.size() == 2U);
}

BOOST_AUTO_TEST_CASE(is_asked_seldom_while_all_is_well, *utf::label("T3")) {
    BOOST_TEST(questions_in(10s, healthy(), 0, primary(1)) <= 41);
    BOOST_TEST(questions_in(10s, healthy(), 0, primary(1)) >= 38);
}

BOOST_AUTO_TEST_CASE(
    is_asked_fast_while_it_is_missed_and_the_longer_the_more_seldom,
    *utf::label("T3") * utf::label("F33")
) {
    // 1 s at 1 ms, to 4 s at 2 ms, then at a two-thousandth of what has passed, from 40 s on at 20
    // ms.
    for (const auto& gone : {down(), starting(), silent()}) {
        BOOST_TEST(questions_in(1s, healthy(), 0, gone) <= 1001);
        BOOST_TEST(questions_in(10s, healthy(), 0, gone) >= 3600);
        BOOST_TEST(questions_in(10s, healthy(), 0, gone) <= 4500);
        BOOST_TEST(questions_in(60s, healthy(), 0, gone) <= 8200);
    }
}

BOOST_AUTO_TEST_CASE(is_asked_together_with_the_others_while_all_is_calm, *utf::label("T3")) {
    auto pair = healthy(without_witness);
    const auto first = question_to(pair.next(), 0).due;
    BOOST_TEST((question_to(pair.next(), 1).due == first));
    pair.now = first;
    pair.hears(b(standby(1)));
    BOOST_TEST((question_to(pair.next(), 0).due <= first + 1ms)); // Due now, so it does not wait.
    BOOST_TEST((question_to(pair.next(), 1).due >= first + 200ms));
}

BOOST_AUTO_TEST_CASE(ends_a_suspicion_when_the_member_answers, *utf::label("T3")) {
    for (const bool reported_one : {false, true}) {
        auto pair = healthy();
        if (reported_one)
            pair.happens(reported{0, pair.now, ++pair.sequence, down()});
        else
            pair.happens(suspected{0, pair.now});
        BOOST_TEST((question_to(pair.next(), 0).due <= pair.now + 5ms));
        pair.hears(b(standby(1)));
        BOOST_TEST((question_to(pair.next(), 0).due <= pair.now + 5ms)); // Not when another does.
        pair.hears(a(primary(1)));
        BOOST_TEST((question_to(pair.next(), 0).due > pair.now + 200ms)
        ); // A slow query is no fault.
    }
}

BOOST_AUTO_TEST_CASE(
    is_left_in_peace_for_a_while_when_it_answers_and_a_query_is_slow, *utf::label("T3")
) {
    auto pair = healthy();
    pair.hears(a(primary(1)));
    const auto answered = pair.now;
    const suspected slow{0, pair.now, suspected::cause::slow};
    pair.happens(slow);
    BOOST_TEST((question_to(pair.next(), 0).due > answered + 200ms));
    const auto wake = pair.next().wake;
    BOOST_TEST((wake > answered + 20ms && wake <= answered + 25ms));
    pair.now = wake;
    BOOST_TEST((question_to(pair.next(), 0).due <= pair.now)); // It may hang by now.
    pair.hears(a(primary(1)));
    pair.happens(slow);
    pair.happens(suspected{0, pair.now});
    BOOST_TEST((question_to(pair.next(), 0).due <= pair.now + 2ms)
    ); // A broken session is another matter.
}

BOOST_AUTO_TEST_CASE(
    is_asked_at_a_hint_and_the_hint_proves_nothing, *utf::label("E8") * utf::label("C18")
) {
    auto pair = healthy();
    pair.now += 100ms;
    const auto before = pair.is();
    pair.happens(pushed{{subject::kind::witness, 0}, pair.now, "state", state_push});
    BOOST_TEST((pair.is() == before));
    BOOST_TEST((question_to_witness(pair.next()).due <= pair.now));
    pair.hears(w(a_is_primary()));
    BOOST_TEST((question_to_witness(pair.next()).due > pair.now + 200ms));
}

BOOST_AUTO_TEST_CASE(
    is_asked_with_a_gap_however_many_hints_come, *utf::label("T3") * utf::label("X7")
) {
    auto pair = healthy();
    for (int i = 0; i < 10; ++i) {
        pair.hears(w(a_is_primary()));
        pair.happens(pushed{{subject::kind::witness, 0}, pair.now, "state", state_push});
        BOOST_TEST((question_to_witness(pair.next()).due >= pair.now - 2ms + 4ms));
    }
}

BOOST_AUTO_TEST_CASE(is_never_waited_for_without_an_end, *utf::label("T3") * utf::label("F58")) {
    for (const auto& pair :
         {mirrored_pair(), healthy(), healthy().hears(a(down())), healthy(without_witness)}) {
        const auto plan = pair.next();
        BOOST_TEST((plan.wake > pair.now));
        BOOST_TEST((plan.wake <= pair.now + 1s));
        for (const auto& one : plan.ask)
            BOOST_TEST((one.due <= pair.now + 250ms));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
