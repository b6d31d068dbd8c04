// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <string>
#include <utility>
#include <vector>

namespace hadr::inline v0::libpq {

/// libpq's keywords and values. The password is among them: wiped at the end, never printed (X4).
class option_list {
public:
    option_list() = default;
    option_list(option_list&&) = default;
    option_list& operator=(option_list&&) = default;
    ~option_list();

    void add(const char* keyword, std::string value) {
        all_.emplace_back(keyword, std::move(value));
    }
    const std::vector<std::pair<const char*, std::string>>& all() const noexcept { return all_; }

private:
    std::vector<std::pair<const char*, std::string>> all_;
};

/// Every option that libpq would else take from the environment, a service file or a file in the
/// home folder, given explicitly (X2, M10), as far as that version of libpq (PQlibVersion) knows
/// it; but for PGTZ, PGDATESTYLE and PGGEQO, which it has no option for. Errors:
/// configuration_invalid for what cannot be neutralized or is not to be had; unreachable, of a
/// local cause, while a password cannot be read.
expected<option_list> options_for(const target& to, world& through, int libpq);

/// The one table from our values to libpq's (rulings 19).
const char* ssl_mode(encryption of) noexcept;

}
