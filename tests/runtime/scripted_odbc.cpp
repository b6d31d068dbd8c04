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

/// One handle of any kind.
struct thing {
    std::string prepared;
    std::vector<bound> parameters;
    std::vector<odbc_script::record> records;
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
    const auto failing = script.failures.find(text);
    if (failing == script.failures.end())
        return SQL_SUCCESS;
    on.records = failing->second;
    return SQL_ERROR;
}

}

}

using hadr::test::odbc_now;
using hadr::test::of;
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

SQLRETURN SQLNumResultCols(SQLHSTMT, SQLSMALLINT* count) {
    *count = 0;
    return SQL_SUCCESS;
}

SQLRETURN SQLRowCount(SQLHSTMT, SQLLEN* count) {
    *count = 0;
    return SQL_SUCCESS;
}

SQLRETURN SQLMoreResults(SQLHSTMT) {
    return SQL_NO_DATA;
}

// No statement here has rows.
SQLRETURN
SQLColAttribute(SQLHSTMT, SQLUSMALLINT, SQLUSMALLINT, SQLPOINTER, SQLSMALLINT, SQLSMALLINT*, SQLLEN*) {
    return SQL_ERROR;
}

SQLRETURN SQLFetch(SQLHSTMT) {
    return SQL_NO_DATA;
}

SQLRETURN SQLGetData(SQLHSTMT, SQLUSMALLINT, SQLSMALLINT, SQLPOINTER, SQLLEN, SQLLEN*) {
    return SQL_ERROR;
}

SQLRETURN SQLSetStmtAttr(SQLHSTMT, SQLINTEGER, SQLPOINTER, SQLINTEGER) {
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
