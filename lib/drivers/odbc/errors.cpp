// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/errors.hpp"

#include "drivers/odbc/error_tables.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::odbc {

namespace {

// Raised by the driver or its manager before anything is sent, or of what was asked of them alone.
constexpr std::array<std::string_view, 10> of_the_driver = {
    "07001", "07002", "07006", "07009", "HY003", "HY004", "HY009", "HY090", "HY105", "HYC00"};

constexpr std::array<std::string_view, 4> no_such_driver = {"IM002", "IM003", "IM004", "IM012"};

bool among(std::span<const std::string_view> all, std::string_view one) noexcept {
    return std::find(all.begin(), all.end(), one) != all.end();
}

failure with_record(
    const engine_ways& of, failure made, std::span<const diagnostic> all, std::size_t which
) {
    if (which >= all.size())
        return made;
    made.sqlstate = escaped(all[which].sqlstate, 5);
    made.native = of.numbers_errors ? all[which].native : 0;
    made.server_text = escaped(all[which].text);
    return made;
}

std::string_view words_for(errc code, phase during) noexcept {
    switch (code) {
    case errc::wrong_role: return "the server does not hold the role that this needs";
    case errc::unreachable: return "cannot be reached, or takes no logins now";
    case errc::outcome_unknown:
        return "the session was lost, or its server, before the answer came";
    default: break;
    }
    return during == phase::login ? "refused the login" : "the server refused the statement";
}

verdict
judged(const engine_ways& of, std::span<const diagnostic> all, phase during, bool dead) noexcept {
    switch (of.errors) {
    case error_table::sql_server: return classify_sql_server(all, during, dead);
    case error_table::mysql: return classify_mysql(all, during, dead);
    case error_table::sqlite: return classify_sqlite(all, during, dead);
    case error_table::sqlstate: break;
    }
    return classify_by_sqlstate(all, during, dead);
}

// F51.
bool protocol_broken(const engine_ways& of, std::span<const diagnostic> all) noexcept {
    return of.broken_protocol != 0 && std::any_of(all.begin(), all.end(), [&](const auto& one) {
               return one.native == of.broken_protocol;
           });
}

failure
as_failure(const engine_ways& of, std::span<const diagnostic> all, phase during, bool dead) {
    const auto how = judged(of, all, during, dead);
    const auto words = protocol_broken(of, all) ? "what came from the server breaks the protocol"
                                                : words_for(how.code, during);
    return with_record(of, make_failure(how.code, how.next, std::string(words)), all, how.record);
}

}

failure lost() {
    return make_failure(
        errc::outcome_unknown,
        advice::verify,
        std::string(words_for(errc::outcome_unknown, phase::statement))
    );
}

failure lost_before() {
    return make_failure(
        errc::unreachable, advice::retry, "the session was lost before the statement was sent"
    );
}

bool refused_by_the_driver(std::span<const diagnostic> all) noexcept {
    return !all.empty() && among(of_the_driver, all.front().sqlstate);
}

failure
statement_failure(const engine_ways& of, std::span<const diagnostic> all, phase during, bool dead) {
    if (!dead && refused_by_the_driver(all))
        return with_record(
            of,
            make_failure(
                errc::rejected_by_server, advice::give_up, "the ODBC driver refused the statement"
            ),
            all,
            0
        );
    return as_failure(of, all, during, dead);
}

failure
login_failure(const engine_ways& of, std::span<const diagnostic> all, const std::string& where) {
    for (std::size_t i = 0; i < all.size(); ++i)
        if (among(no_such_driver, all[i].sqlstate) ||
            all[i].text.find("Can't open lib") != std::string::npos)
            return with_record(
                of,
                make_failure(
                    errc::configuration_invalid,
                    advice::give_up,
                    "the driver manager finds no such ODBC driver or data source; see odbcinst.ini"
                ),
                all,
                i
            );
    auto made = as_failure(of, all, phase::login, true);
    made.message = where + " " + made.message;
    if (of.errors == error_table::sqlstate)
        if (const auto told = login_sqlstate(all); !told.empty())
            made.sqlstate = told;
    // The driver's own word, where nobody listens: no server has said it.
    const bool unheard = made.sqlstate.starts_with("08") || made.sqlstate.starts_with("HY");
    if (made.code == errc::unreachable && unheard)
        made.sqlstate.clear();
    return made;
}

}
