// SPDX-License-Identifier: Apache-2.0
#include "conformance/server.hpp"

#include <hadr/odbc.hpp>

#include <fmt/format.h>

#include <functional>
#include <future>
#include <thread>

#include <libpq-fe.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

struct opened {
    int port = the_server().at.port();
    std::unique_ptr<connection_manager> store = open_store(port, "Pool_Max=4");

    lease take() { return need(store->acquire({.until = deadline::in(20s)})); }

    static std::string pid_of(lease& one) {
        return std::string(*need(one.execute("select pg_backend_pid()")).at(0, 0));
    }

    void wait_for_state(const std::string& pid, std::string_view what) const {
        wait_until(fmt::format("backend {} in {}", pid, what), 20s, [&] {
            return ask(port,
                       fmt::format(
                           "select count(*) from pg_stat_activity where pid = {} and {}", pid, what
                       )) == "1";
        });
    }
};

/// Commits wait for a standby that is not there.
struct lonely_primary {
    explicit lonely_primary(int port) : port_(port) { set("'nobody'"); }
    ~lonely_primary() { set("''"); }

private:
    void set(std::string_view names) const {
        must(port_, fmt::format("alter system set synchronous_standby_names = {}", names));
        must(port_, "select pg_reload_conf()");
        wait_until("the setting", 20s, [&] {
            return ask(port_, "show synchronous_standby_names") ==
                   names.substr(1, names.size() - 2);
        });
    }

    const int port_;
};

/// Runs in the child of a fork, which then ends without any clean-up.
pid_t fork_off(const std::function<bool()>& what) {
    const pid_t child = fork();
    if (child == 0)
        _exit(what() ? 0 : 1);
    return child;
}

bool ended_well(pid_t child) {
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

constexpr const char* waits_for_standby = "wait_event = 'SyncRep'";
constexpr const char* sleeps = "wait_event = 'PgSleep'";

}

BOOST_FIXTURE_TEST_SUITE(leases, opened)

BOOST_AUTO_TEST_CASE(
    report_a_commit_answered_rollback_as_not_committed, *utf::label("C1") * utf::label("F41")
) {
    auto held = take();
    BOOST_TEST(held.execute("begin").has_value());
    BOOST_TEST(!held.execute("select 1/0").has_value());
    const auto said = held.commit();
    BOOST_TEST((said.ended == outcome::not_committed));
    BOOST_TEST_REQUIRE(said.cause.has_value());
    BOOST_TEST(said.cause->code == errc::rejected_by_server);
    BOOST_TEST((held.transaction() == transaction_status::idle));
}

BOOST_AUTO_TEST_CASE(
    report_a_commit_that_is_not_replicated_as_local, *utf::label("F40") * utf::label("C4")
) {
    must(port, "create table if not exists written (i int)");
    for (const bool taken_natively : {false, true})
        BOOST_TEST_CONTEXT(taken_natively) {
            auto held = take();
            const auto pid = pid_of(held);
            if (taken_natively) // The application listens to notices itself.
                PQsetNoticeReceiver(
                    libpq::native(held), [](void*, const PGresult*) {}, nullptr
                );
            BOOST_TEST(held.execute("begin").has_value());
            BOOST_TEST(held.execute("insert into written values (1)").has_value());
            const lonely_primary alone(port);
            std::jthread operator_of_the_server([&] {
                wait_for_state(pid, waits_for_standby);
                must(port, fmt::format("select pg_cancel_backend({})", pid));
            });
            const auto said = held.commit(deadline::in(30s));
            BOOST_TEST((said.ended == outcome::committed_local));
            BOOST_TEST_REQUIRE(said.cause.has_value());
            BOOST_TEST(said.cause->sqlstate == "01000");
        }
}

BOOST_AUTO_TEST_CASE(
    call_no_write_committed_whose_server_dies_while_the_commit_waits,
    *utf::label("C1") * utf::label("C4") * utf::label("C8")
) {
    must(port, "create table if not exists written (i int)");
    const std::array<parameter, 1> three = {"3"};
    const std::pair<const char*, statement> all[] = {
        {"simple", {"insert into written values (3)"}},
        {"with a parameter", {"insert into written values ($1) returning i", three}},
        {"kept prepared",
         {"insert into written values (3) returning i",
          {},
          statement_kind::text,
          preparation::kept}}};
    for (const auto& [how, write] : all)
        BOOST_TEST_CONTEXT(how) {
            auto held = take();
            const auto pid = pid_of(held);
            const lonely_primary alone(port);
            std::jthread operator_of_the_server([&] {
                wait_for_state(pid, waits_for_standby);
                must(port, fmt::format("select pg_terminate_backend({})", pid));
            });
            answer into;
            const auto said = held.execute(write, into, deadline::in(30s));
            BOOST_TEST_REQUIRE(!said.has_value());
            BOOST_TEST(said.error().code == errc::outcome_unknown);
        }
}

