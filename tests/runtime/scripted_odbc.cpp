// SPDX-License-Identifier: Apache-2.0
#include "runtime/scripted_odbc.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <sql.h>
#include <sqlext.h>

namespace hadr::test {

namespace {

struct bound {
    const char* bytes = nullptr;
    const SQLLEN* length = nullptr;
};

struct bound_column {
    char* to = nullptr;
    std::size_t room = 0;
    SQLLEN* length = nullptr;
};

using row = std::vector<std::optional<std::string>>;

/// One handle of any kind.
struct thing {
    std::string prepared;
    std::vector<bound> parameters;
    std::vector<odbc_script::record> records;
    std::map<std::size_t, bound_column> columns;
    const std::vector<row>* rows = nullptr; ///< Of what ran last.
    std::size_t fetched = 0;
    std::uintptr_t limit = 60;      // As the connection string says it.
    std::vector<std::size_t> given; ///< Of each value of this row, by SQLGetData.
};

thing& of(SQLHANDLE which) {
    return *static_cast<thing*>(which);
}

std::string text_of(const SQLCHAR* text, SQLINTEGER length) {
    return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)};
}

SQLRETURN run(thing& on, const std::string& text) {
    auto& script = *odbc_now;
    script.executed.push_back(text);
    script.limit = on.limit;
    script.values.clear();
    for (const auto& one : on.parameters) {
        std::optional<std::string> value;
        if (*one.length != SQL_NULL_DATA)
            value.emplace(one.bytes, static_cast<std::size_t>(*one.length));
        script.values.push_back(std::move(value));
    }
    if (script.on_execute)
        script.on_execute(text);
    on.records.clear();
    const auto bringing = script.rows.find(text);
    on.rows = bringing == script.rows.end() ? nullptr : &bringing->second;
    on.fetched = 0;
    const auto failing = script.failures.find(text);
    if (failing == script.failures.end())
        return SQL_SUCCESS;
    on.records = failing->second;
    return SQL_ERROR;
}

const row& row_of(const thing& on) {
    return (*on.rows)[on.fetched - 1];
}

// As every driver does: an end mark always, and the whole length of what was cut.
SQLRETURN give(thing& on, std::string_view text, const bound_column& into) {
    const auto some = text.substr(0, into.room - 1);
    std::copy(some.begin(), some.end(), into.to);
    into.to[some.size()] = 0;
    *into.length = static_cast<SQLLEN>(text.size());
    if (some.size() == text.size())
        return SQL_SUCCESS;
    on.records.push_back({"01004", 0});
    return SQL_SUCCESS_WITH_INFO;
}

SQLRETURN fetch(thing& on) {
    auto& script = *odbc_now;
    script.bound = static_cast<int>(on.columns.size());
    if (on.rows == nullptr || on.fetched == on.rows->size())
        return SQL_NO_DATA;
    on.records = script.warnings;
    const auto& now = (*on.rows)[on.fetched++];
    on.given.assign(now.size(), 0);
    for (const auto& [which, column] : on.columns) {
        if (now[which])
            give(on, *now[which], column);
        else
            *column.length = SQL_NULL_DATA;
    }
    return on.records.empty() ? SQL_SUCCESS : SQL_SUCCESS_WITH_INFO;
}

SQLRETURN read(thing& on, std::size_t which, const bound_column& into) {
    ++odbc_now->read;
    on.records.clear();
    const auto& value = row_of(on)[which];
    if (!value) {
        *into.length = SQL_NULL_DATA;
        return SQL_SUCCESS;
    }
    auto& given = on.given[which];
    const auto how = give(on, std::string_view(*value).substr(given), into);
    given += std::min(value->size() - given, into.room - 1);
    return how;
}

}

}

using hadr::test::fetch;
using hadr::test::odbc_now;
using hadr::test::of;
using hadr::test::read;
using hadr::test::run;
using hadr::test::text_of;

SQLRETURN SQLAllocHandle(SQLSMALLINT, SQLHANDLE, SQLHANDLE* made) {
    ++odbc_now->handles;
    *made = new hadr::test::thing;
    return SQL_SUCCESS;
}

SQLRETURN SQLFreeHandle(SQLSMALLINT, SQLHANDLE which) {
    --odbc_now->handles;
    delete &of(which);
    return SQL_SUCCESS;
}

SQLRETURN SQLSetEnvAttr(SQLHENV, SQLINTEGER which, SQLPOINTER value, SQLINTEGER) {
    if (which == SQL_ATTR_CONNECTION_POOLING)
        odbc_now->pooling = reinterpret_cast<std::uintptr_t>(value) != SQL_CP_OFF;
    return SQL_SUCCESS;
}

