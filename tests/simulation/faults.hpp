// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation/plan.hpp"

#include <functional>

namespace hadr::test {

/// Does the faults of a plan to a store, one after another.
class chaos {
public:
    /// Told of each that took effect, and whether it did so at the step of a commit it waited for.
    chaos(
        testing::manual_world& in,
        testing::simulated_store& on,
        const plan& of,
        std::function<void(const fault&, bool at_step)> told
    );
    /// Told before service is forced somewhere (C37).
    void before_force(std::function<void(testing::site)> then) { before_force_ = std::move(then); }

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
    struct deed {
        bool done = false; ///< It changed something.
        std::function<void()> undo{};
    };

    void apply(std::size_t which, bool at_step);
    deed carry_out(const fault& one, testing::site at);
    deed slow_down(const fault& one, testing::site from, testing::site to);
    deed strike(const fault& one, testing::site at);
    deed strike_whole(const fault& one);
    deed cut(testing::site from, testing::site to);
    deed promote_apart(testing::site at);
    deed force_service(testing::site at);
    deed administer(fault_kind what, testing::site at);
    deed close_door(testing::site at, testing::simulated_store::door how);
    testing::site place(aim which) const;

    testing::manual_world& world_;
    testing::simulated_store& store_;
    const std::vector<fault> what_;
    const testing::simulated_store::settings calm_; ///< What everything is without a fault.
    const std::function<void(const fault&, bool)> told_;
    std::function<void(testing::site)> before_force_;
    std::size_t next_ = 0;
    bool healed_ = false;
    time_point paused_until_ = time_point::min();
    int rebuilt_ = 0;
    bool apart_ = false;
    bool begun_ = false;
    std::uint64_t messages_ = 0;
};

}
