// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/connection_text.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

/// Pieces of which hostile values are made: signs of every grammar that reads them, and keys that
/// would lead elsewhere or write a file if one of them got out of its value.
struct attack {
    std::string elsewhere = "127.0.0.1"; ///< The attacker's server.
    int port = 6009;
    std::string file = "/nowhere/stolen"; ///< That an attacker would have written.
};

// clang-format off
inline constexpr std::string_view hostile_signs[] = {
    ";", "=", "{", "}", "}}", "};", "{{", "};;", "{}", "';", "\";", "'", "\"", "\\", "\\'", "file:",
    " ", "  ", "\t", "%", "%3B", "%7D", "%00", "+", "&", "#", "--", "?", ":", "/", ",", "@", "\n",
    "\r\n", std::string_view("\0", 1), "\x01", "\x7f", "\xff", "\xc3", "\xc2\xa0", "\xc3\xa9",
    "\xc4\xbb", "\xd0\xbb", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "a", "b", "0",
    "long", "DSN=evil", "UID=evil", "PWD=evil", "Database=evil", "APP=evil", "DMEnvAttr=x",
    "DMConnAttr=x", "INITSTMT=x", "Encryption=off", "SSLmode=disable", "Timeout=1",
    "TDS_Version=5.0"};

inline constexpr std::string_view keys_of_files[] = {
    "Driver", "FILEDSN", "SAVEFILE", "DumpFile", "TraceFile", "Trace", "LoadExt", "SOCKET",
    "PLUGIN_DIR", "SSLKEY"};

inline constexpr std::string_view keys_of_places[] = {
    "Server", "SERVERNAME", "Address", "hostaddr"};
// clang-format on

inline std::vector<std::string> pieces_of(const attack& by) {
    std::vector<std::string> all(std::begin(hostile_signs), std::end(hostile_signs));
    for (const auto key : keys_of_files)
        all.push_back(std::string(key) + "=" + by.file);
    for (const auto key : keys_of_places)
        all.push_back(std::string(key) + "=" + by.elsewhere);
    const auto port = std::to_string(by.port);
    all.push_back("Port=" + port);
    all.push_back("SERVER=" + by.elsewhere + "," + port);
    all.push_back("pqopt={hostaddr=" + by.elsewhere + " port=" + port + "}");
    all.push_back("hostaddr='" + by.elsewhere + "' port='" + port + "'");
    for (const std::size_t length : {40U, 130U, 260U})
        all.emplace_back(length, 'x');
    return all;
}

/// Of up to seven pieces.
template <class Random>
std::string hostile_value(Random& random, const std::vector<std::string>& pieces) {
    const auto below = [&](std::size_t most) { return static_cast<std::size_t>(random() % most); };
    std::string made;
    for (auto left = 1 + below(7); left > 0; --left)
        made += pieces[below(pieces.size())];
    return made;
}

/// Which value of a login is hostile.
enum class victim {
    user,
    password,
    database,
    application_name,
    passed_through,
};

inline constexpr victim victims[] = {
    victim::user,
    victim::password,
    victim::database,
    victim::application_name,
    victim::passed_through};

/// The key that an error must name.
inline std::string_view key_of(victim which, std::string_view passed_through) {
    switch (which) {
    case victim::user: return "UID";
    case victim::password: return "PWD";
    case victim::database: return "Database";
    case victim::application_name: return "Application_Name";
    case victim::passed_through: return passed_through;
    }
    return {};
}

/// A login with one hostile value.
struct hostile_login {
    std::string driver;         ///< As in Driver=.
    std::string passed_through; ///< A key of its own that may be.
    victim which = victim::password;
    std::string value;
    int port = 1433;

    target to() const {
        auto with = std::make_shared<profile>();
        with->odbc_driver = driver;
        with->encrypt = encryption::disable;
        with->user = which == victim::user ? value : "app";
        with->database = which == victim::database ? value : "rtc";
        with->application_name = which == victim::application_name ? value : "demo";
        if (which == victim::passed_through)
            with->passed_through.emplace_back(passed_through, value);
        const bool file = family_of(driver) == odbc_family::sqlite;
        if (file && which != victim::user)
            with->user.clear();
        endpoint at{file ? "" : "127.0.0.1", static_cast<std::uint16_t>(file ? 0 : port), {}};
        return {at, file ? "" : "127.0.0.1", with, purpose::lend, {}};
    }

    secret password() const {
        const bool file = family_of(driver) == odbc_family::sqlite;
        return secret(which == victim::password ? value : file ? "" : "right-horse");
    }

    expected<secret> text() const {
        return odbc::connection_text(
            odbc::profile_of(driver), to(), password(), std::chrono::seconds(5)
        );
    }
};

}
