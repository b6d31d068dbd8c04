// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/call.hpp"

// What nearly every statement is: the kept text that ran last, and short values. It pays for what
// it passes through in instructions, so that it goes from here to the driver in one piece; all else
// is kept out of line.
namespace hadr::inline v0::odbc {

// Straight to where it stays.
[[gnu::always_inline]] inline bool call::take_value(known_statement& on, SQLUSMALLINT column) {
    auto& into = *result_;
    char* const to = into.room(least_room);
    const auto room = static_cast<SQLLEN>(into.room_left());
    SQLLEN length = SQL_NO_TOTAL;
    const auto how = SQLGetData(on.by.get(), column, SQL_C_CHAR, to, room, &length);
    const bool whole = SQL_SUCCEEDED(how) && length >= 0 && length < room;
    if (!whole)
        return take_large(on, column, how, length);
    into.add_short(static_cast<std::size_t>(length));
    return true;
}

// Those of a row that are bound, up to the first long one; so many. What has long values once is
// read by SQLGetData from there on.
[[gnu::always_inline]] inline std::size_t
call::take_bound(known_statement& on, std::size_t columns) {
    auto& into = *result_;
    for (std::size_t i = 0; i < columns; ++i) {
        const auto length = on.columns.length(i);
        if (length >= 0 && length < static_cast<SQLLEN>(bound_columns::room)) [[likely]] {
            into.add_copy(on.columns.value(i), static_cast<std::size_t>(length));
        } else if (length == SQL_NULL_DATA) {
            into.add_place({into.used(), 0, true});
        } else {
            on.columns.unbind(on.by.get());
            return i;
        }
    }
    return columns;
}

[[gnu::always_inline]] inline bool call::take_rows(known_statement& on) {
    auto* const from = on.by.get();
    const auto columns = result_->columns();
    for (;;) {
        const auto how = SQLFetch(from);
        if (how == SQL_NO_DATA)
            return true;
        if (!SQL_SUCCEEDED(how))
            return fail(on);
        if (how == SQL_SUCCESS_WITH_INFO)
            take_notices(on);
        for (auto i = on.columns.bound() ? take_bound(on, columns) : 0; i < columns; ++i)
            if (!take_value(on, static_cast<SQLUSMALLINT>(i + 1)))
                return false;
        const bool too_many = limits_.rows_max != 0 && result_->rows() > limits_.rows_max;
        if (too_many || result_->used() > limits_.bytes_max)
            return fail_too_large();
    }
}

// False if it is not such a statement.
[[gnu::always_inline]] inline bool call::perform_again() {
    if (!asked.bound || asked.kind == statement_kind::reset)
        return false;
    auto& on = *kept_.back();
    if (!on.plain || !on.prepared || !on.names)
        return false;
    running_.store(on.by.get());
    if (ways_.own_limit)
        set_limit(on);
    result_->set_names(on.names);
    result_->tag = on.sort.tag;
    const auto how = SQLExecute(on.by.get());
    const bool well = how == SQL_SUCCESS ? take_rows(on) : collect(on, how);
    const bool closed =
        well && !cancelled_.load() && SQL_SUCCEEDED(SQLFreeStmt(on.by.get(), SQL_CLOSE));
    if (!closed || transaction_.unsettled || transaction_.in_doubt) [[unlikely]]
        put_away(on, well, closed);
    return true;
}

[[gnu::always_inline]] inline void call::perform() {
    if (!result_->only_ours()) [[unlikely]]
        leave_result();
    if (!perform_again())
        perform_at_length();
}

[[gnu::always_inline]] inline void call::run_here() noexcept {
    if (ended.failed || !ended.notices.empty()) [[unlikely]]
        forget_ended();
    try {
        perform();
    } catch (...) { // Out of memory, in the middle of an answer.
        break_off();
    }
    if (ended.failed) [[unlikely]]
        name_failure();
    running_.store(SQL_NULL_HANDLE);
    cancelled_.store(false);
    ended.transaction = ended.lost ? transaction_status::unknown : transaction_.is;
}

}
