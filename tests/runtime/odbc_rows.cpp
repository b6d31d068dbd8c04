// SPDX-License-Identifier: Apache-2.0
// How a session of the ODBC driver reads rows, over a driver that does what the script says.
#include "runtime/odbc_scene.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;

namespace {

using row = std::vector<std::optional<std::string>>;

const std::string text = "select a, b, c from t";

statement kept(std::string_view of) {
    return {.text = of, .prepare = preparation::kept};
}

constexpr auto room = odbc::bound_columns::room;

const std::vector<row> short_rows = {
    {"1", std::nullopt, ""}, {std::nullopt, "Größe", std::string(room - 1, 'x')}};

/// Asks for what is scripted, and holds that it comes as it is.
void bring(odbc_scene& in, const std::string& asked, const std::vector<row>& wanted) {
    in.script.rows[asked] = wanted;
    BOOST_TEST_REQUIRE(in.run(kept(asked)).has_value());
    BOOST_TEST_REQUIRE(in.brought.rows() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i)
        for (std::size_t k = 0; k < wanted[i].size(); ++k) {
            const auto brought = in.brought.at(i, k);
            BOOST_TEST(brought.has_value() == wanted[i][k].has_value());
            BOOST_TEST(brought.value_or("NULL") == wanted[i][k].value_or("NULL"));
        }
}

}

BOOST_AUTO_TEST_SUITE(rows_of_an_odbc_session)

BOOST_AUTO_TEST_CASE(come_with_the_fetch_where_columns_may_be_bound) {
    for (const std::string_view driver : {"PostgreSQL Unicode", "SQLite3"}) {
        odbc_scene in(driver);
        for (int turn = 0; turn < 3; ++turn)
            bring(in, text, short_rows);
        BOOST_TEST(in.script.bound == 3);
        BOOST_TEST(in.script.read == 0);
    }
}

BOOST_AUTO_TEST_CASE(are_read_value_by_value_where_nothing_is_known_of_binding) {
    for (const std::string_view driver : {"FreeTDS", "MariaDB Unicode", "Unheard of"}) {
        odbc_scene in(driver);
        for (int turn = 0; turn < 3; ++turn)
            bring(in, text, short_rows);
        BOOST_TEST(in.script.bound == 0);
        BOOST_TEST(in.script.read == 3 * 6);
    }
}

BOOST_AUTO_TEST_CASE(are_whole_where_a_value_is_longer_than_its_bound_room, *utf::label("F51")) {
    for (const auto size : {room, room + 1, std::size_t{50'000}})
        for (std::size_t where = 0; where < 3; ++where) {
            odbc_scene in("SQLite3");
            bring(in, text, short_rows);
            auto rows = short_rows;
            rows.push_back({"a", "b", "c"});
            rows[1][where] = std::string(size, 'l');
            for (int turn = 0; turn < 2; ++turn) {
                bring(in, text, rows);
                BOOST_TEST(in.brought.notices().empty());
            }
            BOOST_TEST(in.script.bound == 0); // Where values are long, binding only costs.
            bring(in, text, short_rows);
        }
}

BOOST_AUTO_TEST_CASE(bring_warnings_but_not_that_a_bound_value_was_cut) {
    odbc_scene in("SQLite3");
    bring(in, text, short_rows);
    in.script.warnings = {{"01000", 7}};
    bring(in, text, {{std::string(2 * room, 'l'), "b", "c"}});
    BOOST_TEST_REQUIRE(in.brought.notices().size() == 1U);
    BOOST_TEST(in.brought.notices()[0].sqlstate == "01000");
}

BOOST_AUTO_TEST_CASE(of_a_renewed_handle_are_bound_again, *utf::label("C6")) {
    odbc_scene in("PostgreSQL Unicode");
    bring(in, text, short_rows);
    in.script.on_execute = [&](const std::string&) {
        BOOST_TEST(in.on->request_cancel(in.world->now() + 1s).has_value());
    };
    bring(in, text, short_rows); // Too late to stop it, and the handle is not to be trusted.
    in.script.on_execute = nullptr;
    for (int turn = 0; turn < 2; ++turn)
        bring(in, text, short_rows);
    BOOST_TEST(in.script.bound == 3);
    BOOST_TEST(in.script.read == 0);
}

BOOST_AUTO_TEST_CASE(are_bound_only_where_their_number_cannot_change) {
    odbc_scene in("PostgreSQL Unicode");
    for (const std::string star : {"select * from t", "update t set a = 1 returning *"}) {
        bring(in, star, {{"1", "2"}});
        bring(in, star, {{"1", "2", "3"}}); // By ALTER TABLE.
        bring(in, star, {{"1"}});
        BOOST_TEST(in.script.bound == 0);
    }
    const row many(odbc::bound_columns::columns_max + 1, "v");
    for (int turn = 0; turn < 2; ++turn)
        bring(in, "select a, and_many_more from t", {many, many});
    BOOST_TEST(in.script.bound == 0);
}

BOOST_AUTO_TEST_CASE(of_texts_that_are_not_kept_never_meet_the_room_of_others) {
    odbc_scene in("PostgreSQL Unicode");
    in.script.rows["select a from t"] = {{"1"}};
    in.script.rows["select a, b from t"] = {{"2", std::string(3 * room, 'l')}};
    for (int turn = 0; turn < 2; ++turn) {
        BOOST_TEST_REQUIRE(in.run({"select a from t"}).has_value());
        BOOST_TEST(in.brought.at(0, 0).value_or("") == "1");
        BOOST_TEST_REQUIRE(in.run({"select a, b from t"}).has_value());
        BOOST_TEST(in.brought.at(0, 1)->size() == 3 * room);
    }
    BOOST_TEST(in.script.bound == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}
