// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/profile.hpp>

#include <string>
#include <string_view>

namespace hadr::inline v0::drivers {

/// Whether the server must prove who it is.
constexpr bool identified(encryption how) noexcept {
    return how != encryption::disable && how != encryption::require;
}

/// The file of authorities that may sign a server's certificate.
std::string root_certificate(const profile& with);

/// Without one of its own, a root certificate is the system's.
extern const std::string_view system_certificates;

}
