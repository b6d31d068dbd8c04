// SPDX-License-Identifier: Apache-2.0
#include "unit/mirrored_pair.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr std::optional<std::size_t> nobody;
constexpr std::optional<std::size_t> writes_a = 0;
constexpr std::optional<std::size_t> writes_b = 1;

using enum availability;

struct decision {
    const char* when;
    std::vector<news> heard;
    std::optional<std::size_t> writer;
    std::optional<std::uint64_t> term; ///< Of the epoch accepted.
    availability state;
};

using story = std::vector<news>;

story after(const story& before, const story& then) {
    auto all = before;
    all.insert(all.end(), then.begin(), then.end());
    return all;
}

void check(const std::vector<decision>& decisions, const std::string& keys) {
    for (const auto& [when, heard, writer, term, state] : decisions)
        BOOST_TEST_CONTEXT(when) {
            const auto is = mirrored_pair(keys).hears(heard).is();
            BOOST_TEST_INFO(is);
            BOOST_TEST((is.writer == writer));
            BOOST_TEST_INFO(is);
            BOOST_TEST(((is.accepted ? is.accepted->term : std::nullopt) == term));
            BOOST_TEST(is.state == state);
        }
}

// clang-format off
const story well = {w(a_is_primary()), a(primary(1)), b(standby(1))};
const story taken_over = after(well, {a(down()), w(b_is_alone()), b(primary(2))});
const story by_hand = {a(primary(1)), b(standby(1))};
const story promoted_by_hand = after(by_hand, {a(down()), b(primary(2))});

