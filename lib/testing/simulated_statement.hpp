// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <string>
#include <string_view>

namespace hadr::inline v0::testing {

/// What an application's statement writes on a simulated server.
struct simulated_write {
    std::string token; ///< What its commit leaves in the ledger; empty if it writes nothing.
    bool once = false; ///< Under a unique key: fails if the token is there.
};

simulated_write write_of(std::string_view text);

/// The text with its parameters in their places; the kit's own words for what means the same.
std::string text_of(const statement& what);

/// What the server says after such a statement has succeeded.
std::string_view tag_of(std::string_view text) noexcept;

}
