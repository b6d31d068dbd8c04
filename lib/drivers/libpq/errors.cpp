// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/errors.hpp"

#include "drivers/shared/sqlstates.hpp"

#include <fmt/format.h>

namespace hadr::inline v0::libpq {

namespace {

using drivers::definite;
using drivers::sqlstate_like;

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
    const auto next = drivers::worth_repeating(sqlstate) ? advice::retry : advice::give_up;
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
