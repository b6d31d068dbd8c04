// SPDX-License-Identifier: Apache-2.0
#include "mirroring/sql_server.hpp"

#include <algorithm>

namespace hadr::inline v0::mirroring::sql_server {

namespace {

constexpr std::uint16_t usual_port = 1433;

struct name_parts {
    std::string_view host;
    std::string_view instance;
};

name_parts split(std::string_view server_name) noexcept {
    const auto slash = server_name.find('\\');
    if (slash == std::string_view::npos)
        return {server_name, {}};
    return {server_name.substr(0, slash), server_name.substr(slash + 1)};
}

bool numeric(std::string_view host) noexcept {
    return host.find_first_not_of("0123456789.:") == std::string_view::npos;
}

bool same_host(std::string_view host, std::string_view name) noexcept {
    if (host == name)
        return true;
    return !numeric(host) && host.substr(0, host.find('.')) == name;
}

// A guid of zeros is nobody's.
bool tells(std::string_view guid) noexcept {
    return guid.find_first_not_of("0-") != std::string_view::npos;
}

}

endpoint place_called(std::string_view server_name) {
    const auto parts = split(server_name);
    endpoint made;
    made.host = parts.host;
    made.instance = parts.instance;
    made.port = parts.instance.empty() ? usual_port : std::uint16_t{0};
    return made;
}

bool some_unheard(const evidence& known, std::size_t of_first) noexcept {
    const auto count = std::min(of_first, known.members.size());
    const auto end = known.members.begin() + static_cast<std::ptrdiff_t>(count);
    return std::any_of(known.members.begin(), end, [](const member_evidence& one) {
        return !one.present && !one.trouble && one.called.empty();
    });
}

// A port names an instance as well as its name does, and wins over it.
std::optional<std::size_t> member_called(std::string_view server_name, const evidence& known) {
    for (std::size_t i = 0; i < known.members.size(); ++i)
        if (!known.members[i].dropped && known.members[i].called == server_name)
            return i;
    const auto parts = split(server_name);
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < known.members.size(); ++i) {
        const auto& at = known.places[i];
        const bool by_port = at.instance.empty() && at.port != 0;
        if (!known.members[i].called.empty() || !same_host(at.host, parts.host) ||
            (at.instance != parts.instance && !by_port))
            continue;
        if (found) // Two instances of one host: a guess could name the wrong one.
            return std::nullopt;
        found = i;
    }
    return found;
}

bool of_another_database(std::size_t claimant, const evidence& known, std::size_t of_first) {
    const auto& row = *known.members[claimant].facts;
    if (!row.claims() || !tells(row.broker))
        return false;
    const auto partner = member_called(row.partner, known);
    for (std::size_t i = 0; i < std::min(of_first, known.members.size()); ++i) {
        const auto& one = known.members[i];
        if (i != claimant && i != partner && one.present && one.facts && tells(one.facts->broker) &&
            one.facts->broker != row.broker)
            return true;
    }
    return false;
}

}