SQLRETURN SQLGetConnectAttr(SQLHDBC, SQLINTEGER, SQLPOINTER value, SQLINTEGER, SQLINTEGER*) {
    *static_cast<SQLUINTEGER*>(value) = odbc_now->dead ? SQL_CD_TRUE : SQL_CD_FALSE;
    return SQL_SUCCESS;
}

SQLRETURN SQLDisconnect(SQLHDBC) {
    ++odbc_now->disconnects;
    return SQL_SUCCESS;
}

SQLRETURN SQLEndTran(SQLSMALLINT, SQLHANDLE, SQLSMALLINT) {
    return SQL_SUCCESS;
}

SQLRETURN SQLExecDirect(SQLHSTMT on, SQLCHAR* text, SQLINTEGER length) {
    return run(of(on), text_of(text, length));
}

SQLRETURN SQLPrepare(SQLHSTMT on, SQLCHAR* text, SQLINTEGER length) {
    of(on).prepared = text_of(text, length);
    return SQL_SUCCESS;
}

SQLRETURN SQLExecute(SQLHSTMT on) {
    return run(of(on), of(on).prepared);
}

SQLRETURN SQLFreeStmt(SQLHSTMT on, SQLUSMALLINT what) {
    if (what == SQL_RESET_PARAMS)
        of(on).parameters.clear();
    if (what == SQL_UNBIND)
        of(on).columns.clear();
    return SQL_SUCCESS;
}

SQLRETURN SQLCancel(SQLHSTMT) {
    ++odbc_now->cancels;
    return SQL_SUCCESS;
}

SQLRETURN SQLBindParameter(
    SQLHSTMT on,
    SQLUSMALLINT which,
    SQLSMALLINT,
    SQLSMALLINT,
    SQLSMALLINT,
    SQLULEN,
    SQLSMALLINT,
    SQLPOINTER value,
    SQLLEN,
    SQLLEN* length
) {
    auto& all = of(on).parameters;
    all.resize(std::max<std::size_t>(all.size(), which));
    all[which - 1U] = {static_cast<const char*>(value), length};
    return SQL_SUCCESS;
}

SQLRETURN
SQLBindCol(
    SQLHSTMT on, SQLUSMALLINT which, SQLSMALLINT, SQLPOINTER to, SQLLEN room, SQLLEN* length
) {
    of(on).columns[which - 1U] = {static_cast<char*>(to), static_cast<std::size_t>(room), length};
    return SQL_SUCCESS;
}

SQLRETURN SQLNumResultCols(SQLHSTMT on, SQLSMALLINT* count) {
    const auto* const rows = of(on).rows;
    *count = rows == nullptr ? 0 : static_cast<SQLSMALLINT>(rows->front().size());
    return SQL_SUCCESS;
}

SQLRETURN SQLRowCount(SQLHSTMT, SQLLEN* count) {
    *count = 0;
    return SQL_SUCCESS;
}

SQLRETURN SQLMoreResults(SQLHSTMT) {
    return SQL_NO_DATA;
}

// Every column has the same name.
SQLRETURN
SQLColAttribute(SQLHSTMT, SQLUSMALLINT, SQLUSMALLINT, SQLPOINTER name, SQLSMALLINT, SQLSMALLINT* length, SQLLEN*) {
    *static_cast<char*>(name) = 'c';
    *length = 1;
    return SQL_SUCCESS;
}

SQLRETURN SQLFetch(SQLHSTMT on) {
    return fetch(of(on));
}

SQLRETURN SQLGetData(
    SQLHSTMT on, SQLUSMALLINT which, SQLSMALLINT, SQLPOINTER to, SQLLEN room, SQLLEN* length
) {
    return read(
        of(on), which - 1U, {static_cast<char*>(to), static_cast<std::size_t>(room), length}
    );
}

SQLRETURN SQLSetStmtAttr(SQLHSTMT on, SQLINTEGER which, SQLPOINTER value, SQLINTEGER) {
    if (which == SQL_ATTR_QUERY_TIMEOUT)
        of(on).limit = reinterpret_cast<std::uintptr_t>(value);
    return SQL_SUCCESS;
}

SQLRETURN SQLGetDiagRec(
    SQLSMALLINT,
    SQLHANDLE which,
    SQLSMALLINT number,
    SQLCHAR* state,
    SQLINTEGER* native,
    SQLCHAR* text,
    SQLSMALLINT,
    SQLSMALLINT* length
) {
    const auto& all = of(which).records;
    const auto at = static_cast<std::size_t>(number) - 1;
    if (at >= all.size())
        return SQL_NO_DATA;
    std::copy(all[at].sqlstate.begin(), all[at].sqlstate.end(), state);
    *native = all[at].native;
    *text = 0;
    *length = 0;
    return SQL_SUCCESS;
}
