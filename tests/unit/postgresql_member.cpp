// SPDX-License-Identifier: Apache-2.0
#include "core/postgresql_member.hpp"

#include "unit/answers.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using core::member_facts;
using core::read_member;

namespace {

constexpr auto null = std::nullopt;
constexpr auto lineage = "7301234567890123456";

// As a real server answers: a primary with one synchronous standby, and that standby.
cells primary_row() {
    return {"f", "off", lineage, "0000000A", "0", "50331648", "t", "1", "1", "1"};
}

cells standby_row() {
    return {"t", "on", lineage, null, "10", "50331640", "f", null, null, null};
}

cells with(cells row, std::size_t column, cell value) {
    row.at(column) = std::move(value);
    return row;
}

}

BOOST_AUTO_TEST_SUITE(answer_of_a_member)

BOOST_AUTO_TEST_CASE(reads_a_primary, *utf::label("E4")) {
    const auto facts = read_member(answer_of({primary_row()}));
    BOOST_TEST_REQUIRE(facts.has_value());
    BOOST_TEST((*facts == member_facts{false, false, lineage, 10, 50331648, true, 1, 1}));
    BOOST_TEST(facts->claims());
    BOOST_TEST(
        (core::reign_of(*facts, proof::own_word) == epoch{lineage, 10, {}, {}, proof::own_word})
    );
}

BOOST_AUTO_TEST_CASE(reads_a_standby, *utf::label("E4")) {
    const auto facts = read_member(answer_of({standby_row()}));
    BOOST_TEST_REQUIRE(facts.has_value());
    BOOST_TEST((*facts == member_facts{true, true, lineage, 10, 50331640, false, {}, {}}));
    BOOST_TEST(!facts->claims());
}

BOOST_AUTO_TEST_CASE(tells_unknown_from_zero, *utf::label("R5") * utf::label("C24")) {
    BOOST_TEST(!read_member(answer_of({with(standby_row(), 4, "0")}))->timeline.has_value());
    BOOST_TEST(!read_member(answer_of({with(standby_row(), 4, null)}))->timeline.has_value());
    auto unseen = with(with(primary_row(), 8, "0"), 9, "0");
    const auto facts = read_member(answer_of({unseen}));
    BOOST_TEST_REQUIRE(facts.has_value());
    BOOST_TEST((facts->standbys == 1U));
    BOOST_TEST(!facts->synchronous.has_value());
    unseen[7] = "0";
    BOOST_TEST((read_member(answer_of({unseen}))->synchronous == 0U));
}

BOOST_AUTO_TEST_CASE(is_promoted_before_it_is_writable, *utf::label("E7") * utf::label("F37")) {
    const auto facts = read_member(answer_of({with(primary_row(), 1, "on")}));
    BOOST_TEST_REQUIRE(facts.has_value());
    BOOST_TEST(facts->claims());
    BOOST_TEST(facts->read_only);
}

BOOST_AUTO_TEST_CASE(
    makes_no_sense_without_role_identity_or_timeline, *utf::label("F51") * utf::label("X7")
) {
    const std::pair<std::size_t, cell> spoilt[] = {
        {0, null},
        {0, ""},
        {0, "true"},
        {0, "T"},
        {1, null},
        {1, "t"},
        {2, null},
        {2, ""},
        {2, "x"},
        {2, "12 "},
        {2, "99999999999999999999999"},
        {3, null},
        {3, ""},
        {3, "0000000G"},
        {3, "11111111111111111"}};
    for (const auto& [column, value] : spoilt)
        BOOST_TEST_CONTEXT("column " << column << " is " << value.value_or("NULL")) {
            const auto facts = read_member(answer_of({with(primary_row(), column, value)}));
            BOOST_TEST_REQUIRE(!facts.has_value());
            BOOST_TEST(facts.error().code == errc::unreachable);
            BOOST_TEST(facts.error().message.find("F51") != std::string::npos);
        }
    BOOST_TEST(!read_member(answer()).has_value());
    BOOST_TEST(!read_member(answer_of({primary_row(), primary_row()})).has_value());
    for (std::size_t columns = 1; columns < 14; ++columns) {
        auto row = primary_row();
        row.resize(columns, "t");
        // The eleventh holds the fork rows (rulings 11).
        BOOST_TEST(read_member(answer_of({row})).has_value() == (columns == 10 || columns == 11));
    }
}

BOOST_AUTO_TEST_CASE(is_read_whatever_its_cells_hold, *utf::label("X7")) {
    const cell any[] = {
        null, "", "t", "f", "on", "-1", "18446744073709551615", "18446744073709551616", "\xff"};
    for (std::size_t a = 0; a < 10; ++a)
        for (std::size_t b = 0; b < 10; ++b)
            for (const auto& x : any)
                for (const auto& y : any) {
                    const auto facts =
                        read_member(answer_of({with(with(primary_row(), a, x), b, y)}));
                    if (facts && facts->claims() && (!facts->timeline || facts->lineage.empty()))
                        BOOST_ERROR("a claim without an epoch");
                }
}

BOOST_AUTO_TEST_SUITE_END()

}
