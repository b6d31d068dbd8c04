// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_order.hpp"
#include "unit/mirrored_pair.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

// What a witness may say, and which member it then names; none: no_member, or no_member that is
// listed.
struct witness_says {
    std::optional<news> what; ///< Empty: it has not been heard.
    std::optional<std::size_t> names;
    bool connected = true;
};

std::vector<witness_says> every_witness() {
    const std::optional<std::size_t> no_member;
    return {
        {std::nullopt, no_member, false},
        {w(down()), no_member, false},
        {w(a_is_primary()), 0},
        {w(b_is_primary()), 1},
        {w(b_is_alone()), 1},
        {w(nobody_is_named()), no_member},
        {w(nodes({{"db1", "primary", "primary"}, {"db2", "primary", "primary"}})), no_member},
        {w(nodes({{"db9", "primary", "primary"}, {"db2", "secondary", "secondary"}})), no_member},
        {w(nodes({{"db1", "primary", "primary", foreign}})), 0},
        {w(nodes({{"db1", "primary", "primary", ours, "other"}})), no_member, false}};
}

using said = std::optional<std::variant<cells, failure>>;

const std::vector<said>& every_word() {
    static const std::vector<said> all{
        std::nullopt,
        down(),
        silent(),
        starting(),
        standby(1),
        standby(2),
        primary(1),
        primary(2),
        promoted_not_yet_writable(2),
        primary(2, foreign),
        standby(2, foreign),
        cells{"garbage"}};
    return all;
}

news of(std::size_t index, const std::variant<cells, failure>& what) {
    const subject who{subject::kind::member, index};
    if (const auto* row = std::get_if<cells>(&what))
        return {who, answer_of({*row})};
    return {who, std::get<failure>(what)};
}

std::vector<mirrored_pair> every_past(const std::string& keys) {
    std::vector<mirrored_pair> all;
    all.emplace_back(keys);
    for (const std::uint64_t timeline : {1U, 2U, 3U})
        all.push_back(mirrored_pair(keys).remembers(timeline));
    all.push_back(healthy(keys));
    all.push_back(healthy(keys).hears({a(down()), w(b_is_alone()), b(primary(2))}));
    return all;
}

// Says what is wrong with the topology itself, or nothing.
const char* inconsistency(const topology& is) {
    const bool serves = is.state == availability::serving || is.state == availability::exposed;
    if (serves != is.writer.has_value())
        return "state and writer contradict each other";
    if (!is.writer)
        return nullptr;
    if (*is.writer >= is.members.size())
        return "the writer is no member";
    const auto& writer = is.members[*is.writer];
    if (writer.refused || writer.offline || !writer.writable || writer.plays != role::primary)
        return "the writer may not write";
    if (!is.accepted || !writer.reign ||
        core::compare(*writer.reign, *is.accepted) != epoch_order::same)
        return "the writer is not of the epoch accepted (E1)";
    for (std::size_t i = 0; i < is.members.size(); ++i)
        if (i != *is.writer && is.members[i].plays == role::primary && !is.members[i].refused)
            return "a second primary is not refused (F13, F14)";
    return nullptr;
}

const char* step_back(const topology& was, const topology& is) {
    if (was.accepted && !is.accepted)
        return "the epoch accepted was forgotten (E2)";
    if (!was.accepted)
        return nullptr;
    const auto order = core::compare(*is.accepted, *was.accepted);
    if (order != epoch_order::same && order != epoch_order::newer)
        return "the epoch accepted went back (E2)";
    return nullptr;
}

void expect(const char* wrong, const topology& is) {
    if (wrong != nullptr)
        BOOST_ERROR(wrong << '\n' << is);
}

// Every past x every word of a x every word of b x every word of the witness.
template <class Check>
void for_every_step(const std::string& keys, Check check) {
    for (const auto& past : every_past(keys))
        for (const auto& by_witness : every_witness())
            for (const auto& of_a : every_word())
                for (const auto& of_b : every_word()) {
                    std::vector<news> heard;
                    if (by_witness.what)
                        heard.push_back(*by_witness.what);
                    if (of_a)
                        heard.push_back(of(0, *of_a));
                    if (of_b)
                        heard.push_back(of(1, *of_b));
                    auto pair = past;
                    for (const auto& one : heard) {
                        const auto was = pair.is();
                        pair.hears(one);
                        check(was, one, pair.is());
                    }
                }
}

}

BOOST_AUTO_TEST_SUITE(mirroring_never)

