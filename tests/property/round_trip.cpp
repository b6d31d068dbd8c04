// SPDX-License-Identifier: Apache-2.0
#include "property/strings.hpp"

#include <fmt/format.h>

#include <set>

#include <rapidcheck.h>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

using words = rc::Gen<std::string>;

/// Text made to be mistaken for grammar.
words hostile(std::size_t most) {
    static const std::vector<std::string> pieces = {";",           "{",
                                                    "}",           "}}",
                                                    "};",          "=",
                                                    " ",           "\t",
                                                    "'",           "\"",
                                                    "\\",          "%",
                                                    "%3B",         "/",
                                                    "?",           "&",
                                                    "@",           "#",
                                                    ",",           ":",
                                                    "[",           "]",
                                                    "Server=evil", "};Server=evil;",
                                                    "PWD=",        "Mode=mirroring",
                                                    "a",           "Z",
                                                    "0",           "\xC3\xBC",
                                                    "\x01",        "\xFF",
                                                    "[redacted]",  "--",
                                                    "$(x)"};
    return rc::gen::map(
        rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces))),
        [most](const std::vector<std::string>& some) {
            std::string text;
            for (const auto& one : some)
                if (text.size() + one.size() <= most)
                    text += one;
            return text;
        }
    );
}

words host() {
    return rc::gen::elementOf(std::vector<std::string>{
        "db1",
        "DB-2.example.org",
        "10.0.0.1",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[FE80::1%eth0]",
        "/run/postgresql",
        "/tmp/a;b{c}=d",
        "db\\inst",
        "tcp:db7"});
}

words whole(int least, int most) {
    return rc::gen::map(rc::gen::inRange(least, most + 1), [](int n) { return std::to_string(n); });
}

words milliseconds(int least, int most) {
    return rc::gen::map(rc::gen::inRange(least, most), [](int n) {
        return fmt::format("{}ms", n);
    });
}

words seconds(int least, int most) {
    return rc::gen::map(rc::gen::inRange(least, most + 1), [](int n) {
        return fmt::format("{}s", n);
    });
}

words one_of(std::vector<std::string> choices) {
    return rc::gen::elementOf(std::move(choices));
}

words yes_or_no() {
    return one_of({"yes", "no", "true", "0", "On"});
}

struct generated_key {
    std::string_view key;
    words value;
};

