// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/error_tables.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace hadr::inline v0::odbc {

namespace {

using view = std::string_view;

template <class List, class Value>
bool among(const List& all, const Value& one) noexcept {
    return std::find(all.begin(), all.end(), one) != all.end();
}

// Nothing was ever sent by a login; whatever was said, its record is the one shown.
verdict not_decided(std::span<const diagnostic> all, phase during) noexcept {
    const auto record = all.empty() ? 0 : std::size_t{0};
    return during == phase::login ? verdict{errc::unreachable, advice::retry, record}
                                  : verdict{errc::outcome_unknown, advice::verify, record};
}

// Repeating is safe and may help: nothing of the statement remains.
constexpr std::array<view, 11> worth_repeating = {
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

// The written list of C7, as for libpq: classes that end a statement, and its transaction, before
// anything of it can be committed.
constexpr std::array<view, 38> definite_classes = {
    "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21", "22", "23", "24",
    "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F",
    "40", "42", "44", "53", "54", "55", "57", "58", "F0", "HV", "P0", "XX"};

// Left to implementations: what is not the server's own is raised by the application's functions.
// From H on ODBC has its own.
bool left_to_applications(view sqlstate) noexcept {
    const char first = sqlstate.front();
    return (first >= '5' && first <= '9') || (first >= 'J' && first <= 'R') ||
           (first >= 'T' && first <= 'Z');
}

// 40003 says of itself that the outcome is open; after 57P0x the server ends the session.
bool definite(view sqlstate) noexcept {
    if (sqlstate.size() != 5 || sqlstate == "40003" || sqlstate.starts_with("57P"))
        return false;
    return among(definite_classes, sqlstate.substr(0, 2)) || left_to_applications(sqlstate);
}

struct login_words {
    view words;
    errc code;
    advice next;
    view sqlstate; ///< Of the server, which the driver does not tell.
};

constexpr view no_such = "does not exist"; ///< A user, or a database.

// In English; a server that speaks otherwise is asked again, which a lockout would count (F26).
constexpr std::array<login_words, 12> of_logins = {
    {{"the database system is ", errc::unreachable, advice::retry, "57P03"},
     {"too many ", errc::rejected_by_server, advice::retry, "53300"},
     {"remaining connection slots", errc::rejected_by_server, advice::retry, "53300"},
     {"terminating connection", errc::unreachable, advice::retry, "57P01"},
     {"authentication failed", errc::rejected_by_server, advice::give_up, "28P01"},
     {no_such, errc::rejected_by_server, advice::give_up, "28000"},
     {"no pg_hba.conf entry", errc::rejected_by_server, advice::give_up, "28000"},
     {"pg_hba.conf rejects", errc::rejected_by_server, advice::give_up, "28000"},
     {"not permitted to log in", errc::rejected_by_server, advice::give_up, "28000"},
     {"permission denied for database", errc::rejected_by_server, advice::give_up, "42501"},
     {"does not support SSL", errc::rejected_by_server, advice::give_up, ""},
     {"certificate", errc::rejected_by_server, advice::give_up, ""}}};

const login_words* words_in(const diagnostic& one) noexcept {
    const auto* const found =
        std::find_if(of_logins.begin(), of_logins.end(), [&](const login_words& each) {
            return one.text.find(each.words) != std::string::npos;
        });
    return found == of_logins.end() ? nullptr : found;
}

}

view login_sqlstate(std::span<const diagnostic> all) noexcept {
    for (const auto& one : all)
        if (const auto* const known = words_in(one)) {
            const bool of_a_database = one.text.find("database \"") != std::string::npos;
            return known->words == no_such && of_a_database ? "3D000" : known->sqlstate;
        }
    return {};
}

verdict classify_by_sqlstate(std::span<const diagnostic> all, phase during, bool dead) noexcept {
    for (std::size_t i = 0; i < all.size(); ++i) {
        const view sqlstate = all[i].sqlstate;
        if (during == phase::login) {
            if (const auto* known = words_in(all[i]))
                return {known->code, known->next, i};
        } else if (sqlstate == "25006") { // F37
            return {errc::wrong_role, advice::retry, i};
        } else if (definite(sqlstate) && (!dead || !sqlstate.starts_with("58"))) {
            const bool again = among(worth_repeating, sqlstate);
            return {errc::rejected_by_server, again ? advice::retry : advice::give_up, i};
        }
    }
    return not_decided(all, during);
}

namespace {

constexpr std::array<int, 12> mysql_retries = {
    1040, // too many connections
    1203, // of this user
    1205, // lock wait timeout: the statement alone is undone
    1213, // deadlock: the transaction is
    1020, // row changed since it was read
    1021, // disk full
    1037, // out of memory
    1041,
    1317, // interrupted
    1969, // statement time
    1180, // error during COMMIT
    1614};

// The server, its disk, or the session that is set so.
constexpr std::array<int, 4> mysql_read_only = {1290, 1792, 1836, 3100};

// The server ends the session, or the client's library found it gone.
constexpr std::array<int, 9> mysql_lost = {1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1927};

}

verdict classify_mysql(std::span<const diagnostic> all, phase during, bool dead) noexcept {
    for (std::size_t i = 0; i < all.size(); ++i) {
        const int native = all[i].native;
        const bool of_the_client = native >= 2000 && native < 3000;
        const bool definite_text = native == 0 && all[i].sqlstate.starts_with("42");
        if (of_the_client || among(mysql_lost, native) || (native == 0 && !definite_text))
            continue;
        if (during != phase::login && dead)
            continue;
        if (among(mysql_read_only, native))
            return {errc::wrong_role, advice::retry, i};
        const bool unsure = during == phase::commit && native == 1180;
        if (unsure)
            return {errc::outcome_unknown, advice::verify, i};
        const bool again = among(mysql_retries, native);
        return {errc::rejected_by_server, again ? advice::retry : advice::give_up, i};
    }
    return not_decided(all, during);
}

namespace {

enum class sqlite_code {
    no_error = 0,
    busy = 5,
    locked = 6,
    out_of_memory = 7,
    read_only = 8,
    interrupted = 9,
    io_error = 10,
    full = 13,
    cannot_open = 14,
    protocol = 15,
};

}

// The file is local: what failed is known, but for a disk that fails during a commit.
verdict classify_sqlite(std::span<const diagnostic> all, phase during, bool /*dead*/) noexcept {
    if (all.empty())
        return not_decided(all, during);
    switch (static_cast<sqlite_code>(all.front().native & 0xFF)) {
    case sqlite_code::io_error:
        if (during == phase::commit)
            return {errc::outcome_unknown, advice::verify, 0};
        return {errc::rejected_by_server, advice::retry, 0};
    case sqlite_code::busy:
    case sqlite_code::locked:
    case sqlite_code::out_of_memory:
    case sqlite_code::interrupted:
    case sqlite_code::full:
    case sqlite_code::protocol: return {errc::rejected_by_server, advice::retry, 0};
    case sqlite_code::read_only: return {errc::wrong_role, advice::retry, 0};
    case sqlite_code::cannot_open: // Its folder may not be mounted yet.
        if (during == phase::login)
            return {errc::unreachable, advice::retry, 0};
        break;
    case sqlite_code::no_error: break;
    }
    return {errc::rejected_by_server, advice::give_up, 0};
}

}
