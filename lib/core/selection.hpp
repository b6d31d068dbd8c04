// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/topology.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace hadr::inline v0::core {

struct read_rules {
    std::optional<std::uint64_t> lag_bytes_max = {};
    bool primary_fallback = true;
};

/// Members that may serve a read, best first: standbys that answer, of known small lag first, then
/// the writer. With a bound a standby of unknown lag does not qualify (R5). Returns how many were
/// written. Allocates nothing.
std::size_t
readers(const topology& view, const read_rules& rules, std::span<std::size_t> into) noexcept;

}
