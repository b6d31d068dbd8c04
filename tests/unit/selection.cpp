// SPDX-License-Identifier: Apache-2.0
#include "core/selection.hpp"

#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace hadr::test {

namespace utf = boost::unit_test;
using core::read_rules;
using core::readers;

namespace {

member a_standby(std::optional<std::uint64_t> lag) {
    member made;
    made.plays = role::standby;
    made.lag_bytes = lag;
    return made;
}

topology with_primary(std::vector<member> others) {
    topology made;
    made.members.emplace_back();
    made.members[0].plays = role::primary;
    made.members[0].writable = true;
    made.writer = 0;
    for (auto& one : others)
        made.members.push_back(std::move(one));
    return made;
}

std::vector<std::size_t> chosen(const topology& view, const read_rules& rules) {
    std::array<std::size_t, 8> into{};
    const auto count = readers(view, rules, into);
    return {into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count)};
}

using list = std::vector<std::size_t>;

struct selection_row {
    const char* when;
    topology view;
    read_rules rules;
    list then;
};

member spoiled(const std::function<void(member&)>& how) {
    auto one = a_standby(10);
    how(one);
    return one;
}

std::vector<selection_row> selections() {
    const auto refused = spoiled([](member& m) { m.refused = true; });
    const auto offline = spoiled([](member& m) { m.offline = true; });
    const auto silent = spoiled([](member& m) {
        m.trouble = make_failure(errc::unreachable, advice::retry, "silent");
    });
    const auto unknown = spoiled([](member& m) { m.plays = role::unknown; });
    auto no_writer = with_primary({a_standby(10)});
    no_writer.writer.reset();
    auto offline_writer = with_primary({});
    offline_writer.members[0].offline = true;
    return {
        {"a standby comes before the primary", with_primary({a_standby(10)}), {}, {1, 0}},
        {"the nearest comes first",
         with_primary({a_standby(9), a_standby(1), a_standby(5)}),
         {},
         {2, 3, 1, 0}},
        {"unknown lag is not zero", with_primary({a_standby({}), a_standby(1000)}), {}, {2, 1, 0}},
        {"at the bound is within it", with_primary({a_standby(100)}), {100, true}, {1, 0}},
        {"beyond the bound leaves the set", with_primary({a_standby(101)}), {100, true}, {0}},
        {"unknown lag does not meet a bound", with_primary({a_standby({})}), {100, true}, {0}},
        {"a bound of nothing takes the exact only",
         with_primary({a_standby(0), a_standby(1)}),
         {0, true},
         {1, 0}},
        {"no fall-back to the primary when forbidden",
         with_primary({a_standby(101)}),
         {100, false},
         {}},
        {"a refused one serves nobody", with_primary({refused}), {}, {0}},
        {"an offline one serves nobody", with_primary({offline}), {}, {0}},
        {"a silent one serves nobody", with_primary({silent}), {}, {0}},
        {"one of unknown role serves nobody", with_primary({unknown}), {}, {0}},
        {"standbys serve while there is no primary", no_writer, {}, {1}},
        {"an offline primary is no fall-back", offline_writer, {}, {}},
        {"an empty store has nobody", {}, {}, {}},
    };
}

}

BOOST_AUTO_TEST_SUITE(selection_of_readers)

BOOST_AUTO_TEST_CASE(
    follows_the_table,
    *utf::label("R5") * utf::label("F29") * utf::label("E7") * utf::label("D1") * utf::label("B11")
) {
    for (const auto& [when, view, rules, then] : selections())
        BOOST_TEST_CONTEXT(when)
    BOOST_TEST(chosen(view, rules) == then, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(never_takes_one_that_may_not_serve, *utf::label("R5") * utf::label("E7")) {
    for (unsigned bits = 0; bits < 256; ++bits)
        for (const bool bound : {false, true}) {
            auto one =
                a_standby((bits & 1U) != 0 ? std::optional<std::uint64_t>(50) : std::nullopt);
            one.refused = (bits & 2U) != 0;
            one.offline = (bits & 4U) != 0;
            if ((bits & 8U) != 0)
                one.trouble = failure{};
            one.plays = static_cast<role>((bits >> 4U) & 3U);
            auto view = with_primary({one});
            if ((bits & 64U) != 0)
                view.writer.reset();
            const auto made = chosen(
                view, {bound ? std::optional<std::uint64_t>(40) : std::nullopt, (bits & 128U) != 0}
            );
            const bool fit = one.plays == role::standby && !one.refused && !one.offline &&
                             !one.trouble && !bound;
            BOOST_TEST((std::count(made.begin(), made.end(), 1U) == (fit ? 1 : 0)));
            const bool fallen_back = view.writer && (bits & 128U) != 0;
            BOOST_TEST((std::count(made.begin(), made.end(), 0U) == (fallen_back ? 1 : 0)));
        }
}

BOOST_AUTO_TEST_CASE(keeps_the_best_when_there_is_little_room, *utf::label("R5")) {
    const auto view = with_primary({a_standby(9), a_standby({}), a_standby(1), a_standby(5)});
    for (std::size_t room = 0; room <= 6; ++room) {
        std::array<std::size_t, 6> into{};
        const auto count = readers(view, {}, std::span(into).first(room));
        const list best{3, 4, 1, 2, 0};
        BOOST_TEST(count == std::min<std::size_t>(room, best.size()));
        BOOST_TEST(std::equal(
            into.begin(), into.begin() + static_cast<std::ptrdiff_t>(count), best.begin()
        ));
    }
}

BOOST_AUTO_TEST_CASE(takes_no_writer_that_is_not_there, *utf::label("X7")) {
    auto view = with_primary({a_standby(1)});
    view.writer = 7;
    BOOST_TEST(chosen(view, {}) == list{1}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}
