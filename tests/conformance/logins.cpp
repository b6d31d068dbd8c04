// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"
#include "conformance/server.hpp"
#include "support/listener.hpp"

#include <csignal>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

profile in_tls(encryption how, const std::string& authority) {
    auto with = app();
    with.encrypt = how;
    with.root_certificate = authority;
    return with;
}

/// So many may be opened and no more, while it lives.
class few_descriptors {
public:
    explicit few_descriptors(rlim_t more) {
        getrlimit(RLIMIT_NOFILE, &before_);
        const int next = dup(0);
        close(next);
        rlimit few = before_;
        few.rlim_cur = static_cast<rlim_t>(next) + more;
        setrlimit(RLIMIT_NOFILE, &few);
    }

    few_descriptors(const few_descriptors&) = delete;
    ~few_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

std::string refused_logins() {
    const auto log = the_server().at.log();
    std::size_t count = 0;
    for (auto at = log.find("password authentication failed"); at != std::string::npos;
         at = log.find("password authentication failed", at + 1))
        ++count;
    return std::to_string(count);
}

}

BOOST_AUTO_TEST_SUITE(logging_in)

BOOST_AUTO_TEST_CASE(proves_the_password_by_scram) {
    auto& server = the_server();
    auto made = need(connect(target_of(server.at.port(), app()), patience));
    BOOST_TEST(made->usable());
    BOOST_TEST(made->reported("in_hot_standby") == "off");
    BOOST_TEST(made->reported("is_superuser") == "off");
    BOOST_TEST(made->reported("nothing_of_this_name") == "");
}

BOOST_AUTO_TEST_CASE(tries_a_wrong_password_once, *utf::label("F26")) {
    auto with = app();
    with.password = secret("wrong-horse");
    const auto before = refused_logins();
    const auto none = connect(target_of(the_server().at.port(), with), patience);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::rejected_by_server);
    BOOST_TEST((none.error().next == advice::give_up));
    BOOST_TEST(none.error().sqlstate == "28P01");
    BOOST_TEST(to_string(none.error()).find("wrong-horse") == std::string::npos);
    wait_until("the server's log", patience, [&] { return refused_logins() != before; });
    BOOST_TEST(refused_logins() == std::to_string(std::stoi(before) + 1));
}

BOOST_AUTO_TEST_CASE(names_a_database_that_is_not_there) {
    auto to = target_of(the_server().at.port(), superuser());
    to.database = "nowhere";
    const auto none = connect(to, patience);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::rejected_by_server);
    BOOST_TEST((none.error().next == advice::give_up));
    BOOST_TEST(none.error().sqlstate == "3D000");
    BOOST_TEST(none.error().server_text.find("nowhere") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(tells_a_full_server_from_one_that_is_down, *utf::label("F25")) {
    const temporary_folder folder("hadr-full");
    postgres_server small(
        folder, "small", {"max_connections = 5", "superuser_reserved_connections = 3"}
    );
    small.start();
    must(small.port(), "create role guest login");
    auto guest = superuser();
    guest.user = "guest";
    std::vector<std::unique_ptr<session>> held;
    expected<std::unique_ptr<session>> last = connect(target_of(small.port(), guest), patience);
    for (; last && held.size() < 5; last = connect(target_of(small.port(), guest), patience))
        held.push_back(*std::move(last));
    BOOST_TEST(held.size() == 2U);
    BOOST_TEST_REQUIRE(!last.has_value());
    BOOST_TEST(last.error().code == errc::rejected_by_server);
    BOOST_TEST((last.error().next == advice::retry));
    BOOST_TEST(last.error().sqlstate == "53300");
}

BOOST_AUTO_TEST_CASE(takes_a_server_that_is_shutting_down_for_not_yet_there, *utf::label("F33")) {
    const temporary_folder folder("hadr-ending");
    postgres_server ending(folder, "ending");
    ending.start();
    const auto held = need(connect(target_of(ending.port(), superuser()), patience));
    pid_t postmaster = 0;
    std::ifstream(ending.data() + "/postmaster.pid") >> postmaster;
    kill(postmaster, SIGTERM); // A smart shutdown waits for the session that is open.
    std::optional<failure> why;
    wait_until("logins to be refused", patience, [&] {
        const auto none = connect(target_of(ending.port(), superuser()), patience);
        if (!none)
            why = none.error();
        return why.has_value();
    });
    BOOST_TEST(why->code == errc::unreachable);
    BOOST_TEST((why->next == advice::retry));
    BOOST_TEST(why->sqlstate == "57P03");
}

BOOST_AUTO_TEST_CASE(accepts_the_right_certificate_only, *utf::label("F27") * utf::label("X1")) {
    auto& server = the_server();
    const auto ours = server.signed_by.authority();
    const auto strangers = server.signed_by.stranger();
    struct row {
        const char* when;
        const char* shown;
        encryption how;
        std::string authority;
        bool accepted;
    };
    using e = encryption;
    // clang-format off
    const row rows[] = {
        {"our authority signed it for this name",        "good",    e::verify_full, ours,      true},
        {"a strange authority is trusted",               "good",    e::verify_full, strangers, false},
        {"it is for another name",                       "other",   e::verify_full, ours,      false},
        {"it has expired",                               "expired", e::verify_full, ours,      false},
        {"another name, and the name is not asked for",  "other",   e::verify_ca,   ours,      true},
        {"expired, and the name is not asked for",       "expired", e::verify_ca,   ours,      false},
        {"no identity is asked for",                     "other",   e::require,     strangers, true},
        {"the file of the authority is not there",       "good",    e::verify_full, ours + ".none", false},
    };
    // clang-format on
    for (const auto& [when, shown, how, authority, accepted] : rows)
        BOOST_TEST_CONTEXT(when) {
            server.show(shown);
            const auto made =
                connect(target_of(server.at.port(), in_tls(how, authority)), patience);
            BOOST_TEST(made.has_value() == accepted);
            if (made)
                continue;
            BOOST_TEST(made.error().code == errc::rejected_by_server);
            BOOST_TEST((made.error().next == advice::give_up));
            BOOST_TEST(made.error().message.find("TLS") != std::string::npos);
        }
    server.show("good");
}

BOOST_AUTO_TEST_CASE(binds_scram_to_the_channel_where_it_must, *utf::label("X6")) {
    auto& server = the_server();
    auto with = in_tls(encryption::verify_full, server.signed_by.authority());
    with.binding = channel_binding::require;
    BOOST_TEST(connect(target_of(server.at.port(), with), patience).has_value());
    with.encrypt = encryption::disable; // SCRAM without a channel to bind it to.
    const auto none = connect(target_of(server.at.port(), with), patience);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::rejected_by_server);
    BOOST_TEST((none.error().next == advice::give_up));
}