BOOST_AUTO_TEST_CASE(
    cancel_nothing_once_a_commit_may_have_left, *utf::label("C6") * utf::label("F39")
) {
    must(port, "create table if not exists written (i int)");
    auto held = take();
    const auto pid = pid_of(held);
    BOOST_TEST(held.execute("begin").has_value());
    BOOST_TEST(held.execute("insert into written values (2)").has_value());
    {
        const lonely_primary alone(port);
        auto commit = std::async(std::launch::async, [&] { return held.commit(deadline::in(2s)); });
        wait_for_state(pid, waits_for_standby);
        const auto refused = held.request_cancel(deadline::in(10s));
        BOOST_TEST_REQUIRE(!refused.has_value());
        BOOST_TEST(refused.error().code == errc::rejected_by_server);
        BOOST_TEST((commit.get().ended == outcome::in_doubt));
    }
    wait_until("the commit in doubt to end", 20s, [&] {
        return ask(port, "select count(*) from written where i = 2") == "1";
    });
}

BOOST_AUTO_TEST_CASE(to_read_from_the_primary_cannot_write_there, *utf::label("E7")) {
    need(take().execute("create table if not exists not_for_readers (n int)"));
    {
        auto held = need(store->acquire({.intent = intent::read, .until = deadline::in(20s)}));
        for (const auto* const text :
             {"insert into not_for_readers values (1)", "create table for_nobody ()"}) {
            const auto how = held.execute(text);
            BOOST_TEST_REQUIRE(!how.has_value());
            BOOST_TEST(how.error().sqlstate == "25006");
        }
        need(held.execute("set search_path = public")); // A reset on its way back.
    }
    need(take().execute("insert into not_for_readers values (2)"));
    auto again = need(store->acquire({.intent = intent::read, .until = deadline::in(20s)}));
    BOOST_TEST((need(again.execute("select n from not_for_readers")).at(0, 0) == "2"));
    BOOST_TEST(!again.execute("delete from not_for_readers").has_value());
    again.release();
    need(take().execute("drop table not_for_readers"));
    BOOST_TEST(store->view()->writer.has_value());
}

BOOST_AUTO_TEST_CASE(stop_a_statement_on_request_and_live_on, *utf::label("F38")) {
    auto held = take();
    const auto pid = pid_of(held);
    auto query =
        std::async(std::launch::async, [&] { return held.execute("select pg_sleep(30)"); });
    wait_for_state(pid, sleeps);
    BOOST_TEST(held.request_cancel(deadline::in(20s)).has_value());
    const auto stopped = query.get();
    BOOST_TEST_REQUIRE(!stopped.has_value());
    BOOST_TEST(stopped.error().sqlstate == "57014");
    BOOST_TEST(held.current());
    BOOST_TEST(pid_of(held) == pid);
}

BOOST_AUTO_TEST_CASE(
    are_back_by_their_deadline_from_a_frozen_server,
    *utf::label("F2") * utf::label("F3") * utf::label("F50") * utf::label("P4") * utf::label("C6")
) {
    const temporary_folder folder("hadr-frozen");
    postgres_server server(folder, "server");
    server.start();
    const auto own = open_store(server.port(), "Pool_Max=2");
    auto held = need(own->acquire({.until = deadline::in(20s)}));
    auto other = need(own->acquire({.until = deadline::in(20s)}));
    BOOST_TEST(other.execute("begin").has_value());
    server.freeze();
    {
        const punctuality call(300ms);
        const auto late = other.request_cancel(deadline::at(call.until()));
        BOOST_TEST(call.kept());
        BOOST_TEST_REQUIRE(!late.has_value());
        BOOST_TEST(late.error().code == errc::deadline_exceeded);
        // The request may yet hit what comes next, so that a COMMIT must not.
        const auto unsent = other.commit(deadline::in(300ms));
        BOOST_TEST((unsent.ended == outcome::not_committed));
        BOOST_TEST(unsent.cause->code == errc::unreachable);
    }
    {
        const punctuality call(300ms);
        const auto late = held.execute("select 1", {}, deadline::at(call.until()));
        BOOST_TEST(call.kept());
        BOOST_TEST_REQUIRE(!late.has_value());
        BOOST_TEST(late.error().code == errc::outcome_unknown);
        BOOST_TEST((late.error().next == advice::verify));
    }
    {
        const punctuality call(300ms);
        BOOST_TEST(!own->acquire({.until = deadline::at(call.until())}).has_value());
        BOOST_TEST(call.kept());
    }
    held.release();
    other.release();
    {
        const punctuality call(1s);
        own->close(deadline::at(call.until()));
        BOOST_TEST(call.kept());
    }
    server.thaw();
}

