// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/error.hpp>

#include <memory>
#include <utility>

#include <sql.h>

namespace hadr::inline v0::odbc {

/// One handle of the driver manager, freed at the end. Not thread-safe.
template <SQLSMALLINT Type>
class handle {
public:
    handle() = default;
    explicit handle(SQLHANDLE from) noexcept {
        if (!SQL_SUCCEEDED(SQLAllocHandle(Type, from, &of_)))
            of_ = nullptr;
    }
    handle(handle&& from) noexcept : of_(std::exchange(from.of_, nullptr)) {}
    handle& operator=(handle&& from) noexcept {
        std::swap(of_, from.of_);
        return *this;
    }
    ~handle() {
        if (of_ != nullptr)
            SQLFreeHandle(Type, of_);
    }

    explicit operator bool() const noexcept { return of_ != nullptr; }
    SQLHANDLE get() const noexcept { return of_; }

private:
    SQLHANDLE of_ = nullptr;
};

using environment = handle<SQL_HANDLE_ENV>;
using statement_handle = handle<SQL_HANDLE_STMT>;

/// An environment of ODBC 3 without the driver manager's own pooling: it would hand out sessions
/// that were never checked (P1). Empty if there is none to be had.
environment make_environment();

/// A session's handle, disconnected and freed at the end, which may wait for the server.
class connection {
public:
    connection(std::shared_ptr<environment> in) noexcept : in_(std::move(in)), of_(in_->get()) {}
    connection(const connection&) = delete;
    ~connection();

    explicit operator bool() const noexcept { return static_cast<bool>(of_); }
    SQLHDBC get() const noexcept { return of_.get(); }
    /// From then on there is something to disconnect.
    void connected() noexcept { connected_ = true; }

private:
    std::shared_ptr<environment> in_;
    handle<SQL_HANDLE_DBC> of_;
    bool connected_ = false;
};

/// True if the driver knows that the session is lost. It may ask the server.
bool dead(SQLHDBC session) noexcept;

}
