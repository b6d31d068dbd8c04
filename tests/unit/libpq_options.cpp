// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/options.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <stdexcept>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// Files and variables, and nothing else of a world.
class shelf final : public world {
public:
    std::map<std::string, std::string> files;
    std::map<std::string, std::string> variables;

    expected<std::string> load(const std::string& path) override { return found(files, path); }
    expected<std::string> environment(const std::string& name) override {
        return found(variables, name);
    }

    time_point now() const noexcept override { return {}; }
    time_point coarse_now() const noexcept override { return {}; }
    agent* self() noexcept override { return nullptr; }
    glance look() noexcept override { return {}; }
    void park(agent* /*self*/, time_point /*until*/) noexcept override {}
    void unpark(agent* /*other*/) noexcept override {}
    readiness
    wait(int /*descriptor*/, readiness /*wanted*/, time_point /*until*/) noexcept override {
        return readiness::none;
    }
    std::unique_ptr<descriptor_set> descriptors() override { return nullptr; }
    expected<std::unique_ptr<started>>
    spawn(std::string_view /*name*/, std::function<void()> /*body*/) override {
        return nothing();
    }
    void
    resolve(std::string /*host*/, time_point /*until*/, std::function<void(addresses)> /*then*/)
        override {}
    std::uint64_t random() noexcept override { return 0; }
    expected<void> save(const std::string& /*path*/, std::string_view /*bytes*/) override {
        return nothing();
    }
    std::string process_name() const override { return {}; }
    const std::atomic<std::uint32_t>& alive() const noexcept override { return alive_; }

private:
    static failure nothing() {
        return make_failure(errc::configuration_invalid, advice::give_up, "it is not there");
    }

    static expected<std::string>
    found(const std::map<std::string, std::string>& in, const std::string& name) {
        const auto at = in.find(name);
        if (at == in.end())
            return nothing();
        return at->second;
    }

    const std::atomic<std::uint32_t> alive_{1};
};

struct fixture {
    shelf around;
    profile with;
    endpoint at{"db1", 5433, {}};

    expected<libpq::option_list> all(int libpq = 150000) {
        const bool socket = at.local_socket();
        return libpq::options_for(
            {at, socket ? "" : "10.0.0.1", std::make_shared<const profile>(with), {}, {}},
            around,
            libpq
        );
    }

    std::string value(std::string_view keyword, int libpq = 150000) {
        const auto made = all(libpq);
        if (!made)
            return to_string(made.error());
        for (const auto& [name, text] : made->all())
            if (name == keyword)
                return text;
        return "none";
    }

    failure why_not(int libpq = 150000) {
        const auto made = all(libpq);
        BOOST_TEST_REQUIRE(!made.has_value());
        return made.error();
    }
};

}

BOOST_FIXTURE_TEST_SUITE(libpq_options, fixture)

BOOST_AUTO_TEST_CASE(name_the_certificates_host_only_where_there_is_an_address, *utf::label("X2")) {
    with.certificate_host = "rtc.example.org";
    with.binding = channel_binding::require;
    BOOST_TEST(value("channel_binding") == "require");
    BOOST_TEST(value("host") == "rtc.example.org");
    BOOST_TEST(value("hostaddr") == "10.0.0.1");
    at = {"/run/postgresql", 5433, {}};
    BOOST_TEST(value("host") == "/run/postgresql");
    BOOST_TEST(value("hostaddr") == "none");
    BOOST_TEST(value("channel_binding") == "prefer");
}

