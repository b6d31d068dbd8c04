// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"
#include "conformance/server.hpp"

#include <array>
#include <thread>

#include <fcntl.h>
#include <libpq-fe.h>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

struct fixture {
    std::unique_ptr<session> on = fresh();

    static std::unique_ptr<session> fresh(purpose why = purpose::lend) {
        return need(connect(target_of(the_server().at.port(), superuser(), why), 20s));
    }

    ended go(std::string_view text, std::span<const parameter> with = {}) {
        return run(*real_world(), *on, {text, with});
    }

    answer must_go(std::string_view text, std::span<const parameter> with = {}) {
        auto one = go(text, with);
        if (!one.how)
            BOOST_FAIL(text << ": " << to_string(one.how.error()));
        return std::move(one.brought);
    }

    ended keep(std::string_view text, std::span<const parameter> with = {}) {
        return run(*real_world(), *on, {text, with, statement_kind::text, preparation::kept});
    }

    answer must_keep(std::string_view text, std::span<const parameter> with = {}) {
        auto one = keep(text, with);
        if (!one.how)
            BOOST_FAIL(text << ": " << to_string(one.how.error()));
        return std::move(one.brought);
    }
};

std::string value(const answer& of, std::size_t row = 0, std::size_t column = 0) {
    return std::string(of.at(row, column).value_or("NULL"));
}

}

BOOST_FIXTURE_TEST_SUITE(statements, fixture)

