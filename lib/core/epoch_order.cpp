// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_order.hpp"

#include <optional>

namespace hadr::inline v0::core {

namespace {

// Sign of a - b, or none if a part is missing.
template <class T>
std::optional<int> sign(const std::optional<T>& a, const std::optional<T>& b) noexcept {
    if (!a || !b)
        return std::nullopt;
    return *a < *b ? -1 : *a > *b ? 1 : 0;
}

epoch_order order_of(int sign) noexcept {
    return sign < 0 ? epoch_order::older : sign > 0 ? epoch_order::newer : epoch_order::same;
}

}

epoch_order compare(const epoch& a, const epoch& b) noexcept {
    if (a.lineage.empty() || b.lineage.empty())
        return epoch_order::unordered;
    if (a.lineage != b.lineage)
        return epoch_order::foreign;
    const auto term = sign(a.term, b.term);
    const auto revision = sign(a.revision, b.revision);
    if (!term)
        return epoch_order::unordered;
    if (*term == 0) {
        if (a.fork && b.fork && *a.fork != *b.fork)
            return epoch_order::unordered;
        return order_of(revision.value_or(0));
    }
    // The engine's counter went the other way: a stolen lock, or a timeline that went back.
    if (revision && *revision == -*term)
        return epoch_order::unordered;
    return order_of(*term);
}

}
