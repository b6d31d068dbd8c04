// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.hpp"

#include <algorithm>

namespace hadr::inline v0::runtime {

std::optional<std::size_t> store::member_at(const endpoint& at) const {
    const auto& members = belief_.is.members;
    const auto found = std::find_if(members.begin(), members.end(), [&](const member& one) {
        return one.at == at;
    });
    if (found == members.end())
        return std::nullopt;
    return static_cast<std::size_t>(found - members.begin());
}

bool store::dead(const member& one) noexcept {
    return one.trouble && one.trouble->code == errc::unreachable &&
           one.trouble->native != local_cause && one.trouble->sqlstate.empty();
}

// A pool is never freed while the store lives, since an acquire may still be looking at it; one
// that was replaced and is empty is taken up again instead, so that few are kept however often the
// store is changed.
std::unique_ptr<server_pool> store::make_pool(std::size_t member) {
    const auto& at = belief_.is.members[member].at;
    const auto size = static_cast<std::size_t>(spec_->pool_max);
    const std::lock_guard guard(end_mutex_);
    const auto found = std::find_if(retired_.begin(), retired_.end(), [&](const auto& old) {
        return old->at == at && old->slots().size() == size &&
               old->count_not(slot_state::empty) == 0;
    });
    if (found == retired_.end())
        return std::make_unique<server_pool>(*this, member, at, size);
    auto pool = std::move(*found);
    retired_.erase(found);
    pool->member = member;
    pool->retired = false;
    pool->reign.reset();
    ++pool->generation;
    pool->failures = 0;
    pool->login_failed.reset();
    pool->took_a_login = false;
    unblock(*pool);
    pool->doubted.reset();
    pool->not_before = time_point::min();
    for (auto& one : pool->slots()) {
        one.cut = false;
        count_.acquired_elsewhere.fetch_sub(one.ticket.load(), std::memory_order_relaxed);
    }
    return pool;
}

// C12, E1: a lease outlives the change of its store, but neither its server's reign nor its server.
void store::cut_replaced() {
    const auto& is = belief_.is;
    for (const auto& pool : retired_) {
        const auto index = member_at(pool->at);
        const auto* const there = index ? &is.members[*index] : nullptr;
        const bool lost = there != nullptr && (there->refused || dead(*there));
        const bool same_reign = is.writer == index && is.accepted && pool->reign &&
                                adapter_->compare(*is.accepted, *pool->reign) == epoch_order::same;
        for (auto& one : pool->slots()) {
            const bool may_go_on =
                !lost && (one.acceptance.load() == 0 || !is.writer || same_reign);
            if (may_go_on || one.cut || one.state.load() != slot_state::lent)
                continue;
            one.cut = true;
            sever_held(one);
        }
    }
}

void store::sweep_replaced(time_point now) {
    for (const auto& pool : retired_)
        for (auto& one : pool->slots()) {
            if (one.state.load() == slot_state::lent)
                watch_lease(*pool, one, now);
            else
                revoke_idle(one);
        }
}

// P2: they count against the maximum of the pool that took their place.
int store::replaced_sessions(const endpoint& at) const {
    int sum = 0;
    for (const auto& pool : retired_)
        sum += pool->at == at ? pool->count_not(slot_state::empty) : 0;
    return sum;
}

}
