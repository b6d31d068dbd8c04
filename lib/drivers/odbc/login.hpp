// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <string>

namespace hadr::inline v0::odbc {

/// The password of this login, from wherever the profile says. Errors: unreachable, of a local
/// cause, while it cannot be read.
expected<secret> password_for(const profile& with, world& through);

/// "db1:1433 (10.0.0.1)", or the data source's or file's name where there is no server.
std::string place_of(const target& to);

}
