// SPDX-License-Identifier: Apache-2.0
#include "tds/client.hpp"

#include <algorithm>

#include <sql.h>
#include <sqlext.h>

namespace hadr::test::tds {

namespace {

SQLCHAR* text_of(std::string_view text) noexcept {
    return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text.data())); // NOLINT: ODBC's own lack.
}

SQLPOINTER number_of(std::uintptr_t value) noexcept {
    return reinterpret_cast<SQLPOINTER>(value);
}

bool good(int how) noexcept {
    return how == SQL_SUCCESS || how == SQL_SUCCESS_WITH_INFO;
}

client::value read_value(void* from, SQLUSMALLINT column) {
    std::string made;
    char part[4096];
    for (;;) {
        SQLLEN length = 0;
        const auto how = SQLGetData(from, column, SQL_C_CHAR, part, sizeof part, &length);
        if (!good(how) || length == SQL_NULL_DATA)
            return made.empty() ? client::value() : client::value(made);
        made += part;
        if (how == SQL_SUCCESS)
            return made;
    }
}

}

client::client() {
    SQLAllocHandle(SQL_HANDLE_ENV, nullptr, &environment_);
    SQLSetEnvAttr(environment_, SQL_ATTR_ODBC_VERSION, number_of(SQL_OV_ODBC3), 0);
}

client::~client() {
    disconnect();
    SQLFreeHandle(SQL_HANDLE_ENV, environment_);
}

bool client::connect(const std::string& with, int login_seconds) {
    disconnect();
    SQLAllocHandle(SQL_HANDLE_DBC, environment_, &connection_);
    SQLSetConnectAttr(
        connection_,
        SQL_ATTR_LOGIN_TIMEOUT,
        number_of(static_cast<std::uintptr_t>(login_seconds)),
        0
    );
    const auto how = SQLDriverConnect(
        connection_,
        nullptr,
        text_of(with),
        static_cast<SQLSMALLINT>(with.size()),
        nullptr,
        0,
        nullptr,
        SQL_DRIVER_NOPROMPT
    );
    take_records(SQL_HANDLE_DBC, connection_);
    if (good(how))
        return good(SQLAllocHandle(SQL_HANDLE_STMT, connection_, &statement_));
    SQLFreeHandle(SQL_HANDLE_DBC, connection_);
    connection_ = nullptr;
    return false;
}

void client::disconnect() noexcept {
    if (connection_ == nullptr)
        return;
    SQLFreeHandle(SQL_HANDLE_STMT, statement_);
    SQLEndTran(SQL_HANDLE_DBC, connection_, SQL_ROLLBACK);
    SQLDisconnect(connection_);
    SQLFreeHandle(SQL_HANDLE_DBC, connection_);
    connection_ = statement_ = nullptr;
}

client::result
client::run(std::string_view text, const std::vector<value>& parameters, int seconds) {
    SQLFreeStmt(statement_, SQL_CLOSE);
    SQLFreeStmt(statement_, SQL_RESET_PARAMS);
    SQLSetStmtAttr(
        statement_, SQL_ATTR_QUERY_TIMEOUT, number_of(static_cast<std::uintptr_t>(seconds)), 0
    );
    if (!bind(statement_, parameters))
        return {};
    const auto how = SQLExecDirect(statement_, text_of(text), static_cast<SQLINTEGER>(text.size()));
    return fetch(statement_, how);
}

std::vector<client::result>
client::run_prepared(std::string_view text, const std::vector<std::vector<value>>& sets) {
    std::vector<result> made;
    SQLHSTMT own = nullptr;
    SQLAllocHandle(SQL_HANDLE_STMT, connection_, &own);
    SQLPrepare(own, text_of(text), static_cast<SQLINTEGER>(text.size()));
    // Bound once, since FreeTDS prepares anew what is bound anew.
    std::vector<value> now(sets.empty() ? 0 : sets.front().size());
    for (std::size_t i = 0; i < now.size(); ++i)
        for (const auto& one : sets)
            if (one[i] && one[i]->size() >= now[i].value_or("").size())
                now[i] = one[i];
    bind(own, now);
    for (const auto& one : sets) {
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (one[i])
                now[i]->assign(*one[i]);
            lengths_[i] = one[i] ? static_cast<SQLLEN>(one[i]->size()) : SQL_NULL_DATA;
        }
        made.push_back(fetch(own, SQLExecute(own)));
        SQLFreeStmt(own, SQL_CLOSE);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, own);
    return made;
}

