// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/error_tables.hpp"

#include "drivers/shared/sqlstates.hpp"

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

// Nothing was ever sent by a login; the first record, if any, is the one shown.
verdict not_decided(phase during) noexcept {
    return during == phase::login ? verdict{errc::unreachable, advice::retry, 0}
                                  : verdict{errc::outcome_unknown, advice::verify, 0};
}

// Not the server's own: what ODBC and its drivers say begins with H, I or S; "HV" is left out.
bool definite(view sqlstate) noexcept {
    const bool of_odbc = sqlstate.starts_with('I') || sqlstate.starts_with('S');
    return !of_odbc && drivers::definite(sqlstate);
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
            const bool again = drivers::worth_repeating(sqlstate);
            return {errc::rejected_by_server, again ? advice::retry : advice::give_up, i};
        }
    }
    return not_decided(during);
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
        const bool unsure = commits(during) && native == 1180;
        if (unsure)
            return {errc::outcome_unknown, advice::verify, i};
        const bool again = among(mysql_retries, native);
        return {errc::rejected_by_server, again ? advice::retry : advice::give_up, i};
    }
    return not_decided(during);
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
        return not_decided(during);
    switch (static_cast<sqlite_code>(all.front().native & 0xFF)) {
    case sqlite_code::io_error:
        if (commits(during))
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