BOOST_AUTO_TEST_CASE(names_the_choice_where_the_server_has_no_tls, *utf::label("F27")) {
    const scripted_listener plain(silent_after_tls_answer('N'));
    const auto none = connect(
        target_of(
            plain.port(), in_tls(encryption::verify_full, the_server().signed_by.authority())
        ),
        patience
    );
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::rejected_by_server);
    BOOST_TEST((none.error().next == advice::give_up));
    BOOST_TEST(none.error().message.find("Encrypt=disable") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    gives_no_password_to_a_rogue, *utf::label("X1") * utf::label("X6") * utf::label("F28")
) {
    const auto authority = the_server().signed_by.authority();
    auto bound = app();
    bound.binding = channel_binding::require;
    const std::pair<const char*, profile> rows[] = {
        {"which offers no TLS where its identity is demanded",
         in_tls(encryption::verify_full, authority)},
        {"which offers no TLS where TLS is demanded", in_tls(encryption::require, authority)},
        {"which asks for clear text where the channel must be bound", bound}};
    for (const auto& [when, with] : rows)
        BOOST_TEST_CONTEXT("a rogue " << when) {
            const scripted_listener rogue(asks_for_the_password());
            const auto none = connect(target_of(rogue.port(), with), patience);
            BOOST_TEST_REQUIRE(!none.has_value());
            BOOST_TEST((none.error().next == advice::give_up));
            BOOST_TEST(rogue.connections() == 1U);
            BOOST_TEST(rogue.heard().find(password) == std::string::npos);
        }
}

