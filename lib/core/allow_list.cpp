// SPDX-License-Identifier: Apache-2.0
#include "core/allow_list.hpp"

#include <algorithm>
#include <string_view>

namespace hadr::inline v0::core {

namespace {

bool host_fits(std::string_view host, std::string_view pattern) noexcept {
    if (pattern == "*")
        return true;
    if (!pattern.starts_with("*."))
        return host == pattern;
    const auto suffix = pattern.substr(1);
    return host.size() > suffix.size() && host.ends_with(suffix);
}

// "[::1]:5432" and "db3:5432" name a port; "::1" does not.
bool fits(const endpoint& at, std::string_view pattern) {
    if (pattern.starts_with('[')) {
        const auto end = pattern.find(']');
        if (end == std::string_view::npos)
            return false;
        const auto rest = pattern.substr(end + 1);
        return at.host == pattern.substr(1, end - 1) &&
               (rest.empty() || rest == ":" + std::to_string(at.port));
    }
    const auto colon = pattern.rfind(':');
    const bool with_port = colon != std::string_view::npos && pattern.find(':') == colon;
    if (!with_port)
        return host_fits(at.host, pattern);
    return host_fits(at.host, pattern.substr(0, colon)) &&
           pattern.substr(colon + 1) == std::to_string(at.port);
}

}

bool allowed(const endpoint& at, std::span<const std::string> patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& one) {
        return fits(at, one);
    });
}

}
