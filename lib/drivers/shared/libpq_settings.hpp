// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::drivers {

/// One of libpq's keywords and its value.
struct libpq_setting {
    std::string_view ours; ///< The key that an error names; empty: the value is our own.
    const char* keyword;
    std::string value;
};

/// libpq takes an empty value for none given, and then looks into the environment; this one is
/// given, and no file.
inline constexpr const char* no_file = "/dev/null/none";

/// Sent only to a server that asks for a password although none is configured.
inline constexpr const char* no_password = "none-configured";

/// What every libpq is told, by itself or inside an ODBC driver, that it would else take from the
/// environment, a service file or the home folder (X2, M10): all but where it goes, as whom, for
/// how long, and the sslmode.
std::vector<libpq_setting> libpq_settings(const target& to);

}