BOOST_AUTO_TEST_CASE(end_their_statement_when_another_thread_cuts_them, *utf::label("C7")) {
    auto held = take();
    const auto pid = pid_of(held);
    auto query =
        std::async(std::launch::async, [&] { return held.execute("select pg_sleep(30)"); });
    wait_for_state(pid, sleeps);
    held.sever();
    const auto cut = query.get();
    BOOST_TEST_REQUIRE(!cut.has_value());
    BOOST_TEST(cut.error().code == errc::outcome_unknown);
    BOOST_TEST(!held.current());
    held.release();
    BOOST_TEST(take().current());
}

BOOST_AUTO_TEST_CASE(give_their_native_handle_to_what_they_do_not_offer) {
    auto held = take();
    BOOST_TEST(held.execute("create temp table copied (i int)").has_value());
    auto* const on = libpq::native(held);
    BOOST_TEST_REQUIRE(on != nullptr);
    BOOST_TEST(PQisnonblocking(on) == 0);
    PQclear(PQexec(on, "copy copied from stdin"));
    const std::string line(8000, '1');
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(PQputCopyData(on, "7\n", 2) == 1);
    BOOST_TEST(PQputCopyEnd(on, nullptr) == 1);
    PGresult* const end = PQgetResult(on);
    BOOST_TEST(PQresultStatus(end) == PGRES_COMMAND_OK);
    PQclear(end);
    BOOST_TEST(PQgetResult(on) == nullptr);
    // And back: both ways on one lease.
    BOOST_TEST((need(held.execute("select count(*) from copied")).at(0, 0) == "1000"));
    const auto busy = [&] {
        PQsendQuery(libpq::native(held), "select pg_sleep(30)");
        return held.execute("select 1");
    }();
    BOOST_TEST_REQUIRE(!busy.has_value());
    BOOST_TEST((busy.error().next == advice::retry));
}

BOOST_AUTO_TEST_CASE(give_no_handle_of_another_driver) {
    auto held = take();
    BOOST_TEST(held.driver() == "libpq");
    BOOST_TEST(odbc::native(held) == nullptr);
    const auto by_odbc = need(open(
        fmt::format(
            "Driver={{PostgreSQL Unicode}};Server=127.0.0.1:{};Database=postgres;UID=postgres", port
        ),
        {.drivers = {odbc::make_driver()}}
    ));
    auto other = need(by_odbc->acquire({.until = deadline::in(20s)}));
    BOOST_TEST(other.driver() == "odbc");
    BOOST_TEST(libpq::native(other) == nullptr);
    BOOST_TEST(odbc::native(other) != nullptr);
    other.release();
    BOOST_TEST(other.driver().empty());
    BOOST_TEST(odbc::native(other) == nullptr);
}

BOOST_AUTO_TEST_CASE(cut_a_blocked_native_call_when_they_were_held_too_long, *utf::label("F3")) {
    auto held = need(store->acquire({.until = deadline::in(20s), .hold = 500ms}));
    const punctuality call(500ms);
    PGresult* const lost = PQexec(libpq::native(held), "select pg_sleep(60)");
    BOOST_TEST(call.kept());
    BOOST_TEST(PQresultStatus(lost) == PGRES_FATAL_ERROR);
    PQclear(lost);
    BOOST_TEST(!held.current());
}

BOOST_AUTO_TEST_CASE(
    give_up_a_session_that_turned_read_only, *utf::label("F37") * utf::label("E7")
) {
    must(port, "create table if not exists written (i int)");
    auto held = take();
    BOOST_TEST(held.execute("set default_transaction_read_only = on").has_value());
    const auto refused = held.execute("insert into written values (3)");
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().code == errc::wrong_role);
    BOOST_TEST((refused.error().next == advice::retry));
    BOOST_TEST(!held.current());
}

