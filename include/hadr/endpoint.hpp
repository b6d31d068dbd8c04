// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace hadr::inline v0 {

/// Where a server listens. Host and instance compare without regard to case (C49): they are stored
/// lower-case, but for a Unix-socket directory, whose host begins with '/'.
struct endpoint {
    std::string host;       ///< A name, a numeric address without brackets, or a socket directory.
    std::uint16_t port = 0; ///< 0: the engine's default.
    std::string instance;   ///< Named instance, or empty.

    bool local_socket() const noexcept { return !host.empty() && host.front() == '/'; }

    friend auto operator<=>(const endpoint&, const endpoint&) = default;
};

/// "db1:5432", "[::1]:5432", "db1\\inst", "/run/postgresql:5432": what Server= takes.
HADR_EXPORT std::string to_string(const endpoint& at);
HADR_EXPORT std::ostream& operator<<(std::ostream& out, const endpoint& at);

}
