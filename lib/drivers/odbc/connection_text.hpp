// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/profiles.hpp"

#include <hadr/driver.hpp>

#include <chrono>

namespace hadr::inline v0::odbc {

/// The only place where a connection string is made. A value stays one value, to the driver manager
/// and to the driver (X5): what either would read otherwise is refused. It holds the password: to
/// be given to SQLDriverConnect with SQL_DRIVER_NOPROMPT, and dropped. Errors:
/// configuration_invalid, naming the key and never a value.
expected<secret> connection_text(
    const driver_profile& of,
    const target& to,
    const secret& password,
    std::chrono::seconds login_limit
);

}
