// SPDX-License-Identifier: Apache-2.0
#include "core/backoff.hpp"

#include <algorithm>

namespace hadr::inline v0::core {

duration delay(const backoff_rule& rule, int failures, std::uint64_t random) noexcept {
    auto step = std::min(rule.first, rule.most);
    for (int i = 1; i < failures && step < rule.most; ++i)
        step = step > rule.most / 2 ? rule.most : step * 2;
    const auto half = step / 2;
    const auto spread = static_cast<std::uint64_t>((step - half).count()) + 1;
    return half + duration(static_cast<duration::rep>(random % spread));
}

}
