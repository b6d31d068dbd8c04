// SPDX-License-Identifier: Apache-2.0
#include "core/allowed_actions.hpp"

#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>

namespace hadr::test {

namespace utf = boost::unit_test;
using core::mirroring_situation;

namespace {

constexpr auto synchronized = synchrony::synchronized;
constexpr auto catching_up = synchrony::synchronizing;
constexpr auto suspended = synchrony::suspended;
constexpr auto none = witness_state::none;
constexpr auto there = witness_state::connected;
constexpr auto lost = witness_state::lost;
constexpr bool full = true;
constexpr bool off = false;
constexpr bool up = true;
constexpr bool gone = false;
constexpr const char* ok = nullptr; // Allowed; else the rule that the refusal names.

struct actions_row {
    const char* when;
    mirroring_situation at;
    const char* planned;
    const char* forced;
};

// clang-format off
constexpr actions_row actions_rows[] = {
    {"all is well, with a witness",                  {full, synchronized, there, up},   ok,    "C37"},
    {"all is well, without a witness",               {full, synchronized, none,  up},   ok,    "C37"},
    {"the witness is lost, the partners together",   {full, synchronized, lost,  up},   ok,    "C37"},
    {"the mirror catches up",                        {full, catching_up,  there, up},   "C36", "C37"},
    {"the mirror is suspended",                      {full, suspended,    none,  up},   "C36", "C37"},
    {"high performance, primary there",              {off,  synchronized, none,  up},   "C27", "C37"},
    {"high performance, primary lost",               {off,  catching_up,  none,  gone}, "C27", ok},
    {"primary lost: the engine fails over itself",   {full, synchronized, there, gone}, "C36", "C28"},
    {"primary lost, and the engine did nothing",     {full, synchronized, there, gone, true}, "C36", ok},
    {"primary lost with the witness: mirror stops",  {full, synchronized, lost,  gone}, "C36", "C28"},
    {"primary lost, no witness, synchronized",       {full, synchronized, none,  gone}, "C36", ok},
    {"primary lost, no witness, catching up",        {full, catching_up,  none,  gone}, "C36", ok},
    {"primary lost, no witness, suspended",          {full, suspended,    none,  gone}, "C36", ok},
    {"primary lost, witness sees a mirror behind",   {full, catching_up,  there, gone}, "C36", ok},
};
// clang-format on

void check(const mirroring_situation& at, operation_kind wanted, const char* rule) {
    const auto why = core::refusal(at, wanted);
    BOOST_TEST(why.has_value() == (rule != nullptr));
    if (why && rule != nullptr)
        BOOST_TEST(why->find(rule) != std::string::npos, *why);
}

void for_every_situation(const std::function<void(const mirroring_situation&)>& check_one) {
    for (const bool safe : {false, true})
        for (int replication = 0; replication < 5; ++replication)
            for (int witness = 0; witness < 4; ++witness)
                for (const bool connected : {false, true})
                    check_one(
                        {safe,
                         static_cast<synchrony>(replication),
                         static_cast<witness_state>(witness),
                         connected}
                    );
}

}

BOOST_AUTO_TEST_SUITE(operator_actions)

BOOST_AUTO_TEST_CASE(
    are_allowed_by_the_state_of_the_pair,
    *utf::label("C21") * utf::label("C27") * utf::label("C28") * utf::label("C36") *
        utf::label("C37") * utf::label("C7") * utf::label("C32")
) {
    for (const auto& [when, at, planned, forced] : actions_rows)
        BOOST_TEST_CONTEXT(when) {
            check(at, operation_kind::planned_failover, planned);
            check(at, operation_kind::forced_failover, forced);
        }
}

BOOST_AUTO_TEST_CASE(never_let_a_planned_failover_lose_anything, *utf::label("C36")) {
    for_every_situation([](const mirroring_situation& at) {
        const bool safe = at.synchronous && at.primary_connected && at.replication == synchronized;
        BOOST_TEST(core::refusal(at, operation_kind::planned_failover).has_value() == !safe);
    });
}

BOOST_AUTO_TEST_CASE(
    never_force_beside_a_living_primary_or_an_engine_that_acts,
    *utf::label("C37") * utf::label("C28")
) {
    for_every_situation([](const mirroring_situation& at) {
        const bool engine = at.synchronous && at.replication == synchronized && at.witness == there;
        const bool stopped = at.witness == lost || at.witness == witness_state::unknown;
        const bool refused = at.primary_connected || engine || stopped;
        BOOST_TEST(core::refusal(at, operation_kind::forced_failover).has_value() == refused);
    });
}

BOOST_AUTO_TEST_CASE(never_allow_both_forms_at_once, *utf::label("C27")) {
    for_every_situation([](const mirroring_situation& at) {
        BOOST_TEST(
            (core::refusal(at, operation_kind::planned_failover) ||
             core::refusal(at, operation_kind::forced_failover))
        );
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
