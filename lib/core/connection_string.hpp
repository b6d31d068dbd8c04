// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/store.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::core {

/// One key=value as written; the key is not looked up yet.
struct setting {
    std::string key;
    std::string value;
    std::size_t place = 0; ///< Of the key in the text, from 1.
    bool quiet = false;    ///< Never repeated in an error: may be the rest of a secret (X4).
};

/// ODBC grammar. Errors name the place, never a value.
expected<std::vector<setting>> read_odbc(std::string_view text);
/// postgresql://user:password@host:port,host/database?key=value, with percent decoding.
expected<std::vector<setting>> read_uri(std::string_view text);

/// Settings to a specification, with every check that concerns more than one key.
expected<store_specification> assemble(const std::vector<setting>& all);

/// What a password is printed as.
inline constexpr std::string_view redaction = "[redacted]";

/// Why no login can be made with it, if so: a password was printed before it was given. Asked: a
/// callback gives the store's.
std::optional<failure> unusable_secret(const store_specification& store, bool asked);

failure malformed(std::string message);

/// Equal in everything, profiles by value; for tests and for what a change of configuration
/// changes.
bool same(const store_specification& a, const store_specification& b);

}
