// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/store.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace hadr::test {

/// A password that nobody has takes the place of whatever the profile says.
void spoil_password(profile& of);

/// The connection string of somebody's own servers, and others that differ from it a little.
class own_string {
public:
    /// Throws std::runtime_error if it cannot be parsed.
    explicit own_string(std::string_view text);

    const store_specification& says() const noexcept { return says_; }

    using change = std::function<void(store_specification&, profile&)>;
    std::string but(const change& other) const;
    /// Of one server alone, with everything at its default but the login.
    std::string standalone(const endpoint& at, const change& other = {}) const;

private:
    store_specification says_;
};

}