BOOST_AUTO_TEST_CASE(
    are_dead_in_the_child_of_a_fork_and_unharmed_in_its_parent,
    *utf::label("F43") * utf::label("P10")
) {
    const auto in_tls = fmt::format(
        "Encrypt=verify_full;HostNameInCertificate=db.test;Root_Certificate={};",
        the_server().signed_by.authority()
    );
    for (const auto& how : {std::string("Encrypt=disable;"), in_tls})
        BOOST_TEST_CONTEXT(how) {
            store = open_store(port, how + "Pool_Max=1");
            auto held = take();
            const auto pid = pid_of(held);
            BOOST_TEST(held.execute("begin").has_value());
            BOOST_TEST(ended_well(fork_off([&] {
                const bool dead = !held.execute("select 1") &&
                                  held.commit().ended == outcome::in_doubt &&
                                  !held.request_cancel() && held.native() == nullptr &&
                                  !store->acquire({.until = deadline::in(1s)});
                held.sever();
                held.release();
                store.reset();
                return dead;
            })));
            BOOST_TEST((held.transaction() == transaction_status::open));
            BOOST_TEST(pid_of(held) == pid);
            BOOST_TEST((held.commit().ended == outcome::committed));
            held.release();
            auto again = take();
            BOOST_TEST(pid_of(again) == pid);
        }
}

BOOST_AUTO_TEST_CASE(
    outlive_a_close_until_they_are_returned, *utf::label("P8") * utf::label("F55")
) {
    auto held = take();
    const auto pid = pid_of(held);
    auto query = std::async(std::launch::async, [&] { return held.execute("select pg_sleep(1)"); });
    wait_for_state(pid, sleeps);
    const punctuality call(500ms);
    store->close(deadline::at(call.until()));
    BOOST_TEST(call.kept());
    BOOST_TEST(!store->acquire({.until = deadline::in(1s)}).has_value());
    BOOST_TEST(query.get().has_value());
    BOOST_TEST(pid_of(held) == pid);
    held.release();
    wait_until("the session to be gone", 20s, [&] {
        return ask(port, "select count(*) from pg_stat_activity where pid = " + pid) == "0";
    });
}

BOOST_AUTO_TEST_CASE(serve_many_threads_at_once, *utf::label("P1") * utf::label("P3")) {
    constexpr int threads = 16;
    constexpr int rounds = 25;
    std::atomic<int> right{0};
    {
        std::vector<std::jthread> all;
        for (int t = 0; t < threads; ++t)
            all.emplace_back([&, t] {
                for (int i = 0; i < rounds; ++i) {
                    auto held = store->acquire({.until = deadline::in(60s)});
                    if (!held)
                        continue;
                    if (i % 8 == 0)
                        static_cast<void>(held->execute("set work_mem = '1MB'"));
                    const auto sent = std::to_string(t * rounds + i);
                    const parameter with[] = {sent};
                    const auto back = held->execute("select $1::text", with);
                    right += back && back->at(0, 0) == sent ? 1 : 0;
                }
            });
    }
    BOOST_TEST(right.load() == threads * rounds);
    const auto counted = store->counters();
    BOOST_TEST(counted.sessions_lent_now == 0U);
    BOOST_TEST(counted.sessions_now <= 4U);
}

BOOST_AUTO_TEST_CASE(come_from_no_printed_password, *utf::label("X4")) {
    const auto text = store_string(port, "PWD=right-horse;Store_Name=printed");
    auto first = need(open(text, {.drivers = {libpq::make_driver()}}));
    const auto printed = print(first->specification());
    for (const auto& how :
         {open(printed, {.drivers = {libpq::make_driver()}}).error(),
          first->reconfigure(printed).error()}) {
        BOOST_TEST(how.code == errc::configuration_invalid);
        BOOST_TEST((how.next == advice::give_up));
        BOOST_TEST(how.message.find("PWD") != std::string::npos);
    }
    const auto asked = [](std::string_view) -> expected<secret> { return secret("given"); };
    const auto again = need(open(printed, {.drivers = {libpq::make_driver()}, .password = asked}));
    BOOST_TEST(again->acquire({.until = deadline::in(20s)}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
