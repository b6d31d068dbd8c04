// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_order.hpp"

#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using core::compare;

namespace {

constexpr auto same = epoch_order::same;
constexpr auto older = epoch_order::older;
constexpr auto newer = epoch_order::newer;
constexpr auto unordered = epoch_order::unordered;
constexpr auto foreign = epoch_order::foreign;

struct order_row {
    const char* when;
    epoch a;
    epoch b;
    epoch_order then;
};

// clang-format off
const order_row order_rows[] = {
    {"equal in all",                                   {"x", 2, "f", 7},  {"x", 2, "f", 7},  same},
    {"a later timeline",                               {"x", 3, {}, {}},  {"x", 2, {}, {}},  newer},
    {"an earlier timeline",                            {"x", 1, {}, {}},  {"x", 2, {}, {}},  older},
    {"another system identifier, later timeline",      {"y", 3, {}, {}},  {"x", 2, {}, {}},  foreign},
    {"two standbys promoted by mistake",               {"x", 2, "f", {}}, {"x", 2, "g", {}}, unordered},
    {"two forks, and the engine's counter higher",     {"x", 2, "f", 9},  {"x", 2, "g", 7},  unordered},
    {"one timeline, the engine's counter higher",      {"x", 2, {}, 8},   {"x", 2, {}, 7},   newer},
    {"one timeline, the counter known on one side",    {"x", 2, {}, 8},   {"x", 2, {}, {}},  same},
    {"one timeline, the fork known on one side",       {"x", 2, "f", {}}, {"x", 2, {}, {}},  same},
    {"later timeline but lower counter: a stolen lock", {"x", 3, {}, 6},  {"x", 2, {}, 7},   unordered},
    {"earlier timeline but higher counter",            {"x", 1, {}, 8},   {"x", 2, {}, 7},   unordered},
    {"later timeline, counter unmoved",                {"x", 3, {}, 7},   {"x", 2, {}, 7},   newer},
    {"a later timeline has a fork of its own",         {"x", 3, "g", {}}, {"x", 2, "f", {}}, newer},
    {"no timeline on one side",                        {"x", {}, {}, {}}, {"x", 2, {}, {}},  unordered},
    {"no timeline on the other side",                  {"x", 2, {}, {}},  {"x", {}, {}, {}}, unordered},
    {"no lineage",                                     {"", 3, {}, {}},   {"x", 2, {}, {}},  unordered},
    {"nothing known at all",                           {},                {},                unordered},
};
// clang-format on

std::vector<epoch> every_epoch() {
    std::vector<epoch> all;
    for (const auto* lineage : {"", "x", "y"})
        for (const auto term : {std::optional<std::uint64_t>(), {0}, {1}, {2}})
            for (const auto& fork : {std::optional<std::string>(), {"f"}, {"g"}})
                for (const auto revision : {std::optional<std::uint64_t>(), {0}, {1}})
                    all.push_back({lineage, term, fork, revision});
    return all;
}

epoch_order mirrored(epoch_order of) {
    return of == older ? newer : of == newer ? older : of;
}

}

BOOST_AUTO_TEST_SUITE(order_of_epochs)

BOOST_AUTO_TEST_CASE(
    follows_the_table,
    *utf::label("E1") * utf::label("E2") * utf::label("E3") * utf::label("E9") * utf::label("F13") *
        utf::label("F14")
) {
    for (const auto& [when, a, b, then] : order_rows)
        BOOST_TEST_CONTEXT(when) BOOST_TEST(compare(a, b) == then);
}

BOOST_AUTO_TEST_CASE(looks_at_no_proof, *utf::label("E3")) {
    for (const auto strength : {proof::none, proof::own_word, proof::fork_row})
        BOOST_TEST(
            compare({"x", 2, {}, {}, strength}, {"x", 2, {}, {}, proof::engine_named}) == same
        );
}

BOOST_AUTO_TEST_CASE(is_the_mirror_image_from_the_other_side, *utf::label("E1")) {
    const auto all = every_epoch();
    for (const auto& a : all)
        for (const auto& b : all)
            if (compare(a, b) != mirrored(compare(b, a)))
                BOOST_ERROR(a << " against " << b);
    BOOST_TEST(all.size() == 108U);
}

BOOST_AUTO_TEST_CASE(rests_on_parts_that_both_have, *utf::label("E3") * utf::label("E2")) {
    const auto all = every_epoch();
    for (const auto& a : all)
        for (const auto& b : all) {
            const bool by_term = a.term && b.term && *a.term > *b.term;
            const bool by_revision =
                a.term && a.term == b.term && a.revision && b.revision && *a.revision > *b.revision;
            const bool kin = !a.lineage.empty() && a.lineage == b.lineage;
            if (compare(a, b) == newer && !(kin && (by_term || by_revision)))
                BOOST_ERROR(a << " is no newer than " << b);
        }
}

BOOST_AUTO_TEST_CASE(never_goes_back_over_two_steps, *utf::label("E2")) {
    const auto all = every_epoch();
    for (const auto& a : all)
        for (const auto& b : all) {
            if (compare(b, a) != newer)
                continue;
            for (const auto& c : all)
                if (compare(c, b) == newer && compare(c, a) != newer && compare(c, a) != unordered)
                    BOOST_ERROR(a << " then " << b << " then " << c);
        }
}

BOOST_AUTO_TEST_CASE(never_lets_another_lineage_or_fork_in, *utf::label("E9") * utf::label("E3")) {
    const auto all = every_epoch();
    for (const auto& a : all)
        for (const auto& b : all) {
            const auto order = compare(a, b);
            const bool passes = order == same || order == newer;
            const bool forked = a.term == b.term && a.fork && b.fork && a.fork != b.fork;
            if (passes && (a.lineage != b.lineage || a.lineage.empty() || forked))
                BOOST_ERROR(a << " passes for " << b);
        }
}

BOOST_AUTO_TEST_SUITE_END()

}
