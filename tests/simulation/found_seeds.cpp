// SPDX-License-Identifier: Apache-2.0
// Seeds that once broke a promise. Each case says what was wrong then; of the first twenty only the
// rules are known.
#include "simulation/scenario.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

void keeps_its_promises(std::uint64_t seed) {
    for (const auto& why : run(draw(seed)).broken)
        BOOST_ERROR("seed " << seed << ": " << why);
}

}

BOOST_AUTO_TEST_SUITE(found_seeds)

BOOST_AUTO_TEST_CASE(replay_to_the_same_trace, *utf::label("S3")) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
        BOOST_TEST(run(draw(seed)).trace == run(draw(seed)).trace);
}

// Each once broke the promise it is labelled with: in the library, or in what was simulated.
BOOST_AUTO_TEST_CASE(
    keep_what_they_broke_once, *utf::label("P2") * utf::label("P8") * utf::label("P9")
) {
    for (const std::uint64_t seed :
         {374U,     549U,     771U,     1052U,      1272U,      1484U,     4315U,
          6030U,    8868U,    156'404U, 194'348U,   27439U,     57302U,    103'394U,
          128'162U, 159'572U, 165'872U, 1'237'907U, 1'526'271U, 1'786'646U})
        keeps_its_promises(seed);
}

// Reconfigured while the witness was lost, the store told nobody that it came back.
BOOST_AUTO_TEST_CASE(tell_that_a_witness_is_back_after_a_reconfigure, *utf::label("S2")) {
    keeps_its_promises(2923);
    keeps_its_promises(3778);
}

// The witness was removed while it was lost, and nobody was told.
BOOST_AUTO_TEST_CASE(tell_that_a_lost_witness_was_removed, *utf::label("S2")) {
    for (const std::uint64_t number : {1'000'502U, 1'002'870U, 1'009'795U, 1'045'519U, 1'057'251U})
        keeps_its_promises(sql_server_seeds + number);
}

// The session with the witness was reset, and a server that had been promoted behind its back was
// believed. In the other two the client could not have heard of that promotion in time.
BOOST_AUTO_TEST_CASE(refuse_what_the_witness_contradicted, *utf::label("E1") * utf::label("E8")) {
    for (const std::uint64_t seed : {1'682'806U, 1'638'062U, 1'718'276U})
        keeps_its_promises(seed);
}

// Its safety was restored while nobody wrote, and it never called itself synchronized again.
BOOST_AUTO_TEST_CASE(call_a_calm_mirrored_pair_synchronized, *utf::label("P9")) {
    for (const std::uint64_t number : {1'011'533U, 1'036'329U})
        keeps_its_promises(sql_server_seeds + number);
}

// Restored while the old principal was down, the simulated pair had two of one role sequence; roles
// changed at the step of a commit, and the mirror never got the tail of the log.
BOOST_AUTO_TEST_CASE(keep_a_mirrored_pair_whole, *utf::label("P9") * utf::label("C36")) {
    for (const std::uint64_t number : {3U, 22U, 30U, 52U, 2424U, 3580U})
        keeps_its_promises(sql_server_seeds + number);
}

// Ruled for by its name while its watcher was still with a stranger, the stranger was accepted, and
// its watcher never left it again.
BOOST_AUTO_TEST_CASE(
    rule_for_what_a_member_shows,
    *utf::label("E9") * utf::label("F10") * utf::label("F17") * utf::label("P9")
) {
    keeps_its_promises(sql_server_seeds + 24457);
}

BOOST_AUTO_TEST_CASE(replay_a_mirrored_pair_to_the_same_trace, *utf::label("S3")) {
    for (std::uint64_t number = 1; number <= 20; ++number) {
        const auto drawn = draw(sql_server_seeds + number);
        BOOST_TEST(run(drawn).trace == run(drawn).trace);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
