// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hadr::inline v0::core {

#ifdef HADR_MARKS

/// Defined by the program that counts.
void schedule_point() noexcept;
void hold_still(int more) noexcept;

/// While it lives the current agent holds a lock, and does not switch.
class holding_still {
public:
    holding_still() noexcept { hold_still(1); }
    holding_still(const holding_still&) = delete;
    ~holding_still() { hold_still(-1); }
};

#else

/// Between two atomic operations, where another agent may run as well as another thread would
/// (rulings 1). Nothing at all unless the build defines HADR_MARKS.
constexpr void schedule_point() noexcept {}

struct [[maybe_unused]] holding_still {};

#endif

}