const std::vector<decision> with_the_witness = {
    {"nothing has been heard",                                        {},                                                          nobody,   {}, unknown},
    {"the engine names a, and a says so itself",                      well,                                                        writes_a, 1,  serving},
    {"E8: the witness's word alone",                                  {w(a_is_primary())},                                         nobody,   {}, failing_over},
    {"E8: the witness and the standby's word",                        {w(a_is_primary()), b(standby(1))},                          nobody,   {}, failing_over},
    {"F19: it names one that is a standby by its own word",           {w(a_is_primary()), a(standby(1)), b(standby(1))},           nobody,   {}, failing_over},
    {"F19: it names b, and only a says that it is primary",           {w(b_is_primary()), a(primary(1)), b(standby(1))},           nobody,   {}, failing_over},
    {"F19: it names two",                                             {w(nodes({{"db1", "primary", "primary"}, {"db2", "single", "single"}})), a(primary(1)), b(primary(2))}, nobody, {}, action_required},
    {"E9: another formation",                                         {w(nodes({{"db1", "primary", "primary", ours, "other"}})), a(primary(1))}, nobody, {}, action_required},
    {"E9: it knows another server at a's address",                    {w(nodes({{"db1", "primary", "primary", foreign}, {"db2", "secondary", "secondary", foreign}})), a(primary(1)), b(standby(1))}, nobody, {}, action_required},
    {"F1: the primary is killed",                                     after(well, {a(down())}),                                    nobody,   1,  failing_over},
    {"F2: it is silent: no proof of anything",                        after(well, {a(silent())}),                                  writes_a, 1,  serving},
    {"F25: it is full",                                               after(well, {a(full())}),                                    writes_a, 1,  serving},
    {"F26: it refuses the watcher's password",                        after(well, {a(wrong_password())}),                          writes_a, 1,  serving},
    {"F9: its name does not resolve here",                            after(well, {a(no_such_name())}),                            writes_a, 1,  serving},
    {"F33: it is starting up",                                        after(well, {a(starting())}),                                nobody,   1,  failing_over},
    {"the engine takes the role from a living primary",               after(well, {w(nobody_is_named())}),                         nobody,   1,  failing_over},
    {"the engine has chosen b, which is not promoted yet",            after(well, {a(down()), w(b_is_alone())}),                   nobody,   1,  failing_over},
    {"b is promoted and not writable yet",                            after(well, {a(down()), w(b_is_alone()), b(promoted_not_yet_writable(2))}), nobody, 1, failing_over},
    {"C18: b has taken over",                                         taken_over,                                                  writes_b, 2,  exposed},
    {"its keeper alone was killed: a stays read-write beside b",      after(well, {w(b_is_alone()), b(primary(2)), a(primary(1))}), writes_b, 2, exposed},
    {"F15: the old primary returns read-write",                       after(taken_over, {a(primary(1))}),                          writes_b, 2,  exposed},
    {"C35: the old primary has become the mirror",                    after(taken_over, {a(standby(2)), w(b_is_primary())}),       writes_b, 2,  serving},
    {"b promotes itself while the engine names a",                    after(well, {b(primary(2))}),                                writes_a, 1,  exposed},
    {"C30: only the partners' own link is cut",                       after(well, {w(a_is_alone())}),                              writes_a, 1,  exposed},
    {"C31: the mirror is lost",                                       after(well, {b(down()), w(a_is_alone())}),                   writes_a, 1,  exposed},
    {"C32, E10: the witness is lost, the partners together",          after(well, {w(down())}),                                    writes_a, 1,  serving},
    {"C20, E10: mirror and witness are lost, the primary answers",    after(well, {w(down()), b(down()), a(primary(1))}),          writes_a, 1,  exposed},
    {"C28: the witness is lost, then the primary",                    after(well, {w(down()), a(down())}),                         nobody,   1,  action_required},
    {"C33: all was lost; mirror and witness meet again",              after(well, {w(down()), a(down()), b(down()), b(standby(1)), w(a_is_primary())}), nobody, 1, failing_over},
    {"C33: and the principal returns",                                after(well, {w(down()), a(down()), b(down()), b(standby(1)), w(a_is_primary()), a(primary(1))}), writes_a, 1, serving},
    {"C31: the mirror is lost, and then the exposed primary",         after(well, {b(down()), w(a_is_alone()), a(down())}),        nobody,   1,  action_required},
    {"C28: the primary is lost while the mirror catches up",          after(well, {w(nodes({{"db1", "primary", "primary"}, {"db2", "catchingup", "secondary"}})), a(down())}), nobody, 1, action_required},
    {"C34: a fails, b takes over, b fails, a returns",                after(taken_over, {w(nodes({{"db1", "demoted", "demoted"}, {"db2", "wait_primary", "wait_primary"}})), b(down()), a(primary(1))}), nobody, 2, action_required},
    {"C34: the same, and the witness is lost",                        after(taken_over, {b(down()), w(down()), a(primary(1))}),    nobody,   2,  action_required},
    {"E10: cold, without the witness, a alone: unproven",             {w(down()), a(primary(1)), b(down())},                       nobody,   {}, action_required},
    {"cold, without the witness: both partners answer",               {w(down()), a(primary(1)), b(standby(1))},                   writes_a, 1,  serving},
    {"E10: crashed and back while nobody else answers: unproven",     after(well, {w(down()), b(down()), a(down()), a(primary(1))}), nobody, 1,  action_required},
    {"E10: crashed and back while the other is silent: unproven",     after(well, {w(down()), b(silent()), a(down()), a(primary(1))}), nobody, 1, action_required},
    {"F13: the witness is lost, and b shows a later epoch",           after(well, {w(down()), b(primary(2))}),                     writes_b, 2,  exposed},
    {"E9: b is replaced by a server of another lineage",              after(well, {b(primary(7, foreign))}),                       writes_a, 1,  exposed},
    {"F51: an answer without sense proves nothing",                   after(well, {a(cells{"x"})}),                                nobody,   1,  failing_over},
    {"a second failover, back to a",                                  after(taken_over, {a(standby(2)), w(b_is_primary()), b(down()), w(a_is_alone()), a(primary(3))}), writes_a, 3, exposed},
};

