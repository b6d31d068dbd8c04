// SPDX-License-Identifier: Apache-2.0
#include "support/odbc_asker.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <sql.h>
#include <sqlext.h>

namespace hadr::test {

namespace {

// The interface takes what it only reads by pointers to what it might write.
SQLCHAR* characters(std::string_view text) {
    return const_cast<SQLCHAR*>(reinterpret_cast<const SQLCHAR*>(text.data()));
}

std::string first_record(SQLSMALLINT kind, SQLHANDLE of) {
    std::array<SQLCHAR, 6> state{};
    std::array<SQLCHAR, 512> text{};
    SQLINTEGER native = 0;
    SQLSMALLINT length = 0;
    if (!SQL_SUCCEEDED(SQLGetDiagRec(
            kind, of, 1, state.data(), &native, text.data(), SQLSMALLINT(text.size()), &length
        )))
        return "without a word";
    return reinterpret_cast<const char*>(text.data());
}

std::string value(SQLHSTMT of) {
    std::string whole;
    std::array<char, 4096> piece{};
    SQLLEN left = 0;
    for (;;) {
        const auto how = SQLGetData(of, 1, SQL_C_CHAR, piece.data(), SQLLEN(piece.size()), &left);
        if (!SQL_SUCCEEDED(how) || left == SQL_NULL_DATA)
            return whole;
        whole += piece.data();
        if (how == SQL_SUCCESS)
            return whole;
    }
}

}

struct odbc_asker::handles {
    SQLHENV environment = SQL_NULL_HENV;
    SQLHDBC connection = SQL_NULL_HDBC;
    bool connected = false;

    handles() {
        SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
        SQLSetEnvAttr(
            environment,
            SQL_ATTR_ODBC_VERSION,
            reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3), // NOLINT: the value is the pointer.
            0
        );
        SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
    }
    handles(const handles&) = delete;
    ~handles() {
        if (connected)
            SQLDisconnect(connection);
        SQLFreeHandle(SQL_HANDLE_DBC, connection);
        SQLFreeHandle(SQL_HANDLE_ENV, environment);
    }
};

odbc_asker::odbc_asker(std::string connection_text) : text_(std::move(connection_text)) {}

odbc_asker::~odbc_asker() = default;

bool odbc_asker::connect() {
    if (on_)
        return true;
    auto made = std::make_unique<handles>();
    SQLSMALLINT length = 0;
    const auto how = SQLDriverConnect(
        made->connection,
        nullptr,
        characters(text_),
        SQLSMALLINT(text_.size()),
        nullptr,
        0,
        &length,
        SQL_DRIVER_NOPROMPT
    );
    if (!SQL_SUCCEEDED(how)) {
        said_ = first_record(SQL_HANDLE_DBC, made->connection);
        return false;
    }
    made->connected = true;
    on_ = std::move(made);
    return true;
}

std::optional<std::vector<std::string>> odbc_asker::ask(std::string_view text) {
    if (!connect())
        return std::nullopt;
    SQLHSTMT one = SQL_NULL_HSTMT;
    SQLAllocHandle(SQL_HANDLE_STMT, on_->connection, &one);
    std::optional<std::vector<std::string>> found;
    const auto how = SQLExecDirect(one, characters(text), SQLINTEGER(text.size()));
    if (SQL_SUCCEEDED(how) || how == SQL_NO_DATA) {
        found.emplace();
        SQLSMALLINT columns = 0;
        SQLNumResultCols(one, &columns);
        while (columns > 0 && SQL_SUCCEEDED(SQLFetch(one)))
            found->push_back(value(one));
    } else {
        said_ = first_record(SQL_HANDLE_STMT, one);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, one);
    return found;
}

std::vector<std::string> odbc_asker::must(std::string_view text) {
    auto found = ask(text);
    if (!found)
        throw std::runtime_error(std::string(text) + " was refused: " + said_);
    return *std::move(found);
}

}
