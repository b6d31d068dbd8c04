// SPDX-License-Identifier: Apache-2.0
#include "mirroring/quorum.hpp"

#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using mirroring::aged_link;
using mirroring::evaluate;
using mirroring::link;
using mirroring::links;
using mirroring::quorum;

namespace {

constexpr time_point noon{12h};

links over(link partners, link principal_witness, link mirror_witness, bool witness = true) {
    return {witness, {partners, noon}, {principal_witness, noon}, {mirror_witness, noon}};
}

}

BOOST_AUTO_TEST_SUITE(quorum_of_a_mirrored_pair)

BOOST_AUTO_TEST_CASE(
    follows_the_table,
    *utf::label("C20") * utf::label("C29") * utf::label("C30") * utf::label("C31") *
        utf::label("C32") * utf::label("C33")
) {
    using enum link;
    struct row {
        const char* when;
        links seen;
        quorum holds;
        bool isolated;
    };
    // clang-format off
    const row rows[] = {
        {"all see each other",                       over(up, up, up),                   quorum::full,               false},
        {"the mirror's own link is hidden",          over(up, up, unknown),              quorum::full,               false},
        {"C32: the witness is lost",                 over(up, cut, cut),                 quorum::partner_to_partner, false},
        {"C32: to the principal alone",              over(up, cut, up),                  quorum::partner_to_partner, false},
        {"C32: to the mirror alone",                 over(up, up, cut),                  quorum::partner_to_partner, false},
        {"C30: only the partners' link is cut",      over(cut, up, up),                  quorum::principal_witness,  false},
        {"C31: the mirror is lost",                  over(cut, up, cut),                 quorum::principal_witness,  false},
        {"C31: as far as the principal knows",       over(cut, up, unknown),             quorum::principal_witness,  false},
        {"C28: the principal is lost",               over(cut, cut, up),                 quorum::mirror_witness,     true},
        {"C20, C33: nobody sees anybody",            over(cut, cut, cut),                quorum::none,               true},
        {"C20: as far as the principal knows",       over(cut, cut, unknown),            quorum::unknown,            true},
        {"nothing is known of the partners' link",   over(unknown, up, up),              quorum::unknown,            false},
        {"nothing is known of the witness",          over(cut, unknown, unknown),        quorum::unknown,            false},
        {"nothing is known at all",                  over(unknown, unknown, unknown),    quorum::unknown,            false},
        {"the partners meet, of the witness nothing", over(up, unknown, unknown),        quorum::unknown,            false},
        {"C32: no witness is configured",            over(cut, cut, cut, false),         quorum::not_needed,         false},
    };
    // clang-format on
    for (const auto& [when, seen, holds, isolated] : rows)
        BOOST_TEST_CONTEXT(when) {
            BOOST_TEST((evaluate(seen) == holds), to_string(evaluate(seen)));
            BOOST_TEST(principal_isolated(seen) == isolated);
        }
}

BOOST_AUTO_TEST_CASE(goes_by_the_later_of_two_words_about_a_link, *utf::label("C29")) {
    const aged_link up{link::up, noon};
    const aged_link cut{link::cut, noon + 1ms};
    const aged_link silent{link::unknown, noon + 2ms};
    BOOST_TEST((later(up, cut) == cut));
    BOOST_TEST((later(cut, up) == cut));
    BOOST_TEST((later(up, silent) == up));
    BOOST_TEST((later(silent, up) == up));
}

BOOST_AUTO_TEST_SUITE_END()

}
