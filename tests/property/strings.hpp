// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/connection_string.hpp"
#include "core/keys.hpp"

#include <hadr/store.hpp>

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace hadr::test {

inline constexpr std::string_view standalone = "Server=db1;Database=rtc;UID=app;";
inline constexpr std::string_view mirroring =
    "Mode=mirroring;Server=db1;Failover_Partner=db2;Witness=pg_auto_failover:monitor;"
    "Database=rtc;UID=app;";

inline std::string in_braces(std::string_view value) {
    std::string made = "{";
    for (const char c : value)
        made += c == '}' ? std::string("}}") : std::string(1, c);
    return made + "}";
}

inline std::string percent_encoded(std::string_view value) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string made;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        made += {'%', digits[byte / 16], digits[byte % 16]};
    }
    return made;
}

inline std::string base64(std::string_view value) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string made;
    unsigned pending = 0;
    int bits = 0;
    for (const char c : value) {
        pending = pending << 8U | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6)
            made += digits[pending >> static_cast<unsigned>(bits - 6) & 63U];
    }
    if (bits > 0)
        made += digits[pending << static_cast<unsigned>(6 - bits) & 63U];
    return made;
}

struct sampled_key {
    std::string_view key;
    std::string_view value; ///< Valid, and not the default.
};

// clang-format off
inline constexpr sampled_key samples[] = {
    {"Mode", "failover_cluster"}, {"Driver", "FreeTDS"}, {"DSN", "source"},
    {"Engine", "other"}, {"Server", "db9"}, {"Port", "5433"}, {"Failover_Partner", "db9"},
    {"Witness", "pg_auto_failover:w9"}, {"Witness_UID", "w"}, {"Witness_PWD", "p"},
    {"Witness_PWD_File", "/f"}, {"Witness_PWD_Env", "V"}, {"Witness_Database", "d"},
    {"Witness_Encrypt", "require"}, {"Witness_Formation", "f"}, {"Witness_Group", "3"},
    {"Listener", "l9"}, {"Database", "other"}, {"UID", "other"}, {"PWD", "p"},
    {"PWD_File", "/f"}, {"PWD_Env", "V"}, {"Encrypt", "require"},
    {"TrustServerCertificate", "yes"}, {"Root_Certificate", "/ca"}, {"Certificate", "/c"},
    {"Certificate_Key", "/k"}, {"HostNameInCertificate", "h"}, {"Channel_Binding", "require"},
    {"Kerberos", "yes"}, {"Application_Name", "a"}, {"ApplicationIntent", "ReadOnly"},
    {"MultiSubnetFailover", "yes"}, {"Connect_Timeout", "7s"}, {"Acquire_Timeout", "7s"},
    {"Statement_Timeout", "7s"}, {"Close_Timeout", "7s"}, {"Pool_Min", "3"}, {"Pool_Max", "30"},
    {"Pool_Warm", "1"}, {"Idle_Limit", "7s"}, {"Lifetime", "7s"}, {"Lease_Limit", "7s"},
    {"Connects_Per_Second", "7"}, {"Waiters_Max", "7"}, {"Watch_Interval", "77ms"},
    {"Watch_Timeout", "77ms"}, {"Ride_Out", "7s"}, {"Recovery_Hold", "7s"},
    {"Witness_Lost_Advice", "7s"}, {"Lag_Limit", "7kB"}, {"Cold_Start", "alone"},
    {"State_File", "/s"}, {"Fork_Table", "s.forks"}, {"Partner_Allowed", "*.example.org"},
    {"Proxy", "pgbouncer_session"}, {"Store_Name", "n"}, {"Generation", "2015"},
    {"Database_Version", "2012"}, {"Edition", "standard"}, {"Server_Role", "archiving"},
    {"Partner_Version", "2012"}, {"Witness_Version", "2012"}, {"Partner_Edition", "standard"},
    {"Safety", "off"}, {"Policy_Override", "some"}, {"RTO", "7s"}, {"RPO", "7s"}};
// clang-format on

/// A valid value of the key that is not its default.
inline std::string sample(std::string_view key) {
    for (const auto& one : samples)
        if (one.key == key)
            return std::string(one.value);
    throw std::logic_error("no sample of the key " + std::string(key));
}

inline bool for_mode(const core::key_rule& rule, std::string_view how) {
    const auto all = ", " + std::string(rule.modes) + ", ";
    return rule.modes == "all" || all.find(", " + std::string(how) + ", ") != std::string::npos;
}

/// The specification of a string that must be taken.
inline store_specification taken(const std::string& text) {
    auto made = parse(text);
    if (!made)
        BOOST_FAIL(text << " is refused: " << made.error());
    return *made;
}

/// The error of a string that must be refused.
inline failure refusal(const std::string& text) {
    const auto made = parse(text);
    if (made)
        BOOST_FAIL(text << " is taken");
    BOOST_TEST(made.error().code == make_error_code(errc::configuration_invalid));
    BOOST_TEST((made.error().next == advice::give_up));
    return made.error();
}

/// As print and parse leave a specification: secrets replaced by the word that is printed for them.
inline store_specification redacted(store_specification of) {
    const auto without = [](const std::shared_ptr<const profile>& with) {
        auto copy = *with;
        if (!copy.password.empty())
            copy.password = secret("[redacted]");
        return std::make_shared<const profile>(std::move(copy));
    };
    of.with = without(of.with);
    if (of.witness)
        of.witness->with = without(of.witness->with);
    return of;
}

}
