// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/endpoint.hpp>

#include <span>
#include <string>

namespace hadr::inline v0::core {

/// Whether one of the patterns lets the address be contacted with credentials (X3): "db3" or
/// "db3:5432" that host, "*.example.com" every host below it, "*" every host. A pattern without a
/// port allows every port. Hosts are in lower case.
bool allowed(const endpoint& at, std::span<const std::string> patterns);

}
