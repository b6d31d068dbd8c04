// SPDX-License-Identifier: Apache-2.0
#include "core/storm.hpp"

#include <algorithm>

namespace hadr::inline v0::core {

permit take(const bucket& was, const storm_limit& limit, time_point now) noexcept {
    const duration each =
        std::chrono::nanoseconds(std::chrono::seconds(1)) / std::max(limit.per_second, 1);
    const auto depth = each * std::max(limit.burst, 1);
    const auto full_at = std::max(was.full_at, now) + each;
    if (full_at - now > depth)
        return {was, false, full_at - depth};
    return {{full_at}, true, now};
}

}
