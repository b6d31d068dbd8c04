// SPDX-License-Identifier: Apache-2.0
#include "unit/partners.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test::sql_server {

namespace utf = boost::unit_test;

namespace {

constexpr std::optional<std::size_t> nobody;
constexpr std::optional<std::size_t> writes_a = 0;
constexpr std::optional<std::size_t> writes_b = 1;

using enum availability;
using story = std::vector<news>;

struct decision {
    const char* when;
    story heard;
    std::optional<std::size_t> writer;
    std::optional<std::uint64_t> term; ///< Of the epoch accepted.
    availability state;
};

story after(const story& before, const story& then) {
    auto all = before;
    all.insert(all.end(), then.begin(), then.end());
    return all;
}

void check(const std::vector<decision>& decisions) {
    for (const auto& [when, heard, writer, term, state] : decisions)
        BOOST_TEST_CONTEXT(when) {
            const auto is = partners().hears(heard).is();
            BOOST_TEST_INFO(is);
            BOOST_TEST((is.writer == writer));
            BOOST_TEST_INFO(is);
            BOOST_TEST(((is.accepted ? is.accepted->term : std::nullopt) == term));
            BOOST_TEST_INFO(is);
            BOOST_TEST(is.state == state);
        }
}

// Whom a's name leads to: another database, whose partner is nobody here.
cells stranger() {
    return with(with(principal(1), "broker_guid", foreign_guid), "partner_instance", "DB3");
}

// clang-format off
const story well = {a(principal(1)), b(hidden_mirror())};
const story taken_over = after(well, {a(down()), b(principal(2, mirror_away()))});

const std::vector<decision> with_a_witness = {
    {"nothing has been heard",                                        {},                                                  nobody,   {}, unknown},
    {"a serves with quorum, and its mirror answers",                  well,                                                writes_a, 1,  serving},
    {"the mirror answers first",                                      {b(hidden_mirror()), a(principal(1))},               writes_a, 1,  serving},
    {"a mirror of a sysadmin's login shows its part",                 {a(principal(1)), b(mirror(1))},                     writes_a, 1,  serving},
    {"rulings 12: a's quorum is the engine's word, b is away",        {a(principal(1)), b(down())},                        writes_a, 1,  exposed},
    {"a mirror's hidden part alone names nobody",                     {b(hidden_mirror())},                                nobody,   {}, unknown},
    {"C18: a is killed, armed: b will take over",                     after(well, {a(down())}),                            nobody,   1,  failing_over},
    {"F2: a is silent: no proof of anything",                         after(well, {a(silent())}),                          writes_a, 1,  serving},
    {"F25: it is full",                                               after(well, {a(full())}),                            writes_a, 1,  serving},
    {"F26: it refuses the watcher's password",                        after(well, {a(wrong_password())}),                  writes_a, 1,  serving},
    {"F9: its name does not resolve here",                            after(well, {a(no_such_name())}),                    writes_a, 1,  serving},
    {"the roles have moved, and b recovers yet",                      after(well, {a(down()), b(recovering(2))}),          nobody,   1,  failing_over},
    {"C18: b has taken over",                                         taken_over,                                          writes_b, 2,  exposed},
    {"C30: only the partners' link is cut: a goes on with the witness", after(well, {a(principal(1, mirror_away()))}),         writes_a, 1,  exposed},
    {"C31: the mirror is lost",                                       after(well, {b(down()), a(principal(1, mirror_away()))}), writes_a, 1, exposed},
    {"C31: suspended by an operator",                                 after(well, {a(principal(1, {"SUSPENDED"}))}),       writes_a, 1,  exposed},
    {"C32: the witness is lost, the partners together",               after(well, {a(principal(1, witness_lost()))}),      writes_a, 1,  serving},
    {"C20, C29: a sees nobody: its open port is no service",          after(well, {a(principal(1, isolated()))}),          nobody,   1,  failing_over},
    {"C20: and the witness had been lost before",                     after(well, {a(principal(1, witness_lost())), a(recovering(1, isolated()))}), nobody, 1, action_required},
    {"C28: the witness is lost, then the principal",                  after(well, {a(principal(1, witness_lost())), a(down())}), nobody, 1, action_required},
    {"C28: the principal is lost while the mirror catches up",        after(well, {a(principal(1, {"SYNCHRONIZING"})), a(down())}), nobody, 1, action_required},
    {"C31: the mirror is lost, and then the exposed principal",       after(well, {a(principal(1, mirror_away())), a(down())}), nobody, 1,  action_required},
    {"C28: a mirror that shows itself without witness cannot",        {a(principal(1)), b(mirror(1)), a(down()), b(mirror(1, isolated()))}, nobody, 1, action_required},
    {"C33: all is lost, and the mirror is back first",                after(well, {a(down()), b(down()), b(hidden_mirror())}), nobody, 1, action_required},
    {"C33: and then the principal",                                   after(well, {a(down()), b(down()), b(hidden_mirror()), a(principal(1))}), writes_a, 1, serving},
    {"F15: the old principal returns and does not know yet",          after(taken_over, {a(principal(1))}),                writes_b, 2,  exposed},
    {"C34: a fails, b takes over, b fails, a returns",                after(taken_over, {b(down()), a(principal(1, mirror_away()))}), nobody, 2, action_required},
    {"C35: the old principal has become the mirror",                  after(taken_over, {a(hidden_mirror()), b(principal(2))}), writes_b, 2, serving},
    {"C35: and is catching up yet",                                   after(taken_over, {a(hidden_mirror()), b(principal(2, {"SYNCHRONIZING"}))}), writes_b, 2, exposed},
    {"a second failover, back to a",                                  after(taken_over, {a(hidden_mirror()), b(principal(2)), b(down()), a(principal(3, mirror_away()))}), writes_a, 3, exposed},
    {"F13: forced beside a living principal",                         after(well, {b(principal(2, {"SUSPENDED"}))}),       writes_b, 2,  exposed},
    {"F13: cold, two principals of two sequences",                    {a(principal(1)), b(principal(2))},                  writes_b, 2,  exposed},
    {"F13: cold, and the witness is with the older of two principals", {a(principal(2, no_witness("DISCONNECTED"))), b(principal(1))}, nobody, {}, action_required},
    {"E3: cold, two principals of one sequence",                      {a(principal(2)), b(principal(2))},                  nobody,   2,  action_required},
    {"E3: the second of one sequence appears later",                  after(well, {b(principal(1))}),                      nobody,   1,  action_required},
    {"E9: b is of another session",                                   after(well, {b(principal(7, {"SYNCHRONIZED", "1", "2", foreign_guid}))}), writes_a, 1, exposed},
    {"E9: a was set up anew as another session",                      after(well, {a(principal(1, {"SYNCHRONIZED", "1", "2", foreign_guid}))}), nobody, 1, action_required},
    {"F10: cold, a is of another database and another pair than b",   {a(stranger()), b(hidden_mirror())},                 nobody,   {}, action_required},
    {"F10: b has not been heard yet",                                 {a(stranger())},                                     nobody,   {}, unknown},
    {"F10: b answers first",                                          {b(hidden_mirror()), a(stranger())},                 nobody,   {}, action_required},
    {"F10: and its name is mended",                                   {a(stranger()), b(hidden_mirror()), a(principal(1))}, writes_a, 1, serving},
    {"C47: a's partner was replaced by one unknown here",             {a(with(principal(1), "partner_instance", "DB3")), b(hidden_mirror())}, writes_a, 1, exposed},
    {"C47: and b is gone",                                            {a(stranger()), b(down())},                          writes_a, 1,  exposed},
    {"C47: or does not tell its broker",                              {a(stranger()), b(with(hidden_mirror(), "broker_guid", {}))}, writes_a, 1, exposed},
    {"C47: or tells zeros",                                           {a(stranger()), b(with(hidden_mirror(), "broker_guid", "00000000-0000-0000-0000-000000000000"))}, writes_a, 1, exposed},
    {"two brokers of partners that name each other",                  {a(with(principal(1), "broker_guid", foreign_guid)), b(hidden_mirror())}, writes_a, 1, serving},
    {"NULL part, online: not mirrored, or not to be seen",            {a(not_mirrored()), b(not_mirrored())},              nobody,   {}, action_required},
    {"F37: a is read-only",                                           after(well, {a(with(principal(1), "updateability", "READ_ONLY"))}), nobody, 1, failing_over},
    {"C41: the login is unknown to b's database",                     after(well, {a(down()), b(without_access(2))}),      nobody,   1,  action_required},
    {"4060: neither shows the database",                              {a(no_database()), b(no_database())},                nobody,   {}, action_required},
    {"4060 of one: the other serves",                                 {a(no_database()), b(principal(2))},                 writes_b, 2,  exposed},
    {"F51: an answer without sense proves nothing",                   after(well, {a(cells{"x"})}),                        nobody,   1,  failing_over},
    {"F19: guids and sequences of no sense",                          {a(with(principal(1), "mirroring_guid", "1; DROP")), b(hidden_mirror())}, nobody, {}, action_required},
};

const story by_hand = {a(principal(1, no_witness())), b(hidden_mirror())};

const std::vector<decision> without_a_witness = {
    {"C6: both partners answer",                                      by_hand,                                             writes_a, 1,  serving},
    {"a synchronized principal cannot acknowledge alone",             {a(principal(1, no_witness())), b(down())},          writes_a, 1,  exposed},
    {"rulings 12: a disconnected one by its own word proves nothing", {a(principal(1, no_witness("DISCONNECTED"))), b(down())}, nobody, {}, action_required},
    {"rulings 12: nor while the mirror has not been heard",           {a(principal(1, no_witness("DISCONNECTED")))},       nobody,   {}, unknown},
    {"and with its mirror's answer it is proved",                     {a(principal(1, no_witness("DISCONNECTED"))), b(hidden_mirror())}, writes_a, 1, exposed},
    {"C32: the mirror is lost: the principal survives it",            after(by_hand, {b(down()), a(principal(1, no_witness("DISCONNECTED")))}), writes_a, 1, exposed},
    {"E10: crashed and back while nobody else answers",               after(by_hand, {b(down()), a(down()), a(principal(1, no_witness("DISCONNECTED")))}), nobody, 1, action_required},
    {"C19: the principal is lost: action at once",                    after(by_hand, {a(down())}),                         nobody,   1,  action_required},
    {"the mirror was forced",                                         after(by_hand, {a(down()), b(principal(2, no_witness("SUSPENDED")))}), writes_b, 2, exposed},
    {"C34: the old principal, after that",                            after(by_hand, {a(down()), b(principal(2, no_witness("SUSPENDED"))), a(principal(1, no_witness("DISCONNECTED")))}), writes_b, 2, exposed},
    {"C1: SAFETY OFF is exposed, whatever the mirror has",            {a(principal(1, {"SYNCHRONIZED", {}, "1"})), b(hidden_mirror())}, writes_a, 1, exposed},
    {"C1: and its word alone proves nothing",                         {a(principal(1, {"SYNCHRONIZED", {}, "1"})), b(down())}, nobody, {}, action_required},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(sql_server_mirroring)

BOOST_AUTO_TEST_CASE(
    with_a_witness_follows_what_the_partners_say_of_their_session,
    *utf::label("C18") * utf::label("C20") * utf::label("C26") * utf::label("C28") *
        utf::label("C29") * utf::label("C30") * utf::label("C31") * utf::label("C32") *
        utf::label("C33") * utf::label("C34") * utf::label("C35") * utf::label("C41") *
        utf::label("C47") * utf::label("C51") * utf::label("E3") * utf::label("E9") *
        utf::label("F1") * utf::label("F2") * utf::label("F9") * utf::label("F10") *
        utf::label("F13") * utf::label("F15") * utf::label("F19") * utf::label("F25") *
        utf::label("F26") * utf::label("F37") * utf::label("F51")
) {
    check(with_a_witness);
}

BOOST_AUTO_TEST_CASE(
    without_a_witness_follows_what_an_operator_forces,
    *utf::label("C1") * utf::label("C6") * utf::label("C19") * utf::label("C32") *
        utf::label("C34") * utf::label("E10")
) {
    check(without_a_witness);
}

BOOST_AUTO_TEST_CASE(names_how_well_the_epoch_is_proved, *utf::label("E4") * utf::label("E8")) {
    BOOST_TEST(healthy().is().accepted->strength == proof::engine_named);
    BOOST_TEST(healthy().is().accepted->lineage == guid);
    BOOST_TEST(healthy().is().members[0].named);
    const auto both =
        partners().hears({a(principal(1, no_witness("DISCONNECTED"))), b(hidden_mirror())});
    BOOST_TEST(both.is().accepted->strength == proof::both_members);
    const auto forced = healthy().hears({a(down()), b(principal(2, no_witness("SUSPENDED")))});
    BOOST_TEST(forced.is().accepted->strength == proof::own_word);
    partners alone("Cold_Start=alone");
    alone.hears({a(principal(1, no_witness("DISCONNECTED"))), b(down())});
    BOOST_TEST((alone.is().writer == writes_a));
}

BOOST_AUTO_TEST_CASE(
    shows_the_failover_form_that_is_left,
    *utf::label("C6") * utf::label("C25") * utf::label("C27") * utf::label("C28") *
        utf::label("C32")
) {
    struct form {
        const char* when;
        news says;
        failover_form left;
        witness_state witness;
        synchrony replication;
    };
    // clang-format off
    const std::vector<form> forms = {
        {"all three see each other", a(principal(1)),                              failover_form::automatic,   witness_state::connected, synchrony::synchronized},
        {"catching up",              a(principal(1, {"SYNCHRONIZING"})),           failover_form::manual_only, witness_state::connected, synchrony::synchronizing},
        {"suspended",                a(principal(1, {"SUSPENDED"})),               failover_form::manual_only, witness_state::connected, synchrony::suspended},
        {"the mirror is away",       a(principal(1, mirror_away())),                   failover_form::manual_only, witness_state::connected, synchrony::suspended},
        {"a planned failover",       a(principal(1, {"PENDING_FAILOVER"})),        failover_form::automatic,   witness_state::connected, synchrony::synchronized},
        {"the witness is lost",      a(principal(1, witness_lost())),              failover_form::manual_only, witness_state::lost,      synchrony::synchronized},
        {"the witness is not known", a(principal(1, {"SYNCHRONIZED", "0"})),       failover_form::manual_only, witness_state::unknown,   synchrony::synchronized},
        {"there is none",            a(principal(1, no_witness())),                failover_form::manual_only, witness_state::none,      synchrony::synchronized},
        {"asynchronous",             a(principal(1, {"SYNCHRONIZED", "1", "1"})),  failover_form::manual_only, witness_state::connected, synchrony::synchronized},
        {"a word never heard",       a(principal(1, {"6"})),                       failover_form::manual_only, witness_state::connected, synchrony::unknown},
    };
    // clang-format on
    for (const auto& [when, says, left, witness, replication] : forms)
        BOOST_TEST_CONTEXT(when) {
            const auto is = partners().hears({b(hidden_mirror()), says}).is();
            BOOST_TEST(is.failover == left);
            BOOST_TEST(is.witness == witness);
            BOOST_TEST(is.replication == replication);
        }
    BOOST_TEST(partners().is().failover == failover_form::none);
    BOOST_TEST(partners().is().witness == witness_state::unknown);
}

BOOST_AUTO_TEST_CASE(says_why_there_is_no_writer, *utf::label("C20") * utf::label("C28")) {
    const auto cause = [](const story& heard) { return partners().hears(heard).is().cause; };
    const auto has = [](const std::string& text, std::string_view part) {
        BOOST_TEST_INFO(text);
        BOOST_TEST((text.find(part) != std::string::npos));
    };
    has(cause(after(well, {a(principal(1, isolated()))})), "no quorum (C20, C29)");
    has(cause(after(well, {a(principal(1, witness_lost())), a(down())})), "the witness is lost");
    has(cause(after(by_hand, {a(down())})), "force the mirror (C6, C19)");
    has(cause(after(well, {a(down()), b(down())})), "(C33)");
    has(cause({a(no_database()), b(no_database())}), "no partner lets this login into database");
    has(cause({a(no_database()), b(down())}), "no partner is principal"); // C51: not one alone.
    has(cause({a(principal(2)), b(principal(2))}), "(F14, E3)");
    has(cause(after(well, {a(recovering(1))})), "RECOVERING");
    has(cause(after(well, {a(down()), b(without_access(2))})), "(C41)");
    has(cause({a(principal(1, {"SYNCHRONIZED", {}, "1"})), b(hidden_mirror())}), "SAFETY OFF");
}

BOOST_AUTO_TEST_CASE(
    expects_no_failover_for_ever, *utf::label("C28") * utf::label("C39") * utf::label("C40")
) {
    auto pair = healthy().hears(a(down()));
    BOOST_TEST(pair.is().state == failing_over);
    pair.later(110s).hears(b(hidden_mirror()));
    BOOST_TEST(pair.is().state == failing_over);
    pair.later(15s).hears(b(hidden_mirror()));
    BOOST_TEST(pair.is().state == action_required);
    pair.hears(b(principal(2, mirror_away())));
    BOOST_TEST((pair.is().writer == writes_b));
}

BOOST_AUTO_TEST_CASE(
    has_a_mirror_that_serves_no_reads_and_keeps_sessions_waiting,
    *utf::label("E4") * utf::label("E7")
) {
    const auto pair = healthy();
    BOOST_TEST(pair.is().members[1].plays == role::standby);
    BOOST_TEST(!pair.is().members[1].serves_reads);
    BOOST_TEST(pair.adapter->waits_in().database == "master");
    const auto in_rtc = [](cells row) { return with(std::move(row), "current_database", "rtc"); };
    BOOST_TEST(pair.session(0, in_rtc(principal(1))).may_write);
    BOOST_TEST(pair.session(0, in_rtc(principal(1))).may_read);
    BOOST_TEST(!pair.session(0, principal(1)).may_write); // In master yet.
    BOOST_TEST(!pair.session(0, in_rtc(principal(2))).may_write);
    BOOST_TEST(!pair.session(0, in_rtc(recovering(1))).may_read);
    BOOST_TEST(!pair.session(0, in_rtc(with(principal(1), "updateability", "READ_ONLY"))).may_write
    );
    BOOST_TEST(pair.session(1, hidden_mirror()).may_wait);
    BOOST_TEST(!pair.session(1, hidden_mirror()).may_read);
    BOOST_TEST(pair.session(1, hidden_mirror()).refused.has_value());
    BOOST_TEST(!pair.session(1, no_database()).may_wait);
    BOOST_TEST(!pair.session(1, mirror(1, {"SYNCHRONIZED", "1", "2", foreign_guid})).may_wait);
    BOOST_TEST(!pair.session(5, hidden_mirror()).may_wait);
    auto moved = healthy().hears({a(down()), b(principal(2, mirror_away()))});
    BOOST_TEST(moved.session(1, in_rtc(principal(2, mirror_away()))).may_write);
    BOOST_TEST(!moved.session(0, in_rtc(principal(1))).may_write);
}

BOOST_AUTO_TEST_CASE(
    keeps_fixed_names_and_moving_parts_apart, *utf::label("C21") * utf::label("C24")
) {
    const auto is = partners().hears(taken_over).hears(a(hidden_mirror())).is();
    BOOST_TEST(is.members[0].name == "primary");
    BOOST_TEST(is.members[0].plays == role::standby);
    BOOST_TEST(is.members[1].name == "mirror");
    BOOST_TEST(is.members[1].plays == role::primary);
    BOOST_TEST(is.members[1].engine_state == "principal, disconnected, ONLINE");
    const auto apart = partners().hears({a(not_mirrored()), b(down())}).is();
    BOOST_TEST(apart.members[0].trouble->code == errc::wrong_role);
    BOOST_TEST(apart.members[1].trouble->code == errc::unreachable);
}

BOOST_AUTO_TEST_SUITE_END()

}
