// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hadr::inline v0::testing {

inline constexpr std::string_view read_only_on = "SET default_transaction_read_only = on";
inline constexpr std::string_view read_only_off = "RESET default_transaction_read_only";

}
