// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/mark.hpp"
#include "core/schedule_point.hpp"
#include "runtime/lease_access.hpp"
#include "runtime/store.hpp"

// What nearly every hand-out and every return is, in as few steps as there can be; all else is kept
// out of line.
namespace hadr::inline v0::runtime {

[[gnu::always_inline]] inline expected<lease> store::acquire(const request& wanted) {
    const bool reads = wanted.intent ? *wanted.intent == intent::read
                                     : reads_by_default_.load(std::memory_order_relaxed);
    if (reads || wanted.hold || !alive() || ahead_.load() != 0)
        return acquire_at_length(wanted);
    const auto [now, place] = world_.look();
    auto* const pool = writer_pool_.load(std::memory_order_acquire);
    core::schedule_point();
    const auto needed = acceptance_.load(std::memory_order_relaxed);
    if (!fresh(now) || pool == nullptr || needed == 0)
        return acquire_at_length(wanted);
    auto& near = pool->near(place);
    const auto how = near.take<&slot::acceptance>({acceptance_, needed});
    if (how == attempt::taken)
        return lease_access::make(&near);
    if (how == attempt::spoilt)
        refuse(near);
    return acquire_elsewhere(wanted);
}

[[gnu::always_inline]] inline void store::give_back(slot& held) noexcept {
    const bool spoilt = (held.dirty | held.broken | held.in_transaction) != 0;
    const bool clean =
        !spoilt && alive() && current_stamp(held) && !held.hung_up.load(std::memory_order_relaxed);
    if (!clean) {
        give_back_unfit(held);
        return;
    }
    held.state.store(slot_state::idle);
    core::schedule_point();
    core::mark<"clean session returned">();
    if (ahead_.load() != 0)
        pass_on(held);
}

}
