// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/connection_manager.hpp>

#include <cstddef>
#include <optional>

namespace hadr::inline v0::runtime {

struct slot;

/// One acquire that waits; on the stack of the agent that waits.
struct waiter {
    const request& wanted;
    agent* who = nullptr;
    slot* given = nullptr;
    std::optional<failure> failed = {};
    bool queued = false;
    waiter* before = nullptr;
    waiter* after = nullptr;

    bool answered() const noexcept { return given != nullptr || failed.has_value(); }
};

/// Those who wait, in order of arrival (P5). Not thread-safe; allocates nothing.
class waiter_queue {
public:
    void push(waiter& last) noexcept {
        last.before = last_;
        last.after = nullptr;
        (last_ != nullptr ? last_->after : first_) = &last;
        last_ = &last;
        last.queued = true;
        ++size_;
    }

    void push_first(waiter& first) noexcept {
        first.before = nullptr;
        first.after = first_;
        (first_ != nullptr ? first_->before : last_) = &first;
        first_ = &first;
        first.queued = true;
        ++size_;
    }

    void erase(waiter& one) noexcept {
        if (!one.queued)
            return;
        (one.before != nullptr ? one.before->after : first_) = one.after;
        (one.after != nullptr ? one.after->before : last_) = one.before;
        one.queued = false;
        --size_;
    }

    waiter* first() const noexcept { return first_; }
    std::size_t size() const noexcept { return size_; }

private:
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
    std::size_t size_ = 0;
};

}
