// SPDX-License-Identifier: Apache-2.0
#include "core/pool_size.hpp"

#include <algorithm>

namespace hadr::inline v0::core {

int sessions_to_open(const pool_counts& now, const pool_limits& limits) noexcept {
    const int present = now.open + now.opening;
    const int unserved = now.waiters - now.idle - now.opening;
    const int missing = limits.minimum - present;
    const int room = limits.maximum - present;
    return std::max(0, std::min(room, std::max(unserved, missing)));
}

}
