// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <cstddef>

namespace hadr::inline v0::runtime {

/// How old a statement may grow before its member is suspected (rulings 14).
constexpr duration suspicion_age = std::chrono::milliseconds(25);

/// Called once when a statement grows older than suspicion_age; a plain pointer, since a query pays
/// for it.
struct slow_call {
    void (*call)(void* self, std::size_t member) = nullptr;
    void* self = nullptr;
    std::size_t member = 0;
};

struct blocking_call {
    const statement& what;
    deadline until;
    duration otherwise; ///< If until is defaulted.
    slow_call slow = {};
};

/// Runs one statement on the calling agent; at the deadline the session is cut. Reads no clock
/// unless it has to wait.
expected<void> run_blocking(world& through, session& on, const blocking_call& made, answer& into);

}
