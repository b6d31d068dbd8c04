// SPDX-License-Identifier: Apache-2.0
#include "support/odbc_handles.hpp"

#include <atomic>

#include <dlfcn.h>
#include <sql.h>

namespace hadr::test {

namespace {

std::atomic<long> handles{0};

template <class Function>
Function* next(const char* name) noexcept {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}

long odbc_handles_now() noexcept {
    return handles.load();
}

}

extern "C" {

SQLRETURN SQL_API SQLAllocHandle(SQLSMALLINT kind, SQLHANDLE from, SQLHANDLE* made) {
    static auto* const real = hadr::test::next<decltype(SQLAllocHandle)>("SQLAllocHandle");
    const auto how = real(kind, from, made);
    if (SQL_SUCCEEDED(how))
        ++hadr::test::handles;
    return how;
}

SQLRETURN SQL_API SQLFreeHandle(SQLSMALLINT kind, SQLHANDLE which) {
    static auto* const real = hadr::test::next<decltype(SQLFreeHandle)>("SQLFreeHandle");
    const auto how = real(kind, which);
    if (SQL_SUCCEEDED(how))
        --hadr::test::handles;
    return how;
}
}
