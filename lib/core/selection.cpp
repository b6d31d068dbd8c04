// SPDX-License-Identifier: Apache-2.0
#include "core/selection.hpp"

#include <algorithm>
#include <limits>

namespace hadr::inline v0::core {

namespace {

bool fit(const topology& view, std::size_t index, const read_rules& rules) noexcept {
    const auto& one = view.members[index];
    if (one.plays != role::standby || !one.serves_reads || one.refused || one.offline ||
        one.trouble || view.writer == index)
        return false;
    return !rules.lag_bytes_max || (one.lag_bytes && *one.lag_bytes <= *rules.lag_bytes_max);
}

std::uint64_t lag_of(const member& one) noexcept {
    return one.lag_bytes.value_or(std::numeric_limits<std::uint64_t>::max());
}

}

std::size_t
readers(const topology& view, const read_rules& rules, std::span<std::size_t> into) noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < view.members.size(); ++i) {
        if (!fit(view, i, rules))
            continue;
        // Insertion by lag; the worst falls out when there is no room.
        std::size_t at = count < into.size() ? count++ : into.size();
        for (; at > 0 && lag_of(view.members[i]) < lag_of(view.members[into[at - 1]]); --at)
            if (at < into.size())
                into[at] = into[at - 1];
        if (at < into.size())
            into[at] = i;
    }
    const bool writer =
        view.writer && *view.writer < view.members.size() && !view.members[*view.writer].offline;
    if (rules.primary_fallback && writer && count < into.size())
        into[count++] = *view.writer;
    return count;
}

}