BOOST_AUTO_TEST_CASE(bring_parameters_to_the_server_and_back_as_they_are) {
    const std::string long_text(200'000, 'x');
    const std::array<parameter, 6> sent = {
        "plain", "", std::nullopt, "Größe 中文 🦀", "'; drop table t; --\\", long_text};
    const auto brought =
        must_go("select $1::text, $2::text, $3::text, $4::text, $5::text, $6::text", sent);
    BOOST_TEST_REQUIRE(brought.rows() == 1U);
    for (std::size_t i = 0; i < sent.size(); ++i)
        BOOST_TEST((brought.at(0, i) == sent[i]));
}

BOOST_AUTO_TEST_CASE(that_are_kept_run_by_their_name_through_a_reset, *utf::label("P6")) {
    const std::array<parameter, 1> forty_one = {"41"};
    const auto prepared = [&](std::string_view how = "true") {
        return value(must_go(
            "select count(*) from pg_prepared_statements where prepare_time is not null and " +
            std::string(how)
        ));
    };
    const auto reset = [&] {
        BOOST_TEST(run(*real_world(), *on, {{}, {}, statement_kind::reset}).how.has_value());
    };
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(value(must_keep("select $1::int + 1", forty_one)) == "42");
    BOOST_TEST(prepared() == "1");
    BOOST_TEST(value(must_keep("select 'other'")) == "other");
    BOOST_TEST(value(must_keep("select $1::int + 1", forty_one)) == "42");
    BOOST_TEST(prepared() == "2");
    reset();
    BOOST_TEST(prepared() == "2");
    BOOST_TEST(value(must_keep("select $1::int + 1", forty_one)) == "42");
    BOOST_TEST(prepared("generic_plans + custom_plans > 3") == "1", "it is the same one");
    must_go("prepare foreign_one as select 1");
    reset();
    BOOST_TEST(prepared() == "0", "whoever prepared, all of it goes");
    BOOST_TEST(value(must_keep("select $1::int + 1", forty_one)) == "42");
    PQclear(PQprepare(static_cast<PGconn*>(on->native()), "foreign_two", "select 1", 0, nullptr));
    reset();
    BOOST_TEST(prepared() == "0");
    for (int i = 0; i < 257; ++i)
        must_keep("select " + std::to_string(i));
    reset();
    BOOST_TEST(prepared() == "0", "a full session begins anew");
    BOOST_TEST(value(must_keep("select 300")) == "300");
    BOOST_TEST(prepared() == "1");
}

BOOST_AUTO_TEST_CASE(that_are_kept_are_prepared_again_once_they_fit_no_more) {
    must_go("create temp table changing (i int); insert into changing values (1)");
    BOOST_TEST(must_keep("select * from changing").columns() == 1U);
    must_go("alter table changing add j int");
    BOOST_TEST(keep("select * from changing").how.error().sqlstate == "0A000");
    BOOST_TEST(must_keep("select * from changing").columns() == 2U);
    must_go("deallocate all");
    BOOST_TEST(keep("select * from changing").how.error().sqlstate == "26000");
    BOOST_TEST(must_keep("select * from changing").columns() == 2U);
    BOOST_TEST(keep("select no_such_column").how.error().sqlstate == "42703");
    BOOST_TEST(keep("select 1; select 2").how.error().sqlstate == "42601");
    BOOST_TEST(value(must_keep("select 1")) == "1");
}

BOOST_AUTO_TEST_CASE(that_are_kept_are_bounded_and_survive_the_native_handle) {
    for (int i = 0; i < 300; ++i)
        BOOST_TEST(value(must_keep("select " + std::to_string(i))) == std::to_string(i));
    BOOST_TEST(value(must_go("select count(*) from pg_prepared_statements")) == "256");
    PQclear(PQexec(static_cast<PGconn*>(on->native()), "deallocate all"));
    BOOST_TEST(value(must_keep("select 299")) == "299");
}

BOOST_AUTO_TEST_CASE(tell_null_from_empty_and_name_their_columns) {
    const auto brought = must_go("select null as nothing, '' as empty, 0 as \"Zero!\"");
    BOOST_TEST(brought.columns() == 3U);
    BOOST_TEST(brought.column_name(0) == "nothing");
    BOOST_TEST(brought.column_name(2) == "Zero!");
    BOOST_TEST(!brought.at(0, 0).has_value());
    BOOST_TEST((brought.at(0, 1) == std::string_view("")));
}

BOOST_AUTO_TEST_CASE(bring_large_values_and_many_rows_whole) {
    const auto large = must_go("select repeat('a', 3000000), repeat('b', 3000000)");
    BOOST_TEST(large.at(0, 1)->size() == 3'000'000U);
    BOOST_TEST(large.at(0, 1)->find_first_not_of('b') == std::string_view::npos);
    const auto many = must_go("select i from generate_series(1, 100000) i");
    BOOST_TEST(many.rows() == 100'000U);
    BOOST_TEST(value(many, 99'999) == "100000");
    BOOST_TEST(many.tag() == "SELECT 100000");
}

BOOST_AUTO_TEST_CASE(tell_the_rows_they_changed_and_not_those_they_read) {
    struct row {
        const char* text;
        const char* tag;
        std::uint64_t affected;
    };
    must_go("create temp table counted (i int)");
    const row rows[] = {
        {"insert into counted select generate_series(1, 7)", "INSERT 0 7", 7},
        {"update counted set i = 0 where i > 4", "UPDATE 3", 3},
        {"delete from counted where i = 0", "DELETE 3", 3},
        {"select * from counted", "SELECT 4", 0},
        {"insert into counted values (9) returning i", "INSERT 0 1", 1},
        {"create temp table empty_one ()", "CREATE TABLE", 0},
        {"", "", 0}};
    for (const auto& [text, tag, affected] : rows)
        BOOST_TEST_CONTEXT(text) {
            const auto brought = must_go(text);
            BOOST_TEST(brought.tag() == tag);
            BOOST_TEST(brought.affected() == affected);
        }
}

BOOST_AUTO_TEST_CASE(of_one_text_bring_the_last_ones_answer) {
    const auto same = must_go("select 'first' as a; select 'second' as b; select 'third' as c");
    BOOST_TEST_REQUIRE(same.rows() == 1U);
    BOOST_TEST(value(same) == "third");
    BOOST_TEST(same.column_name(0) == "c");
    const auto wider = must_go("select 1; select 2, 3");
    BOOST_TEST(wider.columns() == 2U);
    const auto none = must_go("select 1, 2; create temp table after_it ()");
    BOOST_TEST(none.rows() == 0U);
    BOOST_TEST(none.tag() == "CREATE TABLE");
}

BOOST_AUTO_TEST_CASE(fail_as_a_whole_where_one_of_a_text_fails) {
    must_go("create temp table kept (i int)");
    const auto failed = go("insert into kept values (1); select 1/0; insert into kept values (2)");
    BOOST_TEST_REQUIRE(!failed.how.has_value());
    BOOST_TEST(failed.how.error().code == errc::rejected_by_server);
    BOOST_TEST((failed.how.error().next == advice::give_up));
    BOOST_TEST(failed.how.error().sqlstate == "22012");
    BOOST_TEST(failed.how.error().server_text == "division by zero");
    BOOST_TEST(on->usable());
    BOOST_TEST(value(must_go("select count(*) from kept")) == "0");
}

BOOST_AUTO_TEST_CASE(carry_notices_with_their_sqlstate) {
    const auto brought = must_go(
        "do $$ begin raise notice 'one'; raise warning 'two' using errcode = '01000'; end $$"
    );
    const std::vector<notice> wanted{{"00000", "one"}, {"01000", "two"}};
    BOOST_TEST((brought.notices() == wanted));
    BOOST_TEST(must_go("select 1").notices().empty());
}

BOOST_AUTO_TEST_CASE(tell_an_open_and_a_failed_transaction) {
    must_go("BEGIN");
    BOOST_TEST((on->transaction() == transaction_status::open));
    BOOST_TEST(!go("select 1/0").how.has_value());
    BOOST_TEST((on->transaction() == transaction_status::failed));
    const auto refused = go("select 1");
    BOOST_TEST(refused.how.error().sqlstate == "25P02");
    const auto commit = run(*real_world(), *on, {"COMMIT", {}, statement_kind::commit});
    BOOST_TEST(commit.how.has_value());
    BOOST_TEST(commit.brought.tag() == "ROLLBACK");
    BOOST_TEST((on->transaction() == transaction_status::idle));
}

BOOST_AUTO_TEST_CASE(are_not_sent_where_their_text_would_not_arrive_whole) {
    using namespace std::string_view_literals;
    const std::array<parameter, 1> zero = {"a\0b"sv};
    const std::vector<parameter> too_many(65'536, "x");
    must_go("create temp table untouched (i int)");
    const std::pair<std::string_view, std::span<const parameter>> rows[] = {
        {"insert into untouched values (1)\0 -- more"sv, {}},
        {"insert into untouched select 1 where $1::text = 'a'"sv, zero},
        {"insert into untouched values (1)"sv, too_many}};
    for (const auto& [text, with] : rows) {
        const auto refused = go(text, with);
        BOOST_TEST_REQUIRE(!refused.how.has_value());
        BOOST_TEST(refused.how.error().code == errc::rejected_by_server);
        BOOST_TEST((refused.how.error().next == advice::give_up));
    }
    BOOST_TEST(value(must_go("select count(*) from untouched")) == "0");
}

BOOST_AUTO_TEST_CASE(
    keep_the_session_where_a_limit_or_a_lock_ended_them, *utf::label("F38") * utf::label("C7")
) {
    const auto other = fresh();
    const auto lock = run(*real_world(), *other, {"select pg_advisory_lock(77)"});
    BOOST_TEST(lock.how.has_value());
    const std::pair<const char*, const char*> rows[] = {
        {"set statement_timeout = 50; select pg_sleep(20)", "57014"},
        {"set lock_timeout = 50; select pg_advisory_lock(77)", "55P03"}};
    for (const auto& [text, sqlstate] : rows)
        BOOST_TEST_CONTEXT(text) {
            on = fresh();
            const auto ended_early = go(text);
            BOOST_TEST_REQUIRE(!ended_early.how.has_value());
            BOOST_TEST(ended_early.how.error().sqlstate == sqlstate);
            BOOST_TEST(ended_early.how.error().code == errc::rejected_by_server);
            BOOST_TEST((ended_early.how.error().next == advice::retry));
            BOOST_TEST(on->usable());
            BOOST_TEST((on->transaction() == transaction_status::idle));
        }
}

BOOST_AUTO_TEST_CASE(hear_what_others_notify) {
    must_go("listen news");
    must(the_server().at.port(), "select pg_notify('news', 'first'), pg_notify('news', '')");
    std::vector<std::string> heard;
    const auto until = real_world()->now() + 20s;
    while (heard.size() < 2 && real_world()->now() < until) {
        real_world()->wait(on->waits_for().descriptor, on->waits_for().wanted, until);
        on->advance();
        while (const auto one = on->take_push())
            heard.push_back(one->channel + "=" + one->payload);
    }
    BOOST_TEST((heard == std::vector<std::string>{"news=first", "news="}));
}

BOOST_AUTO_TEST_CASE(of_the_librarys_own_sessions_bring_no_more_than_they_may, *utf::label("X7")) {
    for (const auto* text :
         {"select repeat('x', 10000) from generate_series(1, 1000)",
          "select 1 from generate_series(1, 100000)"}) {
        on = fresh(purpose::watch);
        const auto refused = go(text);
        BOOST_TEST_REQUIRE(!refused.how.has_value());
        BOOST_TEST(refused.how.error().code == errc::unreachable);
        BOOST_TEST(!on->usable());
    }
    on = fresh(purpose::watch);
    BOOST_TEST(must_go("select 1 from generate_series(1, 9000)").rows() == 9000U);
}

BOOST_AUTO_TEST_CASE(carry_the_last_words_of_a_server_that_ended_the_session, *utf::label("F34")) {
    const auto pid = value(must_go("select pg_backend_pid()"));
    std::jthread other([&] {
        wait_until("the statement to run", 20s, [&] {
            return ask(the_server().at.port(),
                       "select state from pg_stat_activity where pid = " + pid) == "active";
        });
        must(the_server().at.port(), "select pg_terminate_backend(" + pid + ")");
    });
    const auto lost = go("select pg_sleep(20)");
    BOOST_TEST_REQUIRE(!lost.how.has_value());
    BOOST_TEST(lost.how.error().code == errc::outcome_unknown);
    BOOST_TEST((lost.how.error().next == advice::verify));
    BOOST_TEST(lost.how.error().sqlstate == "57P01");
    BOOST_TEST(!on->usable());
}

BOOST_AUTO_TEST_CASE(wait_on_a_descriptor_that_libpq_cannot_close, *utf::label("F4")) {
    const auto pid = value(must_go("select pg_backend_pid()"));
    auto* const native = static_cast<PGconn*>(on->native());
    must(the_server().at.port(), "select pg_terminate_backend(" + pid + ")");
    wait_until("the session to be lost", 20s, [&] {
        PQclear(PQexec(native, "select 1"));
        return PQsocket(native) < 0;
    });
    const auto left = on->waits_for();
    BOOST_TEST(fcntl(left.descriptor, F_GETFD) >= 0);
    BOOST_TEST((real_world()->wait(left.descriptor, left.wanted, time_point()) != readiness::none));
    BOOST_TEST(!on->usable());
}

BOOST_AUTO_TEST_CASE(that_copy_are_refused_at_once) {
    must_go("create table if not exists copied (i int)");
    struct row {
        const char* text;
        errc code;
    };
    const row rows[] = {
        {"copy copied from stdin", errc::rejected_by_server},
        {"copy copied to stdout", errc::outcome_unknown}};
    for (const auto& [text, code] : rows)
        BOOST_TEST_CONTEXT(text) {
            on = fresh();
            const auto refused = go(text);
            BOOST_TEST_REQUIRE(!refused.how.has_value());
            BOOST_TEST(refused.how.error().code == code);
            BOOST_TEST(refused.how.error().message.find("native handle") != std::string::npos);
            BOOST_TEST(!on->usable());
        }
}

BOOST_AUTO_TEST_SUITE_END()

}
