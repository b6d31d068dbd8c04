// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::inline v0::libpq {

namespace {

// Repeating is safe and may help: nothing of the statement remains.
constexpr std::array<std::string_view, 11> worth_repeating = {
    "40001", // serialization failure, recovery conflict
    "40P01", // deadlock
    "55P03", // lock not available
    "55006", // object in use
    "57014", // cancelled, statement timeout
    "53000",
    "53100", // disk full (F36)
    "53200", // out of memory
    "53300", // too many connections (F25)
    "25P02", // the transaction had failed already
    "25P03"};

template <class List>
bool among(const List& all, std::string_view sqlstate) noexcept {
    return std::find(all.begin(), all.end(), sqlstate) != all.end();
}

bool sqlstate_like(std::string_view five) noexcept {
    return five.size() == 5 && std::all_of(five.begin(), five.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

// The written list of C7: classes of the server's errors that end a statement, and its transaction,
// before anything of it can be committed. Not on it: 08, which a proxy sends for a server that it
// lost, and 00 to 02, which are no errors.
constexpr std::array<std::string_view, 38> definite_classes = {
    "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21", "22", "23", "24",
    "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F",
    "40", "42", "44", "53", "54", "55", "57", "58", "F0", "HV", "P0", "XX"};

// The standard leaves these to implementations; what is not the server's own is raised by the
// application's functions, inside the transaction that it ends.
bool left_to_applications(std::string_view sqlstate) noexcept {
    const char first = sqlstate.front();
    return (first >= '5' && first <= '9') || (first >= 'I' && first <= 'Z');
}

// 40003 says of itself that the outcome is open; after 57P0x the server ends the session, and its
// commit may be done, here alone or everywhere.
bool definite(std::string_view sqlstate) noexcept {
    if (!sqlstate_like(sqlstate) || sqlstate == "40003" || sqlstate.starts_with("57P"))
        return false;
    return among(definite_classes, sqlstate.substr(0, 2)) || left_to_applications(sqlstate);
}

failure with_words(failure base, std::string_view sqlstate, std::string_view text) {
    base.sqlstate = escaped(sqlstate, 5);
    base.server_text = escaped(text);
    return base;
}

}

failure rejected(std::string_view sqlstate, std::string_view server_text) {
    if (sqlstate == "25006") // F37
        return with_words(
            make_failure(errc::wrong_role, advice::retry, "the session is read-only"),
            sqlstate,
            server_text
        );
    if (!definite(sqlstate))
        return with_words(lost({}), sqlstate, server_text);
    const auto next = among(worth_repeating, sqlstate) ? advice::retry : advice::give_up;
    return with_words(
        make_failure(errc::rejected_by_server, next, "the server refused the statement"),
        sqlstate,
        server_text
    );
}

failure lost(std::string_view last_words) {
    auto made = make_failure(
        errc::outcome_unknown,
        advice::verify,
        "the session was lost, or its server, before the answer came"
    );
    made.sqlstate = escaped(last_words, 5);
    return made;
}

failure
login_rejected(std::string_view sqlstate, std::string_view server_text, const std::string& where) {
    if (sqlstate.starts_with("57P")) // F33: not yet.
        return with_words(
            make_failure(errc::unreachable, advice::retry, where + " takes no logins now"),
            sqlstate,
            server_text
        );
    if (sqlstate == "53300") // F25: full, not down.
        return with_words(
            make_failure(errc::rejected_by_server, advice::retry, where + " has no session left"),
            sqlstate,
            server_text
        );
    const bool passing = sqlstate.starts_with("53") || sqlstate.starts_with("08") ||
                         sqlstate.starts_with("40") || sqlstate.starts_with("58");
    return with_words(
        make_failure(
            errc::rejected_by_server,
            passing ? advice::retry : advice::give_up,
            where + " refused the login"
        ),
        sqlstate,
        server_text
    );
}

server_words words_in(std::string_view message) {
    // "... failed: FATAL:  28P01: text": two spaces follow the severity in every language.
    for (auto at = message.find(":  "); at != std::string_view::npos;
         at = message.find(":  ", at + 1)) {
        const auto rest = message.substr(at + 3);
        // FATAL has five letters too, and two spaces behind it.
        if (rest.size() < 7 || !sqlstate_like(rest.substr(0, 5)) || rest.substr(5, 2) != ": " ||
            rest.substr(7, 1) == " ")
            continue;
        const auto text = rest.substr(7);
        return {std::string(rest.substr(0, 5)), std::string(text.substr(0, text.find('\n')))};
    }
    return {};
}

// A server whose certificate was refused hangs up as well: until the session is secured the time
// before libpq's last step counts, and after it a reset alone. "SYSCALL" and OpenSSL's own words
// are not translated.
bool wire_failed(const ending& how, std::string_view message) noexcept {
    const auto says = [message](std::string_view words) {
        return message.find(words) != std::string_view::npos;
    };
    if (how.unsent || how.gone_before)
        return true;
    if (how.secured)
        return how.gone;
    return !says("certificate verify failed") &&
           (how.reset || says("SYSCALL") || says("unexpected eof"));
}

}