BOOST_AUTO_TEST_CASE(leave_nothing_that_a_newer_libpq_knows_to_the_environment, *utf::label("X2")) {
    struct row {
        const char* keyword;
        int since;
        const char* value;
    };
    const row rows[] = {
        {"require_auth", 160000, "!sspi,!gss"},
        {"sslcertmode", 160000, "disable"},
        {"load_balance_hosts", 160000, "disable"},
        {"sslnegotiation", 170000, "postgres"},
        {"gssdelegation", 170000, "0"},
        {"min_protocol_version", 180000, "3.0"},
        {"max_protocol_version", 180000, "3.0"}};
    for (const auto& [keyword, since, said] : rows)
        BOOST_TEST_CONTEXT(keyword) {
            BOOST_TEST(value(keyword, since) == said);
            BOOST_TEST(value(keyword, since - 1) == "none");
        }
    with.certificate = "/c";
    BOOST_TEST(value("sslcertmode", 160000) == "allow");
}

BOOST_AUTO_TEST_CASE(give_a_readable_password_to_a_proven_server_only, *utf::label("X6")) {
    using e = encryption;
    const std::pair<e, const char*> rows[] = {
        {e::disable, "!sspi,!gss,!password,!md5"},
        {e::require, "!sspi,!gss,!password,!md5"},
        {e::verify_ca, "!sspi,!gss"},
        {e::verify_full, "!sspi,!gss"},
        {e::strict, "!sspi,!gss"}};
    for (const auto& [how, ways] : rows)
        BOOST_TEST_CONTEXT(libpq::ssl_mode(how)) {
            with.encrypt = how;
            BOOST_TEST(value("require_auth", 170000) == ways);
        }
    with.encrypt = e::disable;
    at = {"/run/postgresql", 0, {}};
    with.kerberos = true;
    BOOST_TEST(value("require_auth", 160000) == "!sspi");
}

BOOST_AUTO_TEST_CASE(refuse_strict_where_libpq_has_no_such_thing, *utf::label("X1")) {
    with.encrypt = encryption::strict;
    const auto why = why_not(169999);
    BOOST_TEST(why.code == errc::configuration_invalid);
    BOOST_TEST((why.next == advice::give_up));
    BOOST_TEST(why.message.find("Encrypt=strict") != std::string::npos);
    BOOST_TEST(value("sslnegotiation", 170000) == "direct");
    BOOST_TEST(value("sslmode", 170000) == "verify-full");
    with.kerberos = true;
    BOOST_TEST(value("gssencmode", 170000) == "disable");
    with.encrypt = encryption::verify_full;
    BOOST_TEST(value("gssencmode", 170000) == "prefer");
}

BOOST_AUTO_TEST_CASE(hold_what_a_callback_gives_at_this_login, *utf::label("F44")) {
    int asked = 0;
    with.password = secret("of-the-string");
    with.password_asked = [&](std::string_view) -> expected<secret> {
        switch (++asked) {
        case 1: return secret("first");
        case 2: throw std::runtime_error("second-secret");
        case 3: throw 3;
        default: return secret("last");
        }
    };
    BOOST_TEST(value("password") == "first");
    for (int i = 0; i < 2; ++i) {
        const auto why = why_not();
        BOOST_TEST(why.code == errc::unreachable);
        BOOST_TEST((why.next == advice::retry));
        BOOST_TEST(why.native == local_cause);
        BOOST_TEST(to_string(why).find("second-secret") == std::string::npos);
    }
    BOOST_TEST(value("password") == "last");
}

BOOST_AUTO_TEST_CASE(wait_for_a_password_that_cannot_be_read_now, *utf::label("F48")) {
    const auto held_up = [&] {
        const auto why = why_not();
        BOOST_TEST(why.code == errc::unreachable);
        BOOST_TEST((why.next == advice::retry));
        BOOST_TEST(why.native == local_cause);
    };
    with.password_file = "/secret";
    held_up();
    around.files["/secret"] = "one\r\n";
    BOOST_TEST(value("password") == "one");
    around.files["/secret"] = "two";
    BOOST_TEST(value("password") == "two");
    with.password_file.clear();
    with.password_environment = "SECRET";
    held_up();
    around.variables["SECRET"] = "three";
    BOOST_TEST(value("password") == "three");
}

BOOST_AUTO_TEST_SUITE_END()

}