BOOST_AUTO_TEST_CASE(
    does_not_show_what_a_server_says_before_it_has_proved_itself, *utf::label("X7")
) {
    const scripted_listener liar(refuses_the_login("28P01"));
    const auto none = connect(
        target_of(liar.port(), in_tls(encryption::verify_full, the_server().signed_by.authority())),
        patience
    );
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().sqlstate == "");
    BOOST_TEST(to_string(none.error()).find("not now") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(
    is_back_by_its_deadline_in_every_phase_of_a_login,
    *utf::label("F3") * utf::label("F5") * utf::label("P4") * utf::label("T2")
) {
    const full_backlog hole;
    const scripted_listener mute(silent());
    const scripted_listener tls(silent_after_tls_answer('S'));
    const scripted_listener login(silent_in_the_login());
    const auto secured = in_tls(encryption::verify_full, the_server().signed_by.authority());
    const std::tuple<const char*, int, profile> rows[] = {
        {"no answer to the first packet", hole.port(), app()},
        {"silence after the connection", mute.port(), app()},
        {"silence after the request for TLS", mute.port(), secured},
        {"silence in the handshake of TLS", tls.port(), secured},
        {"silence in the proof of the password", login.port(), app()}};
    for (const auto& [when, port, with] : rows)
        BOOST_TEST_CONTEXT(when) {
            const punctuality call(300ms);
            const auto none = connect(target_of(port, with), 300ms);
            BOOST_TEST(call.kept());
            BOOST_TEST_REQUIRE(!none.has_value());
            BOOST_TEST(none.error().code == errc::deadline_exceeded);
            BOOST_TEST((none.error().next == advice::retry));
        }
}

BOOST_AUTO_TEST_CASE(takes_no_harm_from_what_is_no_server, *utf::label("X7") * utf::label("F51")) {
    const std::pair<const char*, std::string> rows[] = {
        {"a web server", "HTTP/1.1 400 Bad Request\r\n\r\n"},
        {"nothing but zeros", std::string(4096, '\0')},
        {"a message of two gigabytes", std::string("R\x7f\xff\xff\xff\0\0\0\x05", 9)},
        {"a message shorter than itself", std::string("R\0\0\0\x02\0\0", 7)},
        {"an unknown way to log in", std::string("R\0\0\0\x08\0\0\0\x63", 9)}};
    for (const auto& [when, bytes] : rows)
        BOOST_TEST_CONTEXT(when) {
            const scripted_listener there([&bytes = bytes](peer& with) {
                with.read_startup();
                with.write(bytes);
            });
            const auto none = connect(target_of(there.port(), app()), patience);
            BOOST_TEST_REQUIRE(!none.has_value());
            BOOST_TEST(there.heard().find(password) == std::string::npos);
        }
}

BOOST_AUTO_TEST_CASE(
    take_a_reset_in_the_handshake_for_a_server_that_is_away, *utf::label("F27") * utf::label("F48")
) {
    if (!peers_can_vanish()) {
        BOOST_TEST_MESSAGE("needs CAP_NET_ADMIN; the unit tests have the rule");
        return;
    }
    const scripted_listener there(resets_in_the_handshake());
    const auto with = in_tls(encryption::verify_full, the_server().signed_by.authority());
    int resets = 0;
    for (int i = 0; i < 20; ++i) { // Now and then the handshake has begun before the server goes.
        const auto none = connect(target_of(there.port(), with), 300ms);
        BOOST_TEST_REQUIRE(!none.has_value());
        BOOST_TEST((none.error().next == advice::retry));
        resets += none.error().code == errc::unreachable ? 1 : 0;
    }
    BOOST_TEST(resets > 0);
}

// The sanitizer of undefined behaviour needs a descriptor of its own to look at an object.
#ifndef HADR_SANITIZED
BOOST_AUTO_TEST_CASE(lays_a_lack_of_descriptors_at_no_servers_door, *utf::label("F48")) {
    const auto to = target_of(the_server().at.port(), app());
    const auto text = store_string(the_server().at.port());
    BOOST_TEST_REQUIRE(connect(to, patience).has_value());
    const auto local = [](const failure& why) {
        BOOST_TEST(why.code == errc::unreachable);
        BOOST_TEST((why.next == advice::retry));
        BOOST_TEST(why.native == local_cause);
    };
    for (const rlim_t more : {0U, 1U}) // For the first of those needed, and for another.
        BOOST_TEST_CONTEXT(more << " descriptors") {
            const few_descriptors few(more);
            const auto none = connect(to, patience);
            BOOST_TEST_REQUIRE(!none.has_value());
            local(none.error());
            const auto store = open(text, {.drivers = {libpq::make_driver()}});
            BOOST_TEST_REQUIRE(!store.has_value());
            local(store.error());
        }
    BOOST_TEST(connect(to, patience).has_value());
}
#endif

BOOST_AUTO_TEST_CASE(reaches_a_socket_whatever_name_the_certificate_must_bear, *utf::label("X2")) {
    auto& server = the_server();
    auto with = superuser();
    with.certificate_host = "nowhere.invalid";
    for (const auto how : {encryption::disable, encryption::verify_full, encryption::strict}) {
        with.encrypt = how;
        auto to = target_of(server.at.port(), with);
        to.at.host = server.sockets.path();
        to.address.clear();
        const auto made = need(connect(to, patience));
        const auto from = run(*real_world(), *made, {"select coalesce(inet_client_addr(), '::')"});
        BOOST_TEST_REQUIRE(from.how.has_value());
        BOOST_TEST(std::string(from.brought.at(0, 0).value_or("")) == "::");
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
