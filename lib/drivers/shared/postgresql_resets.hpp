// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hadr::inline v0::drivers {

inline constexpr std::string_view discard_all = "DISCARD ALL";

/// What DISCARD ALL does, but for the statements that were prepared by the protocol (rulings 7);
/// then whether there are others.
inline constexpr std::string_view discard_but_prepared =
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; "
    "SELECT pg_catalog.pg_advisory_unlock_all(); "
    "DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES; "
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements WHERE from_sql";

}
