// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_order.hpp"
#include "unit/partners.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace hadr::test::sql_server {

namespace utf = boost::unit_test;

namespace {

using said = std::variant<cells, failure>;

const std::vector<said>& every_word() {
    static const std::vector<said> all = [] {
        std::vector<said> made = {
            down(),
            silent(),
            wrong_password(),
            hidden_mirror(),
            not_mirrored(),
            no_database(),
            without_access(2),
            cells{"garbage"}};
        for (const int sequence : {1, 2})
            for (const char* state : {"SYNCHRONIZED", "SYNCHRONIZING", "SUSPENDED", "DISCONNECTED"})
                for (const cell& witness : {cell("1"), cell("2"), cell()})
                    for (const char* safety : {"1", "2"})
                        made.emplace_back(principal(sequence, {state, witness, safety}));
        made.emplace_back(mirror(1));
        made.emplace_back(mirror(2, isolated()));
        made.emplace_back(recovering(2));
        made.emplace_back(with(principal(2), "updateability", "READ_ONLY"));
        made.emplace_back(principal(3, {"SYNCHRONIZED", "1", "2", foreign_guid}));
        return made;
    }();
    return all;
}

news of(std::size_t member, const said& what) {
    if (const auto* row = std::get_if<cells>(&what))
        return sql_server::of(member, *row);
    return {{subject::kind::member, member}, std::get<failure>(what)};
}

const std::vector<partners>& every_past() {
    static const std::vector<partners> all = {
        partners(),
        partners().happens(remembered{{guid, 1, {}, {}, proof::engine_named}, {}}),
        partners().happens(remembered{{guid, 3, {}, {}, proof::engine_named}, {}}),
        healthy(),
        healthy().hears({a(down()), b(principal(2, mirror_away()))}),
        healthy("Cold_Start=alone").hears(a(down()))};
    return all;
}

template <class Check>
void for_every_step(Check check) {
    for (const auto& past : every_past())
        for (const auto& by_a : every_word())
            for (const auto& by_b : every_word()) {
                auto pair = past;
                pair.hears({of(0, by_a), of(1, by_b)});
                check(past.is(), pair, by_a, by_b);
            }
}

// Says what is wrong with the topology itself, or nothing.
const char* inconsistency(const topology& is) {
    const bool serves = is.state == availability::serving || is.state == availability::exposed;
    if (serves != is.writer.has_value())
        return "state and writer contradict each other";
    if (!is.writer)
        return is.cause.empty() ? "no writer, and no cause" : nullptr;
    const auto& writer = is.members.at(*is.writer);
    if (writer.refused || writer.offline || !writer.writable || writer.plays != role::primary)
        return "the writer may not write";
    if (!is.accepted || !writer.reign ||
        core::compare(*writer.reign, *is.accepted) != epoch_order::same)
        return "the writer is not of the epoch accepted (E1)";
    for (std::size_t i = 0; i < is.members.size(); ++i)
        if (i != *is.writer && is.members[i].plays == role::primary && !is.members[i].refused)
            return "a second principal is not refused (F13, F14)";
    return nullptr;
}

const char* step_back(const topology& was, const topology& is) {
    if (was.accepted && !is.accepted)
        return "the epoch accepted was forgotten (E2)";
    if (!was.accepted)
        return nullptr;
    const auto order = core::compare(*is.accepted, *was.accepted);
    return order == epoch_order::same || order == epoch_order::newer
               ? nullptr
               : "the epoch accepted went back (E2)";
}

bool isolated_by_own_word(const said& what) {
    const auto* row = std::get_if<cells>(&what);
    return row != nullptr && row->size() > 12 && row->at(9) == "1" &&
           row->at(10) == "DISCONNECTED" && row->at(12) == "2";
}

void expect(const char* wrong, const topology& is) {
    if (wrong != nullptr)
        BOOST_ERROR(wrong << '\n' << is);
}

}

BOOST_AUTO_TEST_SUITE(sql_server_never)

