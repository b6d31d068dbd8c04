// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"
#include "conformance/server.hpp"
#include "support/listener.hpp"
#include "support/pgbouncer.hpp"

#include <fmt/format.h>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

struct pooled {
    temporary_folder folder{"hadr-pooled"};
    int server = the_server().at.port();
};

std::size_t questions_in(std::string_view sent) {
    std::size_t count = 0;
    for (auto at = sent.find("pg_backend_pid"); at != std::string_view::npos;
         at = sent.find("pg_backend_pid", at + 1))
        ++count;
    return count;
}

}

BOOST_FIXTURE_TEST_SUITE(poolers, pooled)

BOOST_AUTO_TEST_CASE(that_are_not_declared_are_refused, *utf::label("F53")) {
    for (const auto* mode : {"session", "transaction", "statement"}) {
        const pgbouncer between(folder, server, mode);
        for (const auto why : {purpose::lend, purpose::warm, purpose::watch})
            BOOST_TEST_CONTEXT("in " << mode << " mode, purpose " << static_cast<int>(why)) {
                const auto none = connect(target_of(between.port(), superuser(), why), 20s);
                BOOST_TEST_REQUIRE(!none.has_value());
                BOOST_TEST(none.error().code == errc::configuration_invalid);
                BOOST_TEST((none.error().next == advice::give_up));
                BOOST_TEST(none.error().message.find("Proxy=") != std::string::npos);
            }
    }
}

BOOST_AUTO_TEST_CASE(that_are_declared_are_used, *utf::label("F53")) {
    const pgbouncer between(folder, server, "session");
    auto with = superuser();
    with.proxy = "pgbouncer_session";
    BOOST_TEST(connect(target_of(between.port(), with), 20s).has_value());
    const auto store = open_store(between.port(), "Proxy=pgbouncer_session;Pool_Max=1");
    for (int i = 0; i < 3; ++i) {
        auto held = need(store->acquire({.until = deadline::in(20s)}));
        BOOST_TEST((need(held.execute("show search_path")).at(0, 0) == "\"$user\", public"));
        BOOST_TEST(held.execute("set search_path = nowhere").has_value());
    }
    BOOST_TEST(store->counters().sessions_opened == 1U);
}

BOOST_AUTO_TEST_CASE(make_acquire_fail_at_once_and_say_what_to_declare, *utf::label("F53")) {
    const pgbouncer between(folder, server, "transaction");
    const auto store = open_store(between.port());
    const auto begun = std::chrono::steady_clock::now();
    const auto none = store->acquire({.until = deadline::in(60s)});
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::configuration_invalid);
    BOOST_TEST((none.error().next == advice::give_up));
    BOOST_TEST(none.error().message.find("Proxy=") != std::string::npos);
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 30s));
}

BOOST_AUTO_TEST_CASE(are_told_by_one_question_from_what_only_forwards, *utf::label("F53")) {
    const std::pair<purpose, std::size_t> rows[] = {
        {purpose::lend, 1}, {purpose::warm, 1}, {purpose::watch, 1}, {purpose::witness, 0}};
    for (const auto& [why, questions] : rows)
        BOOST_TEST_CONTEXT("purpose " << static_cast<int>(why)) {
            const scripted_listener between(forwards_to(server));
            const auto made = connect(target_of(between.port(), superuser(), why), 20s);
            BOOST_TEST(made.has_value());
            BOOST_TEST(questions_in(between.heard()) == questions);
        }
    auto declared = superuser();
    declared.proxy = "other_session";
    const scripted_listener between(forwards_to(server));
    BOOST_TEST(connect(target_of(between.port(), declared), 20s).has_value());
    BOOST_TEST(questions_in(between.heard()) == 0U);
}

BOOST_AUTO_TEST_CASE(that_answer_for_a_server_that_is_gone_keep_nobody, *utf::label("F3")) {
    const temporary_folder other("hadr-behind");
    postgres_server behind(other, "behind");
    behind.start();
    const pgbouncer between(folder, behind.port(), "session");
    behind.kill_all();
    const punctuality call(500ms);
    const auto none = connect(target_of(between.port(), superuser()), 500ms);
    BOOST_TEST(call.kept());
    BOOST_TEST(!none.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
