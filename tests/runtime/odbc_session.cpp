// SPDX-License-Identifier: Apache-2.0
// A session of the ODBC driver over a driver that does what the script says.
#include "runtime/odbc_scene.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;

namespace {

using texts = std::vector<std::string>;

const statement reset{"", {}, statement_kind::reset};

using scene = odbc_scene;

}

BOOST_AUTO_TEST_SUITE(an_odbc_session)

BOOST_AUTO_TEST_CASE(leaves_no_handle_and_no_pool_of_the_managers, *utf::label("P7")) {
    scene in;
    BOOST_TEST(!in.script.pooling);
    BOOST_TEST(in.run({"select 1"}).has_value());
    in.close();
    BOOST_TEST(in.script.handles == 0);
    BOOST_TEST(in.script.disconnects == 1);
}

BOOST_AUTO_TEST_CASE(
    is_over_at_once_when_it_is_severed_under_a_call,
    *utf::label("F50") * utf::label("P4") * utf::label("C7")
) {
    scene in;
    ended how;
    auto into = std::make_unique<answer>();
    in.script.on_execute = [&](const std::string&) {
        in.on->sever();
        in.on->advance();
        BOOST_TEST(how.times == 1); // The driver is still in its call.
        into.reset();
        in.on.reset();
    };
    in.on->start({"update t set a = 1"}, *into, how);
    in.by->work();
    BOOST_TEST_REQUIRE(how.times == 1);
    BOOST_TEST_REQUIRE(!how.how.has_value());
    BOOST_TEST(how.how.error().code == errc::outcome_unknown);
    BOOST_TEST((how.how.error().next == advice::verify));
    BOOST_TEST(in.by->abandoned == 1);
    BOOST_TEST(in.script.handles == 0); // The call was the last to hold them.
}

BOOST_AUTO_TEST_CASE(sends_nothing_that_was_given_up_before, *utf::label("C7") * utf::label("C8")) {
    scene in;
    ended how;
    in.on->start({"insert into t values (1)", {}, statement_kind::commit}, in.brought, how);
    in.on->sever();
    in.on->advance();
    BOOST_TEST_REQUIRE(how.times == 1);
    BOOST_TEST(how.how.error().code == errc::unreachable);
    BOOST_TEST((how.how.error().next == advice::retry)); // So it must stay undone.
    in.by->work();
    BOOST_TEST(in.script.executed.empty());
    BOOST_TEST(how.times == 1);
    BOOST_TEST(!in.on->usable());
}

