// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/epoch.hpp>

namespace hadr::inline v0::core {

/// How a stands to b (rulings 4). Lineage first, then term, fork and revision. A missing part never
/// makes newer; where term and revision contradict each other, or two forks bear one term, there is
/// no order (E3).
epoch_order compare(const epoch& a, const epoch& b) noexcept;

}
