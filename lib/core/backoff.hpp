// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/time.hpp>

#include <cstdint>

namespace hadr::inline v0::core {

/// Doubles from first up to most.
struct backoff_rule {
    duration first{};
    duration most{};
};

/// The pause after so many failures in a row (1 or more): between half of the step and all of it,
/// by chance, so that many do not come back at once (F56).
duration delay(const backoff_rule& rule, int failures, std::uint64_t random) noexcept;

}