// clang-format off
const std::vector<generated_key>& generators() {
    static const words encrypt = one_of({"disable", "require", "verify_ca", "verify-full", "strict", "yes", "no"});
    static const std::vector<generated_key> all = {
        {"Mode", one_of({"standalone", "mirroring", "availability_group", "failover_cluster_instance", "failover_cluster"})},
        {"Driver", rc::gen::oneOf(one_of({"FreeTDS", "PostgreSQL Unicode", "MariaDB"}), hostile(255))},
        {"DSN", hostile(255)},
        {"Engine", one_of({"postgresql", "sql_server", "other"})},
        {"Server", host()}, {"Port", whole(1, 65535)}, {"Failover_Partner", host()},
        {"Witness", rc::gen::map(host(), [](const std::string& at) { return "pg_auto_failover:" + at; })},
        {"Witness_UID", hostile(255)}, {"Witness_PWD", hostile(300)}, {"Witness_PWD_File", hostile(4096)},
        {"Witness_PWD_Env", hostile(255)}, {"Witness_Database", hostile(63)}, {"Witness_Encrypt", encrypt},
        {"Witness_Formation", hostile(63)}, {"Witness_Group", whole(0, 1'000'000)}, {"Listener", host()},
        {"Database", rc::gen::oneOf(one_of({"store", "rtc"}), hostile(63))},
        {"UID", hostile(255)}, {"PWD", hostile(300)}, {"PWD_File", hostile(4096)}, {"PWD_Env", hostile(255)},
        {"Encrypt", encrypt}, {"TrustServerCertificate", yes_or_no()}, {"Root_Certificate", hostile(4096)},
        {"Certificate", hostile(4096)}, {"Certificate_Key", hostile(4096)}, {"HostNameInCertificate", hostile(253)},
        {"Channel_Binding", one_of({"disable", "prefer", "require"})}, {"Kerberos", yes_or_no()},
        {"Application_Name", hostile(63)}, {"ApplicationIntent", one_of({"ReadOnly", "ReadWrite"})},
        {"MultiSubnetFailover", yes_or_no()}, {"Connect_Timeout", milliseconds(100, 600'000)},
        {"Acquire_Timeout", milliseconds(1, 86'400'000)}, {"Statement_Timeout", milliseconds(1, 86'400'000)},
        {"Close_Timeout", milliseconds(1, 3'600'000)}, {"Pool_Min", whole(0, 10)}, {"Pool_Max", whole(12, 100)},
        {"Pool_Warm", whole(0, 10)}, {"Idle_Limit", seconds(1, 86'400)}, {"Lifetime", seconds(1, 2'592'000)},
        {"Lease_Limit", seconds(1, 2'592'000)}, {"Connects_Per_Second", whole(1, 10'000)},
        {"Waiters_Max", whole(1, 1'000'000)}, {"Watch_Interval", milliseconds(10, 60'000)},
        {"Watch_Timeout", milliseconds(50, 60'000)}, {"Ride_Out", seconds(1, 86'400)},
        {"Recovery_Hold", milliseconds(0, 600'000)}, {"Witness_Lost_Advice", seconds(1, 86'400)},
        {"Lag_Limit", one_of({"0", "1", "7kB", "16 MB", "1024GB"})}, {"Cold_Start", one_of({"alone", "evidence"})},
        {"State_File", hostile(4096)}, {"Fork_Table", one_of({"forks", "s.forks", "A$1._b"})},
        {"Partner_Allowed", one_of({"*", "db3", "*.Example.org:5433,[::1]:1", "a, b"})},
        {"Proxy", one_of({"pgbouncer_session", "other_session"})},
        {"Store_Name", rc::gen::oneOf(one_of({"store"}), hostile(63))}, {"Generation", one_of({"2015", "2019"})},
        {"Database_Version", hostile(31)}, {"Edition", one_of({"enterprise", "standard"})},
        {"Partner_Version", hostile(31)}, {"Witness_Version", hostile(31)},
        {"Partner_Edition", one_of({"enterprise", "standard"})},
        {"Server_Role", one_of({"front_end", "persistent_chat", "archiving", "monitoring"})},
        {"Safety", one_of({"full", "off"})}, {"Policy_Override", one_of({"a", "b,c", "D , e"})},
        {"RTO", seconds(0, 2'592'000)}, {"RPO", seconds(0, 2'592'000)}};
    return all;
}
// clang-format on

bool one_in_two() {
    return *rc::gen::arbitrary<bool>();
}

/// Keeps those of the keys that go together.
class chooser {
public:
    explicit chooser(std::string mode) : mode_(std::move(mode)) {}

    bool takes(std::string_view key) {
        if (key == "Server" || key == "Database" || key == "UID" || key == "Mode")
            return true;
        if (!for_mode(*core::find_key(key), mode_))
            return false;
        if (key == "Failover_Partner")
            return true;
        if (key == "Certificate_Key")
            return taken_.contains("Certificate");
        const bool tls = key == "Root_Certificate" || key == "Certificate" ||
                         key == "HostNameInCertificate" || key == "Channel_Binding";
        const bool unwanted = (tls && !identified_) ||
                              (key == "Engine" && !taken_.contains("Driver")) ||
                              (key == "TrustServerCertificate" && taken_.contains("Encrypt")) ||
                              (key == "DSN" && (taken_.contains("Driver") || mirrored())) ||
                              ((key == "Witness" || key == "Fork_Table") && sql_server_) ||
                              (key.starts_with("Witness_") && key != "Witness_Lost_Advice" &&
                               !taken_.contains("Witness")) ||
                              another_password(key);
        if (unwanted || (key != "Certificate" && !one_in_two()))
            return false;
        taken_.insert(std::string(key));
        return true;
    }

    /// The value as it may stand beside those before it.
    std::string said(std::string_view key, std::string value) {
        const bool odbc = taken_.contains("Driver") || taken_.contains("DSN");
        if (const auto instance = value.find("db\\inst");
            instance != std::string::npos && (!odbc || key == "Witness"))
            value.replace(instance, 7, "db6");
        // Only these two engines mirror, and SQL Server's witness is nobody's to name.
        if (mirrored() && key == "Driver" && value != "FreeTDS")
            value = "PostgreSQL Unicode";
        if (mirrored() && key == "Engine" && value == "other")
            value = "sql_server";
        if (mirrored() && (key == "Driver" || key == "Engine"))
            sql_server_ = value == "FreeTDS" || value == "sql_server";
        if (key == "Server")
            socket_ = value.starts_with('/');
        if (key == "Encrypt")
            identified_ =
                !socket_ && (value == "verify-full" || value == "strict" || value == "yes");
        return value;
    }

private:
    bool mirrored() const { return mode_ == "mirroring"; }

    bool another_password(std::string_view key) const {
        const auto pwd = key.find("PWD");
        if (pwd == std::string_view::npos)
            return false;
        const auto prefix = std::string(key.substr(0, pwd + 3));
        return taken_.contains(prefix) || taken_.contains(prefix + "_File");
    }

    std::string mode_;
    std::set<std::string> taken_;
    bool socket_ = false;
    bool sql_server_ = false; ///< Of a mirrored pair.
    bool identified_ = false; ///< By TLS.
};

/// A valid string with some of the keys; adds their names to those met.
std::string any_text(std::set<std::string_view>& met) {
    const auto mode = *rc::gen::weightedElement<std::string>(
        {{4, "mirroring"},
         {2, "standalone"},
         {2, "availability_group"},
         {1, "failover_cluster_instance"},
         {1, "failover_cluster"}}
    );
    chooser choice(mode);
    const bool port = one_in_two();
    std::string text;
    for (const auto& [key, value] : generators()) {
        if (key == "Port" ? !port : !choice.takes(key))
            continue;
        met.insert(key);
        auto one = key == "Mode" ? mode : *value;
        if (key == "Failover_Partner")
            one = *one_of({"partner", "[::2]", "/run/other", "10.0.0.2"});
        if (port && (key == "Server" || key == "Listener"))
            one = *host();
        else if (key == "Server" || key == "Listener")
            one += *one_of({"", ":5433", ",5434", ":1", ":65535"});
        text += fmt::format("{}={};", key, in_braces(choice.said(key, one)));
    }
    return text;
}

}

BOOST_AUTO_TEST_SUITE(connection_string_round_trip)

BOOST_AUTO_TEST_CASE(generates_every_key) {
    std::set<std::string_view> generated;
    for (const auto& one : generators())
        generated.insert(one.key);
    for (const auto& rule : core::key_rules())
        BOOST_TEST(generated.contains(rule.name), rule.name << " is not generated");
}

BOOST_AUTO_TEST_CASE(what_is_printed_parses_to_the_same_but_for_secrets) {
    std::set<std::string_view> met;
    BOOST_TEST(rc::check("parse(print(x)) == redacted(x)", [&met] {
        const auto made = parse(any_text(met));
        if (!made)
            RC_FAIL(to_string(made.error()));
        const auto again = parse(print(*made));
        RC_LOG() << print(*made) << '\n';
        RC_ASSERT(again.has_value());
        RC_ASSERT(core::same(*again, redacted(*made)));
        RC_ASSERT(print(*again) == print(*made));
    }));
    for (const auto& rule : core::key_rules())
        BOOST_TEST(met.contains(rule.name), rule.name << " was in none");
}

BOOST_AUTO_TEST_CASE(no_value_becomes_a_key, *utf::label("X5")) {
    BOOST_TEST(rc::check("values stay values", [] {
        const std::string key = *one_of(
            {"UID",
             "Database",
             "Application_Name",
             "PWD_File",
             "PWD_Env",
             "State_File",
             "Root_Certificate",
             "HostNameInCertificate",
             "Store_Name",
             "Database_Version"}
        );
        const auto value = *hostile(31);
        std::string text = fmt::format("{};{}={}", standalone, key, in_braces(value));
        if (key == "UID" || key == "Database")
            text = fmt::format(
                "Server=db1;{}=x;{}={}", key == "UID" ? "Database" : "UID", key, in_braces(value)
            );
        const auto made = parse(text);
        RC_ASSERT(made.has_value());
        RC_ASSERT(made->how == mode::standalone);
        RC_ASSERT(made->servers == std::vector<endpoint>({{"db1", 0, ""}}));
        const auto printed = core::read_odbc(print(*made));
        RC_ASSERT(printed.has_value());
        std::size_t found = 0;
        for (const auto& one : *printed) {
            RC_ASSERT(
                (one.key == key || one.key == "Server" || one.key == "Database" || one.key == "UID")
            );
            if (one.key == key && ++found != 0)
                RC_ASSERT(one.value == value);
        }
        RC_ASSERT(found == 1U || (key == "Store_Name" && value == "rtc"));
    }));
}

BOOST_AUTO_TEST_CASE(a_uri_and_a_quoted_string_say_the_same, *utf::label("X5")) {
    BOOST_TEST(rc::check("uri == odbc", [] {
        const auto user = *hostile(60);
        const auto password = *hostile(60);
        const auto database = *hostile(60);
        const auto name = *hostile(60);
        const auto uri = parse(fmt::format(
            "postgresql://{}:{}@db1:5433/{}?application_name={}",
            percent_encoded(user),
            percent_encoded(password),
            percent_encoded(database),
            percent_encoded(name)
        ));
        const auto odbc = parse(fmt::format(
            "Server=db1:5433;UID={};PWD={};Database={};APP={}",
            in_braces(user),
            in_braces(password),
            in_braces(database),
            in_braces(name)
        ));
        RC_ASSERT(uri.has_value());
        RC_ASSERT(odbc.has_value());
        RC_ASSERT(core::same(*uri, *odbc));
    }));
}

BOOST_AUTO_TEST_CASE(any_bytes_are_taken_or_refused_with_a_reason) {
    BOOST_TEST(rc::check("total", [] {
        const auto bytes = *rc::gen::oneOf(
            rc::gen::arbitrary<std::string>(),
            hostile(2000),
            rc::gen::map(hostile(200), [](const std::string& s) { return "postgresql://" + s; })
        );
        const auto made = parse(bytes);
        if (!made) {
            RC_ASSERT(made.error().code == make_error_code(errc::configuration_invalid));
            RC_ASSERT(!made.error().message.empty());
            return;
        }
        const auto again = parse(print(*made));
        RC_ASSERT(again.has_value());
        RC_ASSERT(core::same(*again, redacted(*made)));
    }));
}

BOOST_AUTO_TEST_SUITE_END()

}
