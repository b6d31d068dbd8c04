// SPDX-License-Identifier: Apache-2.0
#include "conformance/server.hpp"
#include "support/listener.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// A user whose password changes, and ends its sessions each time.
struct rotating_user {
    int port = the_server().at.port();
    temporary_folder folder{"hadr-secret"};
    std::string file = folder.path() + "/secret";

    rotating_user() { must(port, "create role rotating login"); }
    ~rotating_user() {
        end_sessions();
        ask(port, "drop role rotating");
    }

    void change_to(std::string_view text) const {
        must(port, fmt::format("alter role rotating password '{}'", text));
        end_sessions();
    }

    void end_sessions() const {
        ask(port,
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where usename = 'rotating'");
    }

    void write(std::string_view text) const { std::ofstream(file) << text << "\n"; }

    std::unique_ptr<connection_manager>
    open_as(std::string_view more, password_source asked = {}) const {
        return need(open(
            fmt::format(
                "Server=127.0.0.1:{};Database=postgres;UID=rotating;Pool_Max=1;{}", port, more
            ),
            {.drivers = {libpq::make_driver()}, .password = std::move(asked)}
        ));
    }

    static bool served(connection_manager& by, duration within = patience) {
        auto held = by.acquire({.until = deadline::in(within)});
        return held && held->execute("select 1").has_value();
    }

    /// The session may have been cut a moment before: the next one logs in.
    static bool served_again(connection_manager& by) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < until)
            if (served(by))
                return true;
        return false;
    }
};

}

BOOST_FIXTURE_TEST_SUITE(rotating_passwords, rotating_user)

BOOST_AUTO_TEST_CASE(in_a_file_are_read_at_every_login, *utf::label("X4")) {
    write("first");
    change_to("first");
    const auto store = open_as("PWD_File=" + file);
    BOOST_TEST(served(*store));
    write("second");
    change_to("second");
    BOOST_TEST(served_again(*store));
}

BOOST_AUTO_TEST_CASE(in_a_file_that_is_away_for_a_moment_block_no_server, *utf::label("F48")) {
    change_to("first");
    const auto store = open_as("PWD_File=" + file);
    const auto none = store->acquire({.until = deadline::in(1s)});
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST((none.error().next == advice::retry));
    BOOST_TEST(none.error().message.find(file) != std::string::npos, none.error().message);
    write("first");
    BOOST_TEST(served(*store, 10s));
}

BOOST_AUTO_TEST_CASE(from_a_callback_are_asked_for_at_every_login, *utf::label("F44")) {
    std::mutex mutex;
    std::string now = "first";
    bool broken = false;
    change_to(now);
    const auto store = open_as("", [&](std::string_view user) -> expected<secret> {
        const std::lock_guard guard(mutex);
        if (broken || user != "rotating")
            throw std::runtime_error("no vault");
        return secret(now);
    });
    BOOST_TEST(served(*store));
    {
        const std::lock_guard guard(mutex);
        broken = true;
    }
    change_to("second");
    BOOST_TEST(!served(*store, 1s));
    BOOST_TEST(!served(*store, 1s));
    {
        const std::lock_guard guard(mutex);
        broken = false;
        now = "second";
    }
    BOOST_TEST(served(*store, 10s));
}

BOOST_AUTO_TEST_CASE(in_a_variable_are_read_at_every_login, *utf::label("X4")) {
    // Through the driver alone: nothing else may read the environment while it is set.
    auto with = superuser();
    with.user = "rotating";
    with.password_environment = "HADR_ROTATING";
    for (const auto* text : {"first", "second"}) {
        change_to(text);
        setenv("HADR_ROTATING", text, 1);
        BOOST_TEST(connect(target_of(port, with), patience).has_value());
    }
    unsetenv("HADR_ROTATING");
    const auto none = connect(target_of(port, with), patience);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST((none.error().next == advice::retry));
    BOOST_TEST(none.error().native == local_cause);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(stores)

BOOST_AUTO_TEST_CASE(on_a_socket_are_served_with_and_without_a_remote_partner) {
    const auto& server = the_server();
    const auto here = fmt::format(
        "Server={}:{};Database=postgres;UID=postgres;", server.sockets.path(), server.at.port()
    );
    const auto remote = fmt::format(
        "Mode=mirroring;Failover_Partner=127.0.0.1:{};Cold_Start=alone;Encrypt=verify_full;"
        "HostNameInCertificate=db.test;Root_Certificate={}",
        free_port(),
        server.signed_by.authority()
    );
    for (const auto& text : {here, here + remote})
        BOOST_TEST_CONTEXT(text) {
            const auto store = need(open(text, {.drivers = {libpq::make_driver()}}));
            auto held = need(store->acquire({.until = deadline::in(patience)}));
            BOOST_TEST(held.server().host == server.sockets.path());
            const auto from = need(held.execute("select inet_client_addr() is null"));
            BOOST_TEST((from.at(0, 0) == "t"));
        }
}

BOOST_AUTO_TEST_CASE(whose_servers_lack_tls_say_so_at_once_and_try_each_once, *utf::label("F27")) {
    const scripted_listener one(silent_after_tls_answer('N'));
    const scripted_listener other(silent_after_tls_answer('N'));
    const auto store = need(open(
        fmt::format(
            "Mode=mirroring;Server=127.0.0.1:{},127.0.0.1:{};Database=postgres;UID=postgres;"
            "Encrypt=verify_full",
            one.port(),
            other.port()
        ),
        {.drivers = {libpq::make_driver()}}
    ));
    for (int i = 0; i < 3; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        const auto none = store->acquire({.until = deadline::in(60s)});
        BOOST_TEST_REQUIRE(!none.has_value());
        BOOST_TEST((none.error().next == advice::give_up));
        BOOST_TEST(none.error().message.find("Encrypt=disable") != std::string::npos);
        BOOST_TEST((std::chrono::steady_clock::now() - begun < 10s));
    }
    BOOST_TEST(one.connections() == 1U);
    BOOST_TEST(other.connections() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}
