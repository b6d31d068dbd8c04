// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/ways.hpp"

#include <hadr/engine.hpp>
#include <hadr/profile.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hadr::inline v0::odbc {

/// How a driver reads a value of a connection string. The driver manager reads it before, always as
/// `doubled`: only what both read alike is written.
enum class quoting {
    none,           ///< Braces are part of the value, which ends at ';'.
    undoubled,      ///< Braces around it are taken off; "}}" inside stays as it is.
    doubled,        ///< Braces around it are taken off; "}}" inside stands for '}'.
    doubled_always, ///< Likewise; without braces "%" and "+" are decoded.
    not_known,      ///< Only what no driver could misread is written.
};

/// How the bytes of a connection string that came through SQLDriverConnect are read.
enum class reading {
    bytes,  ///< As they are.
    latin1, ///< As ISO 8859-1, whatever the locale: what has no place there is refused.
    ascii,  ///< By a locale that is the application's: only what all have in common is written.
};

/// A driver's own names for what a target holds; empty where it has no such thing, which is then
/// refused.
struct key_names {
    std::string_view server;
    std::string_view port; ///< Empty: behind the server, after a comma.
    std::string_view database;
    std::string_view user;
    std::string_view password;
    std::string_view application_name; ///< Empty: left out, as it is for people only.
    std::string_view login_limit;      ///< In seconds. Empty: SQL_ATTR_LOGIN_TIMEOUT alone.
    std::string_view host_in_certificate;
    std::string_view root_certificate;
    std::string_view certificate;
    std::string_view certificate_key;
};

/// How a driver says each of our encryptions, in their order: settings with ';' between them.
/// Null: it cannot, and the target is refused (rulings 19).
using encryption_texts = std::array<std::optional<std::string_view>, 5>;

/// The name that a certificate must bear where its host is checked.
enum class certificate_host {
    of_the_key,    ///< By a key of its own.
    of_the_server, ///< By the server's: the host's name is written there instead of its address.
};

/// An environment variable that would change a session and cannot be overridden.
struct hostile_variable {
    std::string_view name;
    bool of_sockets_only = false;
};

/// A setting in odbcinst.ini by which the driver writes what it is told into a file, whatever its
/// connection string says.
struct trace_setting {
    std::string_view section;
    std::string_view key;
};

/// How it is known whether a commit took place.
enum class commit_answer {
    of_the_call,          ///< Success is a commit.
    unless_failed_before, ///< Success is a rollback if a statement of the transaction failed (M5).
};

/// What an ODBC driver can do and how it lies. Nothing else in the code names a driver.
struct driver_profile {
    odbc_family family = odbc_family::other;
    std::string_view name; ///< For people.
    bool tested = true;    ///< False: written from its documentation.

    // Its connection strings.
    quoting values = quoting::not_known;
    quoting password = quoting::not_known;
    reading as = reading::bytes;
    bool trims = false;              ///< Blanks at both ends of a value are lost.
    std::size_t value_max = 0;       ///< In characters as read: longer ones are cut, or worse.
    std::string_view user_never;     ///< Signs that turn the user into something else.
    std::string_view database_never; ///< What a database's name must not begin with, likewise.
    std::size_t text_max = 0; ///< Of the whole string, in bytes: beyond it writes out of bounds.
    key_names keys;
    std::uint16_t port = 0; ///< Where none is configured.
    encryption_texts encrypts;
    std::string_view encrypts_instead; ///< What to do where it cannot.
    certificate_host host_checked = certificate_host::of_the_key;
    bool libpq_inside = false; ///< Everything that its libpq would ask the environment is said.
    /// "Key=Value" each. A key that is passed through takes the place of the same one in `usual`;
    /// in `always` it must say the same.
    std::span<const std::string_view> always;
    std::span<const std::string_view> usual;

    // What else would change or show a session; see trace.hpp.
    std::span<const hostile_variable> variables;
    std::span<const trace_setting> traces;

    // Its calls.
    bool keeps_deadlines = false; ///< Its own time-outs hold, also for a mute server.
    /// SQLBindCol brings the same texts as SQLGetData, which reads what was too long after all.
    bool binds_columns = false;
    bool cancels = false; ///< SQLCancel from another thread ends a statement.
    commit_answer committed = commit_answer::of_the_call;
    std::string_view reset; ///< Makes a session as new. Empty: a dirty one is closed.
    engine_ways ways;
};

/// By the name in Driver= or by that of its library (SQL_DRIVER_NAME). One profile is for all
/// drivers not known, and promises nothing.
const driver_profile& profile_of(std::string_view driver);
const driver_profile& profile_of(odbc_family which) noexcept;

std::span<const driver_profile> all_profiles() noexcept;

}
