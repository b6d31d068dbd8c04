// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>

#include <iosfwd>
#include <string>
#include <string_view>
#include <system_error>

namespace hadr::inline v0 {

/// What went wrong. A code exists only where a caller reacts to it differently.
enum class errc {
    unreachable = 1,   ///< No server answered: a caller would try later.
    deadline_exceeded, ///< The caller's deadline passed first: a caller would give its own user an
                       ///< answer.
    wrong_role,        ///< The server answered but does not hold the role asked for: a caller would
                       ///< acquire anew.
    no_quorum,         ///< A healthy server may not serve: a caller would call an operator.
    read_only_degraded, ///< Writes are refused until the store is back: a caller would go on
                        ///< reading.
    outcome_unknown,    ///< Sent, and no answer: a caller would ask the database before repeating
                        ///< (C7).
    standby_not_provisioned, ///< The new primary refuses the login that the old one took (C41).
    configuration_invalid, ///< The connection string or the policy forbids it: a caller would stop.
    rejected_by_server, ///< The server said no; see sqlstate: a caller would look at its statement.
    closed,             ///< The manager or session is closed, or belongs to the parent of a fork.
    stopped, ///< The caller's own stop token ended the wait: a caller would return quietly.
};

HADR_EXPORT const std::error_category& error_category() noexcept;
HADR_EXPORT std::error_code make_error_code(errc code) noexcept;

/// What the caller may do next.
enum class advice {
    give_up, ///< The same call will fail again.
    retry,   ///< Safe to repeat: nothing was executed.
    verify,  ///< Ask the database before repeating: it may have been executed.
};

HADR_EXPORT std::string_view to_string(errc code) noexcept;
HADR_EXPORT std::string_view to_string(advice next) noexcept;

/// failure::native of what lies with this machine (names, threads), and so says nothing of a server
/// (F9, F48).
inline constexpr int local_cause = -1;

/// A failure with its diagnostics. A value: copyable, comparable, printable. Holds no secret (X4).
struct failure {
    std::error_code code;
    advice next = advice::give_up;
    std::string sqlstate; ///< Five characters, or empty where the server sent none.
    int native = 0;       ///< The server's own error number, local_cause, or 0.
    std::string
        message; ///< Our text, for people; never parse it. Names every candidate's last cause.
    std::string server_text =
        {}; ///< The server's text: at most 1,000 bytes, control bytes escaped.

    friend bool operator==(const failure&, const failure&) = default;
};

/// A failure of ours with a message and advice; the other fields are empty.
HADR_EXPORT failure make_failure(errc code, advice next, std::string message);

/// One line: "deadline_exceeded: MESSAGE [SQLSTATE] (server: TEXT)".
HADR_EXPORT std::string to_string(const failure& what);
HADR_EXPORT std::ostream& operator<<(std::ostream& out, const failure& what);

/// Text from a server made fit for a log line: cut to bytes_max, control bytes and invalid UTF-8 as
/// \xNN.
HADR_EXPORT std::string escaped(std::string_view server_text, std::size_t bytes_max = 1000);

}

template <>
struct std::is_error_code_enum<hadr::errc> : std::true_type {};
