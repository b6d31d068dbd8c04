// SPDX-License-Identifier: Apache-2.0
#include "mirroring/decide.hpp"

#include <string_view>

namespace hadr::inline v0::mirroring {

namespace {

bool this_machine(std::string_view host) noexcept {
    return host == "localhost" || host == "::1" || host.starts_with("127.") ||
           host.starts_with("/");
}

}

std::optional<std::size_t> member_of(const witness_row& row, const std::vector<endpoint>& members) {
    constexpr std::uint16_t usual_port = 5432;
    const auto port = [](const endpoint& at) { return at.port == 0 ? usual_port : at.port; };
    const auto find = [&](auto&& same_host) -> std::optional<std::size_t> {
        for (std::size_t i = 0; i < members.size(); ++i)
            if (port(members[i]) == port(row.at) && same_host(members[i].host))
                return i;
        return std::nullopt;
    };
    if (const auto exact = find([&](const std::string& host) { return host == row.at.host; }))
        return exact;
    if (this_machine(row.at.host))
        return find([](const std::string& host) { return this_machine(host); });
    return find([&](const std::string& host) {
        return !row.name.empty() && (host == row.name || host.starts_with(row.name + "."));
    });
}

}