bool client::set_autocommit(bool on) {
    const auto how = SQLSetConnectAttr(
        connection_, SQL_ATTR_AUTOCOMMIT, number_of(on ? SQL_AUTOCOMMIT_ON : SQL_AUTOCOMMIT_OFF), 0
    );
    take_records(SQL_HANDLE_DBC, connection_);
    return good(how);
}

bool client::end_transaction(bool commits) {
    SQLFreeStmt(statement_, SQL_CLOSE);
    const auto how = SQLEndTran(SQL_HANDLE_DBC, connection_, commits ? SQL_COMMIT : SQL_ROLLBACK);
    take_records(SQL_HANDLE_DBC, connection_);
    return good(how);
}

bool client::dead() const {
    SQLUINTEGER made = SQL_CD_FALSE;
    SQLGetConnectAttr(connection_, SQL_ATTR_CONNECTION_DEAD, &made, SQL_IS_UINTEGER, nullptr);
    return made == SQL_CD_TRUE;
}

std::string client::current_database() const {
    char made[256] = {};
    SQLGetConnectAttr(connection_, SQL_ATTR_CURRENT_CATALOG, made, sizeof made, nullptr);
    return made;
}

bool client::has(int native) const noexcept {
    return std::any_of(records_.begin(), records_.end(), [&](const record& one) {
        return one.native == native;
    });
}

bool client::has_state(std::string_view state) const noexcept {
    return std::any_of(records_.begin(), records_.end(), [&](const record& one) {
        return one.state == state;
    });
}

void client::take_records(int kind, void* of) {
    records_.clear();
    for (SQLSMALLINT i = 1; i <= 20; ++i) {
        char state[6] = {};
        char text[512] = {};
        SQLINTEGER native = 0;
        SQLSMALLINT length = 0;
        const auto how = SQLGetDiagRec(
            static_cast<SQLSMALLINT>(kind),
            of,
            i,
            reinterpret_cast<SQLCHAR*>(state),
            &native,
            reinterpret_cast<SQLCHAR*>(text),
            sizeof text,
            &length
        );
        if (!good(how))
            return;
        records_.push_back({state, native, text});
    }
}

bool client::bind(void* on, const std::vector<value>& parameters) {
    lengths_.assign(parameters.size(), SQL_NULL_DATA);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const auto& one = parameters[i];
        const bool long_text = one && one->size() > 4000;
        if (one)
            lengths_[i] = static_cast<SQLLEN>(one->size());
        const auto how = SQLBindParameter(
            on,
            static_cast<SQLUSMALLINT>(i + 1),
            SQL_PARAM_INPUT,
            SQL_C_CHAR,
            long_text ? SQL_WLONGVARCHAR : SQL_WVARCHAR, // FreeTDS cuts the shorter at its size.
            long_text ? one->size() : 4000,
            0,
            text_of(one ? std::string_view(*one) : std::string_view()),
            0,
            &lengths_[i]
        );
        if (!good(how))
            return false;
    }
    return true;
}

client::result client::fetch(void* on, int how) {
    result made;
    take_records(SQL_HANDLE_STMT, on);
    made.succeeded = good(how) || how == SQL_NO_DATA;
    while (good(how)) {
        SQLSMALLINT columns = 0;
        SQLNumResultCols(on, &columns);
        SQLLEN affected = -1;
        SQLRowCount(on, &affected);
        made.affected = affected;
        if (columns > 0) {
            made.columns.clear();
            made.rows.clear();
        }
        for (SQLSMALLINT i = 1; i <= columns; ++i) {
            char name[256] = {};
            const auto which = static_cast<SQLUSMALLINT>(i);
            SQLColAttribute(on, which, SQL_DESC_NAME, name, sizeof name, nullptr, nullptr);
            made.columns.emplace_back(name);
        }
        while (columns > 0 && good(how = SQLFetch(on))) {
            auto& row = made.rows.emplace_back();
            for (SQLSMALLINT i = 1; i <= columns; ++i)
                row.push_back(read_value(on, static_cast<SQLUSMALLINT>(i)));
        }
        if (how == SQL_ERROR)
            break;
        how = SQLMoreResults(on);
    }
    if (how == SQL_ERROR) {
        made.succeeded = false;
        take_records(SQL_HANDLE_STMT, on);
    }
    return made;
}

std::ostream& operator<<(std::ostream& out, const client& what) {
    for (const auto& one : what.records())
        out << one.state << ' ' << one.native << ' ' << one.text << "; ";
    return out;
}

}