const std::vector<decision> without_a_witness = {
    {"both partners answer",                                          by_hand,                                                     writes_a, 1,  serving},
    {"the mirror answers first",                                      {b(standby(1)), a(primary(1))},                              writes_a, 1,  serving},
    {"rulings 12: the primary's word alone does not start a store",   {a(primary(1)), b(down())},                                  nobody,   {}, action_required},
    {"rulings 12: nor while the mirror has not been heard",           {a(primary(1))},                                             nobody,   {}, action_required},
    {"C32: the mirror is lost: the primary survives it",              after(by_hand, {b(down())}),                                 writes_a, 1,  exposed},
    {"C19: the primary is lost: action at once",                      after(by_hand, {a(down())}),                                 nobody,   1,  action_required},
    {"the mirror was promoted by hand",                               promoted_by_hand,                                            writes_b, 2,  exposed},
    {"F15: and the old primary returns",                              after(promoted_by_hand, {a(primary(1))}),                    writes_b, 2,  exposed},
    {"C34: and then the new one fails",                               after(promoted_by_hand, {a(primary(1)), b(down())}),         nobody,   2,  action_required},
    {"F13: promoted beside a living primary",                         after(by_hand, {b(primary(2))}),                             writes_b, 2,  exposed},
    {"F13: cold, two primaries of two epochs",                        {a(primary(1)), b(primary(2))},                              writes_b, 2,  exposed},
    {"F14, E3: cold, two primaries of one epoch",                     {a(primary(2)), b(primary(2))},                              nobody,   {}, action_required},
    {"F14, E3: the second of one epoch appears later",                after(by_hand, {b(primary(1))}),                             nobody,   1,  action_required},
    {"F14: one of the two goes away by becoming a standby",           after(by_hand, {b(primary(1)), b(standby(1))}),              writes_a, 1,  serving},
    {"E9: cold, two lineages: nobody knows which is ours",            {a(primary(1)), b(standby(1, foreign))},                     nobody,   {}, action_required},
    {"E9: the primary was replaced by another lineage",               after(by_hand, {a(primary(9, foreign))}),                    nobody,   1,  action_required},
    {"E9: the mirror was replaced by another lineage",                after(by_hand, {b(standby(1, foreign))}),                    writes_a, 1,  exposed},
    {"F35: restarted on the same timeline, and both answer",          after(by_hand, {a(starting()), a(primary(1)), b(standby(1))}), writes_a, 1, serving},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(mirroring)

BOOST_AUTO_TEST_CASE(
    with_a_witness_follows_the_engine_on_proof,
    *utf::label("C18") * utf::label("C20") * utf::label("C28") * utf::label("C30") *
        utf::label("C31") * utf::label("C32") * utf::label("C33") * utf::label("C34") *
        utf::label("C35") * utf::label("E8") * utf::label("E9") * utf::label("E10") *
        utf::label("F1") * utf::label("F2") * utf::label("F13") * utf::label("F15") *
        utf::label("F18") * utf::label("F19") * utf::label("F25") * utf::label("F26") *
        utf::label("F33") * utf::label("F51")
) {
    check(with_the_witness, with_witness);
}

BOOST_AUTO_TEST_CASE(
    without_a_witness_follows_what_an_operator_promotes,
    *utf::label("C6") * utf::label("C19") * utf::label("C32") * utf::label("C34") *
        utf::label("E3") * utf::label("E9") * utf::label("F13") * utf::label("F14") *
        utf::label("F15") * utf::label("F35")
) {
    check(without_a_witness, without_witness);
}

BOOST_AUTO_TEST_CASE(takes_the_primarys_own_word_where_cold_start_allows_it, *utf::label("C6")) {
    for (const auto* keys :
         {"Cold_Start=alone", "Cold_Start=alone;Witness=pg_auto_failover:mon:5000"}) {
        mirrored_pair pair(keys);
        pair.hears({w(down()), b(down()), a(primary(1))});
        BOOST_TEST((pair.is().writer == writes_a));
        BOOST_TEST(pair.is().accepted->strength == proof::own_word);
    }
}

BOOST_AUTO_TEST_CASE(names_how_well_the_epoch_is_proved, *utf::label("E4") * utf::label("E8")) {
    BOOST_TEST(healthy().is().accepted->strength == proof::engine_named);
    BOOST_TEST(healthy(without_witness).is().accepted->strength == proof::both_members);
    auto promoted = healthy(without_witness);
    promoted.hears({a(down()), b(primary(2))});
    BOOST_TEST(promoted.is().accepted->strength == proof::own_word);
}

BOOST_AUTO_TEST_CASE(
    shows_the_failover_form_that_is_left, *utf::label("C6") * utf::label("C32") * utf::label("C7")
) {
    BOOST_TEST(healthy().is().failover == failover_form::automatic);
    BOOST_TEST(healthy().is().witness == witness_state::connected);
    BOOST_TEST(healthy().hears(w(down())).is().failover == failover_form::manual_only);
    BOOST_TEST(healthy().hears(w(down())).is().witness == witness_state::lost);
    BOOST_TEST(healthy(without_witness).is().failover == failover_form::manual_only);
    BOOST_TEST(healthy(without_witness).is().witness == witness_state::none);
    BOOST_TEST(mirrored_pair().is().witness == witness_state::unknown);
}

BOOST_AUTO_TEST_CASE(tells_the_synchrony_of_the_pair, *utf::label("C25") * utf::label("C31")) {
    BOOST_TEST(healthy().is().replication == synchrony::synchronized);
    BOOST_TEST(healthy().hears(w(a_is_alone())).is().replication == synchrony::suspended);
    const auto behind = nodes({{"db1", "primary", "primary"}, {"db2", "catchingup", "secondary"}});
    BOOST_TEST(healthy().hears(w(behind)).is().replication == synchrony::synchronizing);
    const auto single = nodes({{"db1", "single", "single"}});
    BOOST_TEST(healthy().hears(w(single)).is().replication == synchrony::not_replicating);
    auto row = primary(1);
    row[9] = "0";
    BOOST_TEST(healthy("").hears(a(row)).is().replication == synchrony::synchronizing);
    row[8] = "0"; // The role may not see.
    BOOST_TEST(healthy("").hears(a(row)).is().replication == synchrony::unknown);
    row[7] = "0";
    BOOST_TEST(healthy("").hears(a(row)).is().replication == synchrony::suspended);
    BOOST_TEST(healthy("").hears(a(row)).is().state == availability::exposed);
    BOOST_TEST((healthy().is().members[1].lag_bytes == 100U));
}

BOOST_AUTO_TEST_CASE(
    keeps_fixed_names_and_moving_roles_apart, *utf::label("C21") * utf::label("C23")
) {
    const auto is = mirrored_pair().hears(taken_over).hears(a(standby(2))).is();
    BOOST_TEST(is.members[0].name == "primary");
    BOOST_TEST(is.members[0].plays == role::standby);
    BOOST_TEST(is.members[1].name == "mirror");
    BOOST_TEST(is.members[1].plays == role::primary);
}

BOOST_AUTO_TEST_CASE(
    says_why_a_member_is_refused, *utf::label("F15") * utf::label("E9") * utf::label("C34")
) {
    const auto old = mirrored_pair().hears(taken_over).hears(a(primary(1))).is().members[0];
    BOOST_TEST(old.refused);
    BOOST_TEST(old.trouble->code == errc::wrong_role);
    BOOST_TEST(old.trouble->message.find("F15") != std::string::npos);
    const auto other = healthy().hears(b(primary(7, foreign))).is().members[1];
    BOOST_TEST(other.refused);
    BOOST_TEST(other.trouble->message.find("E9") != std::string::npos);
    const auto unnamed = healthy().hears(b(primary(2))).is().members[1];
    BOOST_TEST(unnamed.refused);
    BOOST_TEST(unnamed.trouble->message.find("names") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(looks_for_a_primary_every_two_thousandth_of_its_absence, *utf::label("C18")) {
    const std::pair<duration, duration> rows[] = {
        {500ms, 1ms}, {3s, 2ms}, {10s, 5ms}, {16s, 8ms}, {1h, 20ms}};
    const auto lost = healthy(without_witness).hears(a(down()));
    for (const auto& [outage, step] : rows) {
        auto then = lost;
        then.now += outage;
        const auto asked = then.now;
        const auto due = then.hears(b(standby(1))).next().ask.at(1).due;
        BOOST_TEST_CONTEXT(std::chrono::duration<double>(outage).count() << " s")
        BOOST_TEST((std::chrono::round<std::chrono::milliseconds>(due - asked) == step));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
