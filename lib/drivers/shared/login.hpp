// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <string>

namespace hadr::inline v0::drivers {

/// The password of this login, from wherever the profile says. Errors: unreachable, of a local
/// cause, while it cannot be read.
expected<secret> password_for(const profile& with, world& through);

/// "db1:5432 (10.0.0.1)", or what stands for a server where there is none.
std::string place_of(const target& to);

}
