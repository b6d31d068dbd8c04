// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/lease.hpp>

#include <memory>

namespace hadr::inline v0::odbc {

/// Driver=NAME and DSN=NAME, by unixODBC. Immutable, thread-safe. A login is refused
/// (configuration_invalid) where odbcinst.ini or the environment would trace it into a file or pool
/// sessions behind the library's back. The marks of parameters are the engine's: see
/// lease::execute().
HADR_EXPORT std::shared_ptr<driver> make_driver();

/// The lease's SQLHDBC, valid as long as the lease; null if its driver is another. Do not call
/// SQLDisconnect or SQLFreeHandle on it, and free every statement handle of one's own before the
/// lease ends. No deadline binds calls that are made on it (rulings 8): a driver may keep its
/// caller as long as a silent server lets it.
HADR_EXPORT void* native(lease& held) noexcept;

}