BOOST_AUTO_TEST_CASE(owns_what_its_call_touches, *utf::label("F50") * utf::label("P8")) {
    for (const auto how_kept : {preparation::none, preparation::kept}) {
        scene in;
        for (const std::string value : {"first", "second, and longer than the first one"}) {
            ended how;
            auto text = std::make_unique<std::string>("insert into t values (?, ?)");
            auto given = std::make_unique<std::string>(value);
            auto with = std::make_unique<std::vector<parameter>>();
            *with = {parameter(*given), std::nullopt};
            statement what{*text, *with};
            what.prepare = how_kept;
            in.on->start(what, in.brought, how);
            std::fill(given->begin(), given->end(), '?'); // As by who gave up and went on.
            given.reset();
            text.reset();
            with.reset();
            in.by->work();
            in.on->advance();
            BOOST_TEST(how.how.has_value());
            BOOST_TEST(in.script.executed.back() == "insert into t values (?, ?)");
            BOOST_TEST_REQUIRE(in.script.values.size() == 2U);
            BOOST_TEST(in.script.values[0].value_or("NULL") == value);
            BOOST_TEST(!in.script.values[1].has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(
    knows_nothing_of_a_commit_that_failed_without_a_word, *utf::label("C6") * utf::label("C7")
) {
    for (const bool dead : {true, false}) {
        scene in;
        in.script.failures["COMMIT"] = {};
        in.script.dead = dead;
        const auto how = in.run({"COMMIT", {}, statement_kind::commit});
        BOOST_TEST_REQUIRE(!how.has_value());
        BOOST_TEST(how.error().code == errc::outcome_unknown);
        BOOST_TEST((how.error().next == advice::verify));
        BOOST_TEST(!in.on->usable());
    }
}

BOOST_AUTO_TEST_CASE(
    knows_of_one_write_that_it_was_refused_and_not_of_several, *utf::label("C7") * utf::label("F37")
) {
    const std::string one = "insert into t values (1)";
    scene in("FreeTDS");
    in.script.failures[one] = {{"25000", 3906}};
    in.script.failures[one + " " + one] = {{"25000", 3906}};
    const auto stale = in.run({one, {}, statement_kind::commit});
    BOOST_TEST_REQUIRE(!stale.has_value());
    BOOST_TEST(stale.error().code == errc::wrong_role);
    BOOST_TEST(in.on->usable());
    const auto both = one + " " + one;
    const auto open = in.run({both, {}, statement_kind::commit});
    BOOST_TEST_REQUIRE(!open.has_value());
    BOOST_TEST(open.error().code == errc::outcome_unknown);
}

BOOST_AUTO_TEST_CASE(
    calls_no_commit_of_a_failed_transaction_committed, *utf::label("C1") * utf::label("F41")
) {
    scene in("PostgreSQL Unicode");
    in.script.failures["select wrong"] = {{"42P01", 1}};
    BOOST_TEST(in.run({"BEGIN"}).has_value());
    BOOST_TEST(!in.run({"select wrong"}).has_value());
    BOOST_TEST((in.on->transaction() == transaction_status::failed));
    BOOST_TEST(in.run({"COMMIT", {}, statement_kind::commit}).has_value()); // So says psqlODBC.
    BOOST_TEST(in.brought.tag() == "ROLLBACK");
    BOOST_TEST(in.run({"BEGIN"}).has_value());
    BOOST_TEST(in.run({"COMMIT", {}, statement_kind::commit}).has_value());
    BOOST_TEST(in.brought.tag() == "COMMIT");
}

BOOST_AUTO_TEST_CASE(
    asks_no_driver_to_cancel_whose_own_way_is_not_safe, *utf::label("F38") * utf::label("C7")
) {
    for (const std::string_view driver : {"FreeTDS", "MariaDB", "SQLite3", "unheard of"}) {
        scene in(driver);
        int refused = 0;
        in.script.on_execute = [&](const std::string&) {
            const auto asked = in.on->request_cancel(in.world->now() + 1s);
            refused += !asked && asked.error().code == errc::rejected_by_server ? 1 : 0;
        };
        BOOST_TEST_CONTEXT(driver) {
            BOOST_TEST(in.run({"select 1"}).has_value());
            BOOST_TEST(refused == 1);
            BOOST_TEST(in.script.cancels == 0);
            BOOST_TEST(in.on->usable());
        }
    }
}

BOOST_AUTO_TEST_CASE(
    takes_no_transaction_for_failed_by_what_was_never_sent, *utf::label("C1") * utf::label("C5")
) {
    scene in("PostgreSQL Unicode");
    const std::string refused = "select $1, $2";
    in.script.failures["select ?, ?"] = {{"07002", 0}};
    const parameter three[] = {"a", "b", "c"};
    for (const auto given : {std::size_t{2}, std::size_t{3}}) {
        BOOST_TEST(in.run({"BEGIN"}).has_value());
        BOOST_TEST(!in.run({refused, std::span(three).first(given)}).has_value());
        BOOST_TEST((in.on->transaction() == transaction_status::open));
        BOOST_TEST(in.run({"COMMIT", {}, statement_kind::commit}).has_value());
        BOOST_TEST(in.brought.tag() == "COMMIT");
    }
}

BOOST_AUTO_TEST_CASE(
    asks_before_a_commit_what_became_of_the_transaction_through_its_handle,
    *utf::label("C1") * utf::label("F41")
) {
    for (const bool failed : {false, true}) {
        scene in("PostgreSQL Unicode");
        BOOST_TEST(in.run({"BEGIN"}).has_value());
        BOOST_TEST(in.on->native() != nullptr);
        if (failed)
            in.script.failures["SAVEPOINT hadr_probe"] = {{"25P02", 1}};
        BOOST_TEST(in.run({"COMMIT", {}, statement_kind::commit}).has_value()); // So says psqlODBC.
        BOOST_TEST(in.brought.tag() == (failed ? "ROLLBACK" : "COMMIT"));
    }
}

BOOST_AUTO_TEST_CASE(knows_of_a_transaction_around_the_one_that_was_committed, *utf::label("C1")) {
    scene in("FreeTDS");
    const std::string question(in.profile.ways.question);
    in.script.rows[question] = {{"2", "1"}};
    BOOST_TEST(in.run({"BEGIN"}).has_value());
    BOOST_TEST(in.run({"EXEC begin_and_leave"}).has_value());
    BOOST_TEST((in.on->transaction() == transaction_status::open));
    in.script.rows[question] = {{"1", "1"}};
    BOOST_TEST(in.run({"COMMIT", {}, statement_kind::commit}).has_value());
    BOOST_TEST((in.on->transaction() == transaction_status::open));
    in.script.rows[question] = {{"0", "0"}};
    BOOST_TEST(in.run({"COMMIT", {}, statement_kind::commit}).has_value());
    BOOST_TEST((in.on->transaction() == transaction_status::idle));
}

BOOST_AUTO_TEST_CASE(cancels_no_commit_that_may_have_left, *utf::label("C6")) {
    scene in("PostgreSQL Unicode");
    in.script.on_execute = [&](const std::string& text) {
        const bool stopped = in.on->request_cancel(in.world->now() + 1s).has_value();
        BOOST_TEST(stopped == (text != "COMMIT"));
    };
    BOOST_TEST(in.run({"select 1"}).has_value());
    BOOST_TEST(in.script.cancels == 1);
    BOOST_TEST(in.run({"COMMIT", {}, statement_kind::commit}).has_value());
    BOOST_TEST(in.script.cancels == 1);
    BOOST_TEST(in.run({"select 1"}).has_value());
    BOOST_TEST(in.script.cancels == 2);
}

BOOST_AUTO_TEST_CASE(sets_no_limit_by_which_a_commit_would_be_stopped, *utf::label("C6")) {
    const auto limit_of = [](scene& in, std::string_view text, statement_kind kind) {
        BOOST_TEST(in.run({text, {}, kind}).has_value());
        return in.script.limit;
    };
    {
        scene in("FreeTDS");
        BOOST_TEST(limit_of(in, "COMMIT", statement_kind::commit) == 0U);
        BOOST_TEST(limit_of(in, "select 1", statement_kind::text) > 0U);
        BOOST_TEST(limit_of(in, "COMMIT", statement_kind::commit) == 0U);
        BOOST_TEST(limit_of(in, "select 1", statement_kind::text) > 0U);
        BOOST_TEST(limit_of(in, "insert into t values (1)", statement_kind::commit) == 0U);
    }
    scene in("PostgreSQL Unicode"); // Whose server would keep it, for a COMMIT as well.
    BOOST_TEST(limit_of(in, "select 1", statement_kind::text) == 60U); // Left as it was.
}

BOOST_AUTO_TEST_CASE(refuses_parameters_that_the_text_never_asks_for, *utf::label("C7")) {
    const parameter two[] = {"a", "b"};
    const struct {
        const char* driver;
        const char* text;
        std::size_t given;
        bool goes;
    } decisions[] = {
        {"FreeTDS", "insert into t values (?)", 1, true},
        {"FreeTDS", "insert into t values ($1)", 1, false}, // A dollar, in T-SQL.
        {"FreeTDS", "insert into t values (?)", 2, false},
        {"SQLite3", "insert into t values ($1)", 1, false},
        {"SQLite3", "insert into t values (?, ?)", 2, true},
        {"PostgreSQL Unicode", "insert into t values ($1, $2)", 2, true},
        {"PostgreSQL Unicode", "insert into t values ($2, $1)", 2, true},
        {"PostgreSQL Unicode", "insert into t values ($1, $1)", 2, false},
        {"PostgreSQL Unicode", "insert into t values (1)", 1, false},
    };
    for (const auto& one : decisions)
        for (const auto prepared : {preparation::none, preparation::kept})
            BOOST_TEST_CONTEXT(one.driver << ": " << one.text) {
                scene in(one.driver);
                const auto how = in.run(
                    {one.text, std::span(two).first(one.given), statement_kind::text, prepared}
                );
                BOOST_TEST(how.has_value() == one.goes);
                BOOST_TEST(in.script.executed.empty() != one.goes);
                if (!how)
                    BOOST_TEST(how.error().code == errc::rejected_by_server);
                BOOST_TEST(in.on->usable());
            }
}

BOOST_AUTO_TEST_CASE(finds_the_error_behind_all_that_was_printed, *utf::label("C7")) {
    const std::string text = "insert into t values (1)";
    scene in("FreeTDS");
    auto& records = in.script.failures[text];
    records.assign(40, {"01000", 0});
    records.push_back({"23000", 2627});
    const auto how = in.run({text, {}, statement_kind::commit});
    BOOST_TEST_REQUIRE(!how.has_value());
    BOOST_TEST(how.error().code == errc::rejected_by_server);
    BOOST_TEST(how.error().native == 2627);
    BOOST_TEST(in.on->usable());
}

BOOST_AUTO_TEST_CASE(is_as_new_after_a_reset_or_lost, *utf::label("P6") * utf::label("F52")) {
    scene made("PostgreSQL Unicode");
    BOOST_TEST(made.run({"create temp table x (i int)"}).has_value());
    BOOST_TEST(made.run(reset).has_value());
    BOOST_TEST(made.script.executed.back() == std::string(made.profile.reset));
    made.script.failures[std::string(made.profile.reset)] = {{"XX000", 1}};
    BOOST_TEST(!made.run(reset).has_value());
    BOOST_TEST(!made.on->usable());
}

BOOST_AUTO_TEST_CASE(
    is_closed_where_nothing_makes_it_as_new, *utf::label("P6") * utf::label("F52")
) {
    scene closed("SQLite3");
    BOOST_TEST_REQUIRE(closed.profile.reset.empty());
    BOOST_TEST(closed.run({"insert into t values (1)"}).has_value());
    BOOST_TEST(closed.run(reset).has_value());
    BOOST_TEST(closed.run({"attach 'x' as y"}).has_value());
    BOOST_TEST(!closed.run(reset).has_value());
    BOOST_TEST(!closed.on->usable());
}

BOOST_AUTO_TEST_SUITE_END()

}
