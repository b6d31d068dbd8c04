// SPDX-License-Identifier: Apache-2.0
#include "conformance/server.hpp"

#include <libpq-fe.h>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

struct one_session {
    std::unique_ptr<connection_manager> store =
        open_store(the_server().at.port(), "Pool_Min=1;Pool_Max=1");

    lease take() { return need(store->acquire({.until = deadline::in(20s)})); }

    static std::string ask_on(lease& on, std::string_view text) {
        const auto brought = need(on.execute(text));
        return std::string(brought.rows() == 0 ? "none" : brought.at(0, 0).value_or("NULL"));
    }

    /// Does it on one lease, through execute or through the native handle.
    static void dirty(lease on, std::string_view text, bool through_native) {
        if (!through_native) {
            static_cast<void>(on.execute(text)); // It may be meant to fail.
            return;
        }
        PQclear(PQexec(libpq::native(on), std::string(text).c_str()));
    }
};

}

BOOST_FIXTURE_TEST_SUITE(resets, one_session)

BOOST_AUTO_TEST_CASE(
    leave_nothing_of_one_lease_to_the_next, *utf::label("F52") * utf::label("P6")
) {
    struct row {
        const char* what;
        const char* dirtying;
        const char* question;
        const char* clean;
    };
    // clang-format off
    const row rows[] = {
        {"a setting", "set work_mem = '1MB'", "select setting <> '1024' from pg_settings where name = 'work_mem'", "t"},
        {"a setting by function", "select set_config('hadr.tenant', '7', false)", "select coalesce(current_setting('hadr.tenant', true), '')", ""},
        {"a role", "set role reader", "select current_user", "postgres"},
        {"a session's user", "set session authorization reader", "select session_user", "postgres"},
        {"a search path", "set search_path = nowhere", "show search_path", "\"$user\", public"},
        {"an encoding", "set client_encoding = 'LATIN1'", "show client_encoding", "UTF8"},
        {"a temporary table", "create temp table mine ()", "select count(*) from pg_class where relname = 'mine' and relpersistence = 't'", "0"},
        {"a prepared statement", "prepare mine as select 1", "select count(*) from pg_prepared_statements", "0"},
        {"a cursor", "declare mine cursor with hold for select 1", "select count(*) from pg_cursors where name = 'mine'", "0"},
        {"an advisory lock", "select pg_advisory_lock(4711)", "select count(*) from pg_locks where locktype = 'advisory'", "0"},
        {"what it listened to", "listen news", "select count(*) from pg_listening_channels()", "0"},
        {"an open transaction", "begin; create table never ()", "select count(*) from pg_class where relname = 'never'", "0"},
        {"a failed transaction", "begin; select 1/0", "select 1", "1"},
        {"a read-only default", "set default_transaction_read_only = on", "show transaction_read_only", "off"},
    };
    // clang-format on
    auto first = take();
    const auto pid = ask_on(first, "select pg_backend_pid()");
    first.release();
    for (const auto& [what, dirtying, question, clean] : rows)
        for (const bool through_native : {false, true})
            BOOST_TEST_CONTEXT(what << (through_native ? ", by the native handle" : "")) {
                dirty(take(), dirtying, through_native);
                auto next = take();
                BOOST_TEST((next.transaction() == transaction_status::idle));
                BOOST_TEST(ask_on(next, question) == clean);
                BOOST_TEST(ask_on(next, "select pg_backend_pid()") == pid);
            }
}

BOOST_AUTO_TEST_CASE(end_a_session_that_cannot_be_made_clean, *utf::label("P6")) {
    struct row {
        const char* what;
        void (*leave)(PGconn*);
    };
    const row rows[] = {
        {"a copy half done", [](PGconn* on) { PQclear(PQexec(on, "copy pg_am to stdout")); }},
        {"answers unread",
         [](PGconn* on) { PQsendQuery(on, "select generate_series(1, 100000)"); }},
        {"a pipeline", [](PGconn* on) { PQenterPipelineMode(on); }}};
    for (const auto& [what, leave] : rows)
        BOOST_TEST_CONTEXT(what) {
            auto held = take();
            const auto pid = ask_on(held, "select pg_backend_pid()");
            leave(libpq::native(held));
            held.release();
            auto next = take();
            BOOST_TEST(ask_on(next, "select pg_backend_pid()") != pid);
        }
}

BOOST_AUTO_TEST_CASE(drop_what_was_notified_to_the_one_before, *utf::label("F52")) {
    const auto through = real_world();
    const auto on = need(connect(target_of(the_server().at.port(), superuser()), 20s));
    struct ending final : completion {
        bool over = false;
        void completed(expected<void> how) noexcept override { over = how.has_value(); }
    };
    const auto go = [&](const statement& what) {
        ending end;
        answer brought;
        on->start(what, brought, end);
        const auto until = through->now() + 20s;
        for (on->advance(); !end.over && through->now() < until; on->advance())
            through->wait(on->waits_for().descriptor, on->waits_for().wanted, until);
        BOOST_TEST_REQUIRE(end.over);
    };
    go({"listen news"});
    must(the_server().at.port(), "select pg_notify('news', 'for the one before')");
    go({{}, {}, statement_kind::reset});
    BOOST_TEST(!on->take_push().has_value());
}

BOOST_AUTO_TEST_CASE(are_spared_to_a_lease_that_left_nothing, *utf::label("P6")) {
    take().release();
    const auto before = store->counters().resets;
    auto clean = take();
    BOOST_TEST(ask_on(clean, "select 1") == "1");
    clean.release();
    take().release();
    BOOST_TEST(store->counters().resets == before);
}

BOOST_AUTO_TEST_SUITE_END()

}
