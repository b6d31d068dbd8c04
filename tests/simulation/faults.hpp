// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation/plan.hpp"

#include <functional>

namespace hadr::test {

/// Does the faults of a plan to a store, one after another.
class chaos {
public:
    chaos(
        testing::manual_world& in,
        testing::simulated_store& on,
        const std::vector<fault>& what,
        std::function<void(const fault&)> told
    );

    void begin();
    /// A message of the client's arrives.
    void message_arrives();
    std::uint64_t messages() const noexcept { return messages_; }
    /// All have been done.
    bool over() const noexcept { return next_ >= what_.size(); }
    /// Ends every fault for good.
    void heal();

    time_point paused_until() const noexcept { return paused_until_; }
    /// Only an operator can say which history goes on (F14, F16, F17).
    bool needs_ruling() const noexcept { return rebuilt_ != 0 || apart_; }

private:
    void wait_for(std::size_t which, int patience);
    void arm(std::size_t which);
    void apply(std::size_t which);
    std::function<void()> carry_out(const fault& one, testing::site at);
    std::function<void()> strike(const fault& one, testing::site at);
    std::function<void()> cut(testing::site from, testing::site to);
    std::function<void()> promote_apart(testing::site at);
    std::function<void()> close_door(testing::site at, testing::simulated_store::door how);
    testing::site place(aim which) const;

    testing::manual_world& world_;
    testing::simulated_store& store_;
    const std::vector<fault> what_;
    const std::function<void(const fault&)> told_;
    std::size_t next_ = 0;
    bool healed_ = false;
    time_point paused_until_ = time_point::min();
    int rebuilt_ = 0;
    bool apart_ = false;
    bool begun_ = false;
    std::uint64_t messages_ = 0;
};

}
