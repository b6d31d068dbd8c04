// SPDX-License-Identifier: Apache-2.0
#include "unit/mirrored_pair.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr const char* alone = "Fork_Table=ha.fork;";
constexpr const char* witnessed = "Witness=pg_auto_failover:mon:5000;Fork_Table=ha.fork;";

// The same server, and the rows of its fork table; none: the table may not be read.
cells with_forks(cells row, cell forks) {
    row.push_back(
        forks ? cell("<row xmlns:xsi=\"x\">\n  <forks>" + *forks + "</forks>\n</row>\n") : cell()
    );
    return row;
}

cells empty_table(cells row) {
    row.emplace_back("<row xmlns:xsi=\"x\">\n</row>\n");
    return row;
}

mirrored_pair proven(const char* keys = alone) {
    mirrored_pair pair(keys);
    if (keys == witnessed)
        pair.hears(w(a_is_primary()));
    pair.hears({a(with_forks(primary(1), "1=aa")), b(with_forks(standby(1), "1=aa"))});
    return pair;
}

}

BOOST_AUTO_TEST_SUITE(mirroring_forks, *utf::label("E3") * utf::label("F14"))

BOOST_AUTO_TEST_CASE(are_asked_for_only_where_a_table_is_named) {
    const auto text = [](const mirrored_pair& pair) { return pair.next().ask.front().text; };
    BOOST_TEST(text(mirrored_pair(without_witness)).find("query_to_xml") == std::string::npos);
    BOOST_TEST(text(mirrored_pair(alone)).find("FROM ha.fork") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(are_part_of_the_accepted_epoch) {
    const auto pair = proven(witnessed);
    BOOST_TEST((pair.is().writer == 0U));
    BOOST_TEST((pair.is().accepted->fork == "aa"));
    BOOST_TEST(pair.is().accepted->strength == proof::fork_row);
}

BOOST_AUTO_TEST_CASE(tell_two_servers_of_one_timeline_apart) {
    auto pair = proven();
    // Both were promoted by mistake: one label, two rows.
    pair.hears(b(with_forks(primary(1), "1=bb")));
    BOOST_TEST((pair.is().writer == 0U));
    BOOST_TEST(pair.is().members[1].refused);
    pair.hears(a(down()));
    BOOST_TEST((pair.is().writer == std::nullopt));
}

BOOST_AUTO_TEST_CASE(where_they_are_unwritten_leave_two_claimants_without_a_writer) {
    mirrored_pair pair(alone);
    pair.hears({a(empty_table(primary(1))), b(empty_table(primary(1)))});
    BOOST_TEST((pair.is().writer == std::nullopt));
}

BOOST_AUTO_TEST_CASE(
    prove_the_descent_of_a_promoted_member, *utf::label("E9") * utf::label("F13")
) {
    const struct {
        const char* when;
        cell forks;
        bool writes;
    } decisions[] = {
        {"it carries the accepted row", "2=cc,1=aa", true},
        {"it carries another row of the accepted timeline", "2=cc,1=bb", false},
        {"its own row is unwritten yet", "1=aa", true},
        {"its rows cannot be read: weaker, and it serves", std::nullopt, true},
    };
    for (const auto& [when, forks, writes] : decisions)
        BOOST_TEST_CONTEXT(when) {
            auto pair = proven();
            pair.hears({a(down()), b(with_forks(primary(2), forks))});
            BOOST_TEST((pair.is().writer == 1U) == writes);
            BOOST_TEST(pair.is().members[1].refused == !writes);
        }
}

BOOST_AUTO_TEST_CASE(show_that_history_was_cut, *utf::label("F16")) {
    auto pair = proven();
    pair.hears({a(down()), b(empty_table(primary(2)))});
    BOOST_TEST((pair.is().writer == 1U));
    BOOST_TEST(pair.is().cause.find("was cut") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(once_known_outlive_an_answer_without_them) {
    auto pair = proven();
    pair.hears(a(with_forks(primary(1), std::nullopt)));
    BOOST_TEST((pair.is().writer == 0U));
    BOOST_TEST((pair.is().accepted->fork == "aa"));
}

BOOST_AUTO_TEST_CASE(that_make_no_sense_are_trouble_of_their_member, *utf::label("F51")) {
    for (const char* forks : {"x=aa", "1", "1=", "1=NOT-HEX", "=aa", "1=aa,,"})
        BOOST_TEST_CONTEXT(forks) {
            mirrored_pair pair(alone);
            pair.hears({a(with_forks(primary(1), forks)), b(with_forks(standby(1), "1=aa"))});
            BOOST_TEST((pair.is().writer == std::nullopt));
            BOOST_TEST(pair.is().members[0].trouble.has_value());
        }
}

BOOST_AUTO_TEST_CASE(are_marked_once_by_the_first_write_session) {
    const auto mark = [](const mirrored_pair& pair) {
        return pair.adapter->mark(pair.known, 0xAB);
    };
    mirrored_pair pair(alone);
    BOOST_TEST(!mark(pair).has_value());
    pair.hears({a(empty_table(primary(1))), b(empty_table(standby(1)))});
    BOOST_TEST_REQUIRE(mark(pair).has_value());
    BOOST_TEST(
        mark(pair)->text ==
        "INSERT INTO ha.fork (timeline, fork) VALUES (1, '00000000000000ab') ON "
        "CONFLICT (timeline) DO NOTHING"
    );
    BOOST_TEST(mark(pair)->if_refused.find("CREATE TABLE ha.fork") != std::string::npos);
    BOOST_TEST(!mark(proven()).has_value());
    BOOST_TEST(!mark(healthy(without_witness)).has_value());
}

BOOST_AUTO_TEST_CASE(have_a_table_whose_definition_is_printed) {
    const auto store =
        parse("Mode=mirroring;Server=db1;Failover_Partner=db2;Database=d;UID=u;Fork_Table=ha.fork");
    BOOST_TEST(
        fork_table_definition(store.value()).starts_with("CREATE TABLE ha.fork (timeline bigint")
    );
}

BOOST_AUTO_TEST_SUITE_END()

}