BOOST_AUTO_TEST_CASE(
    has_two_writers_or_one_below_the_accepted_epoch,
    *utf::label("E1") * utf::label("E2") * utf::label("E3") * utf::label("F13") *
        utf::label("F14") * utf::label("F15") * utf::label("C34")
) {
    std::size_t steps = 0;
    for (const auto* keys : {with_witness, without_witness, "Cold_Start=alone"})
        for_every_step(keys, [&](const topology& was, const news&, const topology& is) {
            expect(inconsistency(is), is);
            expect(step_back(was, is), is);
            ++steps;
        });
    BOOST_TEST(steps > 10'000U);
}

BOOST_AUTO_TEST_CASE(
    has_a_writer_that_a_connected_witness_does_not_name, *utf::label("E8") * utf::label("F19")
) {
    std::size_t named = 0;
    for (const auto& past : every_past(with_witness))
        for (const auto& by_witness : every_witness())
            for (const auto& of_a : every_word())
                for (const auto& of_b : every_word()) {
                    if (!by_witness.what || !by_witness.connected)
                        continue;
                    auto pair = past;
                    if (of_a)
                        pair.hears(of(0, *of_a));
                    pair.hears(*by_witness.what);
                    if (of_b)
                        pair.hears(of(1, *of_b));
                    if (pair.is().writer && pair.is().writer != by_witness.names)
                        BOOST_ERROR(pair.is());
                    named += pair.is().writer ? 1U : 0U;
                }
    BOOST_TEST(named > 100U);
}

BOOST_AUTO_TEST_CASE(
    raises_the_epoch_beyond_what_a_members_own_session_showed, *utf::label("E8") * utf::label("E4")
) {
    for_every_step(with_witness, [](const topology& was, const news& one, const topology& is) {
        if (was.accepted == is.accepted || !is.accepted)
            return;
        // It changed: then a member showed it, now or before, and is believed.
        const bool shown = is.writer && is.members[*is.writer].reign == is.accepted;
        const bool by_witness_alone =
            one.of.what == subject::kind::witness &&
            std::none_of(was.members.begin(), was.members.end(), [&](const member& m) {
                return m.reign && m.reign->term == is.accepted->term;
            });
        if (!shown || by_witness_alone)
            BOOST_ERROR(is);
    });
}

BOOST_AUTO_TEST_CASE(
    loses_a_proven_primary_with_the_witness_nor_gains_one, *utf::label("E10") * utf::label("C32")
) {
    for_every_step(with_witness, [](const topology& was, const news& one, const topology& is) {
        const bool witness_lost =
            one.of.what == subject::kind::witness && std::holds_alternative<failure>(one.what);
        if (witness_lost && was.writer && is.writer != was.writer)
            BOOST_ERROR(is);
        if (witness_lost && !was.accepted && is.writer)
            BOOST_ERROR(is);
    });
}

BOOST_AUTO_TEST_CASE(
    lets_a_session_write_that_shows_anything_but_the_accepted_epoch,
    *utf::label("E1") * utf::label("E4") * utf::label("E7")
) {
    std::size_t writable = 0;
    for (const auto* keys : {with_witness, without_witness})
        for (const auto& past : every_past(keys))
            for (const auto& proof : every_word())
                for (const std::size_t member : {0U, 1U, 2U, 99U}) {
                    const auto* row = proof ? std::get_if<cells>(&*proof) : nullptr;
                    if (row == nullptr)
                        continue;
                    const auto made = past.session(member, *row);
                    BOOST_TEST(made.refused.has_value() == (!made.may_write && !made.may_read));
                    const auto& is = past.is();
                    const bool reigns =
                        is.writer == member && made.reign && is.accepted &&
                        core::compare(*made.reign, *is.accepted) == epoch_order::same &&
                        row->size() == 10 && row->at(0) == "f";
                    BOOST_TEST(made.may_write == (reigns && row->at(1) == "off"));
                    if (made.may_read && is.accepted && row->at(2) != ours)
                        BOOST_ERROR("a session of a foreign server may read (E9)");
                    if (made.may_read && !is.accepted &&
                        row->at(2) != is.members[member].reign->lineage)
                        BOOST_ERROR("a session may read on another server than its member (E9)");
                    // One that was made read-only for a reader says so.
                    if (made.may_read && !reigns && row->at(0) != "t")
                        BOOST_ERROR("reads go to a primary that is not the writer");
                    writable += made.may_write ? 1U : 0U;
                }
    BOOST_TEST(writable == 4U);
}

BOOST_AUTO_TEST_CASE(stumbles_over_an_event_without_sense, *utf::label("X7") * utf::label("F51")) {
    std::vector<answer> answers{answer()};
    for (const std::size_t columns : {1U, 8U, 10U, 12U})
        for (const cell& value : {cell(), cell(""), cell("t"), cell("-1"), cell("\xff")})
            for (const std::size_t rows : {1U, 65U})
                answers.push_back(answer_of(std::vector<cells>(rows, cells(columns, value))));
    std::vector<event_seen> events;
    const std::size_t far = static_cast<std::size_t>(-1);
    for (const std::size_t index : {std::size_t(0), std::size_t(1), std::size_t(2), far})
        for (const auto kind : {subject::kind::member, subject::kind::witness}) {
            for (const auto& one : answers) {
                events.emplace_back(answered{{kind, index}, {}, 1'000, {}, one});
                events.emplace_back(reported{index, {}, 1'000, one});
            }
            events.emplace_back(answered{{kind, index}, time_point::max(), far, {}, failure{}});
            events.emplace_back(answered{{kind, index}, time_point::min(), 0, {}, silent()});
            events.emplace_back(pushed{{kind, index}, {}, "state", std::string(8000, '{')});
            events.emplace_back(reported{index, {}, far, failure{}});
            events.emplace_back(reported{
                index, {}, far, make_failure(errc::wrong_role, advice::retry, "")});
            events.emplace_back(suspected{index, {}});
        }
    events.emplace_back(remembered{});
    events.emplace_back(remembered{{foreign, {}, {}, {}}, {{"", 0, ""}}});
    for (const auto* keys : {with_witness, without_witness})
        for (const auto& past : every_past(keys))
            for (const auto& one : events) {
                auto pair = past;
                pair.happens(one);
                expect(inconsistency(pair.is()), pair.is());
                expect(step_back(past.is(), pair.is()), pair.is());
                const auto plan = pair.next();
                if (pair.is().members.size() != 2 || plan.ask.size() < 2 || plan.wake <= pair.now)
                    BOOST_ERROR("the belief is no pair any more");
            }
}

BOOST_AUTO_TEST_SUITE_END()

}
