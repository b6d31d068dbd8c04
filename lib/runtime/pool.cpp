// SPDX-License-Identifier: Apache-2.0
#include "runtime/pool.hpp"

#include "runtime/store.hpp"

namespace hadr::inline v0::runtime {

void slot::ready(readiness /*what*/) {
    home->of.hung_up(*this);
}

server_pool::server_pool(
    store& of_store, std::size_t which, endpoint where, std::size_t sessions_max
)
    : of(of_store)
    , at(std::move(where))
    , member(which)
    , slots_(std::make_unique<slot[]>(sessions_max))
    , size_(sessions_max) {
    for (auto& one : slots())
        one.home = this;
}

int server_pool::count(slot_state in) const noexcept {
    int sum = 0;
    for (std::size_t i = 0; i < size_; ++i)
        sum += slots_[i].state.load(std::memory_order_relaxed) == in ? 1 : 0;
    return sum;
}

// The use is read on the reactor's agent only, which alone writes it.
int server_pool::count(slot_state in, session_use for_use) const noexcept {
    int sum = 0;
    for (std::size_t i = 0; i < size_; ++i)
        sum += slots_[i].use == for_use && slots_[i].state.load(std::memory_order_relaxed) == in
                   ? 1
                   : 0;
    return sum;
}

int server_pool::count_not(slot_state in) const noexcept {
    return static_cast<int>(size_) - count(in);
}

int server_pool::lendable(std::uint64_t acceptance) const noexcept {
    int sum = 0;
    for (std::size_t i = 0; i < size_; ++i)
        sum += slots_[i].state.load(std::memory_order_relaxed) == slot_state::idle &&
                       slots_[i].reign() == acceptance &&
                       !slots_[i].hung_up.load(std::memory_order_relaxed)
                   ? 1
                   : 0;
    return sum;
}

bool server_pool::any_open() const noexcept {
    return count(slot_state::idle) + count(slot_state::lent) + count(slot_state::busy) != 0;
}

bool server_pool::full() const noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
        const auto state = slots_[i].state.load();
        if (state == slot_state::empty || (state == slot_state::idle && slots_[i].hung_up.load()))
            return false;
    }
    return true;
}

void server_pool::refuse(slot& unfit) noexcept {
    unfit.home->of.refuse(unfit);
}

slot* server_pool::empty_slot() noexcept {
    for (auto& one : slots())
        if (one.state.load() == slot_state::empty)
            return &one;
    return nullptr;
}

}
