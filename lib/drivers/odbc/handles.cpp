// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/handles.hpp"

#include <cstdint>

#include <sqlext.h>

namespace hadr::inline v0::odbc {

namespace {

// Numbers travel as pointers.
SQLPOINTER number(std::uintptr_t of) noexcept {
    return reinterpret_cast<SQLPOINTER>(of);
}

}

environment make_environment() {
    // Of the process, and read when an environment is made: CPTimeout in odbcinst.ini is nothing
    // without it.
    SQLSetEnvAttr(SQL_NULL_HANDLE, SQL_ATTR_CONNECTION_POOLING, number(SQL_CP_OFF), 0);
    environment made(SQL_NULL_HANDLE);
    if (made)
        SQLSetEnvAttr(made.get(), SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    return made;
}

connection::~connection() {
    if (!connected_ || SQL_SUCCEEDED(SQLDisconnect(of_.get())))
        return;
    // Refused inside a transaction that the driver manager knows of.
    SQLEndTran(SQL_HANDLE_DBC, of_.get(), SQL_ROLLBACK);
    SQLDisconnect(of_.get());
}

bool dead(SQLHDBC session) noexcept {
    SQLUINTEGER is = SQL_CD_FALSE;
    return SQL_SUCCEEDED(SQLGetConnectAttr(session, SQL_ATTR_CONNECTION_DEAD, &is, 0, nullptr)) &&
           is == SQL_CD_TRUE;
}

}
