// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/performing.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace hadr::inline v0::odbc {

namespace {

constexpr std::size_t notices_max = 100;

bool of_a_dead_link(std::span<const diagnostic> all) noexcept {
    return std::any_of(all.begin(), all.end(), [](const diagnostic& one) {
        return one.sqlstate == "08S01" || one.sqlstate == "08003" || one.sqlstate == "08007";
    });
}

}

// False if the statement failed. Of several results the last one is the answer's.
bool call::collect(known_statement& on, SQLRETURN how) {
    auto* const from = on.by.get();
    for (bool more = true; more;) {
        if (how != SQL_NO_DATA && !SQL_SUCCEEDED(how))
            return fail(on);
        if (how == SQL_SUCCESS_WITH_INFO)
            take_notices(on);
        if (!take_result(on))
            return false;
        // A lone query brings no second one, and tells of its failures while its rows are read.
        if (on.sort.query && ended.in_rows)
            return true;
        how = SQLMoreResults(from);
        more = how != SQL_NO_DATA;
    }
    return true;
}

bool call::take_result(known_statement& on) {
    // Of a text that is prepared, and does not ask for whatever columns there are.
    if (on.prepared && on.shape_known && on.names) {
        ended.in_rows = true;
        result_->set_names(on.names);
        return take_rows(on);
    }
    SQLSMALLINT columns = 0;
    if (!SQL_SUCCEEDED(SQLNumResultCols(on.by.get(), &columns)))
        return fail(on);
    if (columns > 0)
        return name_columns(on, columns) && take_rows(on);
    ended.in_rows = false;
    result_->set_names(nullptr);
    SQLLEN count = 0;
    const bool counted = SQL_SUCCEEDED(SQLRowCount(on.by.get(), &count)) && count > 0;
    result_->affected = counted ? static_cast<std::uint64_t>(count) : 0;
    return true;
}

bool call::name_columns(known_statement& on, SQLSMALLINT columns) {
    const auto count = static_cast<std::size_t>(columns);
    ended.in_rows = true;
    auto names = std::make_shared<column_names>(count);
    std::array<SQLCHAR, 256> text{};
    for (std::size_t i = 0; i < count; ++i) {
        SQLSMALLINT length = 0;
        const auto how = SQLColAttribute(
            on.by.get(),
            static_cast<SQLUSMALLINT>(i + 1),
            SQL_DESC_LABEL,
            text.data(),
            static_cast<SQLSMALLINT>(text.size()),
            &length,
            nullptr
        );
        if (!SQL_SUCCEEDED(how))
            return fail(on);
        const auto end = std::find(text.begin(), text.end(), SQLCHAR{});
        (*names)[i].assign(text.begin(), end);
    }
    on.names = std::move(names);
    result_->set_names(on.names);
    if (by_.binds_columns && on.stays && on.plain)
        on.columns.bind(on.by.get(), count);
    return true;
}

// A large value comes in pieces, each with an end mark; the first one is where it stays already.
bool call::take_large(known_statement& on, SQLUSMALLINT column, SQLRETURN how, SQLLEN length) {
    flat_result::place here{result_->used(), 0, true};
    while (how != SQL_NO_DATA) { // Else the piece before was the last.
        if (!SQL_SUCCEEDED(how))
            return fail(on);
        if (length == SQL_NULL_DATA) {
            result_->add_place(here);
            return true;
        }
        here.null = false;
        const auto room = result_->room_left();
        if (length != SQL_NO_TOTAL && static_cast<std::size_t>(length) < room) {
            result_->use(static_cast<std::size_t>(length));
            break;
        }
        // What a driver converts may fill less of the room than there is.
        const bool unsure = length == SQL_NO_TOTAL || ways_.wide_parameters;
        const auto got = unsure ? strnlen(result_->room(0), room - 1) : room - 1;
        result_->use(got);
        if (how == SQL_SUCCESS)
            break;
        if (result_->used() > limits_.bytes_max)
            return fail_too_large();
        auto least = length == SQL_NO_TOTAL ? 2 * room : static_cast<std::size_t>(length) - got + 1;
        least = std::clamp(least, least_room, limits_.bytes_max);
        char* const to = result_->room(least);
        const auto more = static_cast<SQLLEN>(result_->room_left());
        length = SQL_NO_TOTAL;
        how = SQLGetData(on.by.get(), column, SQL_C_CHAR, to, more, &length);
    }
    here.length = result_->used() - here.begin;
    result_->add_place(here);
    return true;
}

// That a value was cut where it is bound is no news: it is read again.
void call::take_notices(const known_statement& on) {
    for (const auto& one : diagnostics_of(SQL_HANDLE_STMT, on.by.get()))
        if (ended.notices.size() < notices_max && !(on.columns.bound() && one.sqlstate == "01004"))
            ended.notices.push_back({escaped(one.sqlstate, 5), escaped(one.text)});
}

phase call::phase_of(const known_statement& on) const noexcept {
    if (asked.kind != statement_kind::commit || &on == &own_)
        return phase::statement;
    return writes_once(on.sent) ? phase::lone_write : phase::commit;
}

bool call::fail(const known_statement& on) {
    const auto all = diagnostics_of(SQL_HANDLE_STMT, on.by.get());
    const bool gone = of_a_dead_link(all) || dead(of_->get());
    ended.failed = statement_failure(ways_, all, phase_of(on), gone);
    ended.lost = ended.lost || gone || ended.failed->code == errc::outcome_unknown;
    if (&on != &own_)
        unsent_ = !gone && refused_by_the_driver(all);
    return false;
}

// Our own sessions only ever read.
bool call::fail_too_large() {
    const bool own = limits_.rows_max != 0;
    ended.lost = true;
    ended.failed = make_failure(
        own ? errc::unreachable : errc::outcome_unknown,
        own ? advice::retry : advice::verify,
        "the answer is larger than it may be; the session is given up"
    );
    return false;
}

}