BOOST_AUTO_TEST_CASE(
    has_two_writers_or_one_below_the_accepted_epoch,
    *utf::label("E1") * utf::label("E2") * utf::label("E3") * utf::label("E9") * utf::label("F13") *
        utf::label("F14") * utf::label("F15")
) {
    for_every_step([](const topology& was, const partners& pair, const said&, const said&) {
        expect(inconsistency(pair.is()), pair.is());
        expect(step_back(was, pair.is()), pair.is());
    });
}

BOOST_AUTO_TEST_CASE(
    has_a_writer_that_sees_nobody, *utf::label("C20") * utf::label("C29") * utf::label("C33")
) {
    for_every_step([](const topology&, const partners& pair, const said& by_a, const said& by_b) {
        const auto& is = pair.is();
        if (is.writer && isolated_by_own_word(*is.writer == 0 ? by_a : by_b))
            BOOST_ERROR("a principal without quorum writes\n" << is);
    });
}

BOOST_AUTO_TEST_CASE(
    lets_a_session_write_that_shows_anything_but_the_accepted_epoch,
    *utf::label("E1") * utf::label("E4") * utf::label("E7") * utf::label("F37")
) {
    const auto in_rtc = [](cells row) {
        return row.size() == 16 && row[2] ? with(std::move(row), "current_database", "rtc") : row;
    };
    for_every_step([&](const topology&, const partners& pair, const said& by_a, const said&) {
        const auto* row = std::get_if<cells>(&by_a);
        for (std::size_t i = 0; row != nullptr && i < 2; ++i) {
            const auto made = pair.session(i, in_rtc(*row));
            const auto& is = pair.is();
            const bool reigns = is.writer == i && row->size() == 16 && row->at(9) == "1" &&
                                row->at(8) == is.accepted->lineage &&
                                row->at(14) == std::to_string(*is.accepted->term);
            if ((made.may_write || made.may_read) && !reigns)
                BOOST_ERROR("a session of another reign may be used\n" << is);
            if (made.may_write && row->at(4) != "READ_WRITE")
                BOOST_ERROR("a session writes to what is read-only\n" << is);
            if (pair.session(i, *row).may_write)
                BOOST_ERROR("a session writes that is not in the database\n" << is);
            if (made.refused.has_value() == (made.may_write || made.may_read))
                BOOST_ERROR("neither fit nor refused\n" << is);
        }
    });
}

BOOST_AUTO_TEST_CASE(
    expects_a_failover_of_a_mirror_that_cannot,
    *utf::label("C27") * utf::label("C28") * utf::label("C31")
) {
    for (const char* state : {"SYNCHRONIZED", "SYNCHRONIZING", "SUSPENDED", "DISCONNECTED"})
        for (const cell& witness : {cell("1"), cell("2"), cell("0"), cell()})
            for (const char* safety : {"0", "1", "2"}) {
                const sees session{state, witness, safety};
                auto pair = partners().hears({b(hidden_mirror()), a(principal(1, session))});
                if (!pair.is().writer)
                    continue;
                const bool armed = state == std::string_view("SYNCHRONIZED") && witness == "1" &&
                                   safety == std::string_view("2");
                BOOST_TEST((pair.is().failover == failover_form::automatic) == armed);
                pair.hears(a(down()));
                BOOST_TEST((pair.is().state == availability::failing_over) == armed);
                if (safety == std::string_view("0"))
                    continue; // Not known: neither is promised.
                // What the engine does by itself nobody is to force, and what it does not he may.
                const auto force = pair.wants(operation_kind::forced_failover, true);
                BOOST_TEST(force.has_value() == (!armed && (witness == "1" || !witness)));
            }
}

BOOST_AUTO_TEST_CASE(
    contacts_anybody_but_its_members, *utf::label("C9") * utf::label("T3") * utf::label("X3")
) {
    for_every_step([](const topology&, const partners& pair, const said&, const said&) {
        const auto made = pair.next();
        if (made.ask.empty() || made.wake <= pair.now)
            BOOST_ERROR("asks nobody, or is to be woken at once");
        for (const auto& one : made.ask)
            if (one.to.what != subject::kind::member || one.to.index > 1 || one.due < pair.now ||
                one.limit <= duration::zero())
                BOOST_ERROR("asks whom it should not, or for no time");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
