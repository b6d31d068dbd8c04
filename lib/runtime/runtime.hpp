// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/calls.hpp"
#include "runtime/dispatcher.hpp"
#include "runtime/reactor.hpp"
#include "runtime/watcher.hpp"
#include "runtime/workers.hpp"

#include <hadr/connection_manager.hpp>

#include <list>
#include <memory>

namespace hadr::inline v0 {

/// What all stores of a runtime share (rulings 5).
class runtime_handle : public std::enable_shared_from_this<runtime_handle> {
public:
    explicit runtime_handle(std::shared_ptr<hadr::world> in);
    runtime_handle(const runtime_handle&) = delete;
    ~runtime_handle();

    /// Ends all agents. Returns how many are stuck in a driver.
    std::size_t stop(time_point until);

    /// Agents that are stuck in a driver now.
    std::size_t stuck() const;

    /// Reactor's agent only: calls the sweep of every store once a second while there are any.
    using sweep = std::function<void(time_point now)>;
    std::list<sweep>::iterator add_sweep(sweep what);
    void remove_sweep(std::list<sweep>::iterator which);

    const std::shared_ptr<hadr::world> through;
    const std::shared_ptr<runtime::reactor> on;
    const std::shared_ptr<runtime::dispatcher> events;
    runtime::workers by;
    /// Of the sessions that are lent or wait to be: slow ones keep no watcher waiting.
    const std::shared_ptr<runtime::calls> lent_calls;
    const std::shared_ptr<runtime::calls> own_calls;
    runtime::watchers watching;

private:
    void sweep_all();

    std::list<sweep> sweeps_;
    bool sweeping_ = false;
};

/// The runtime of this process for a world, made when there is none. Counts one store more.
std::shared_ptr<runtime_handle> enter_shared_runtime(const std::shared_ptr<world>& in);

/// One store less; the last one ends the runtime. Returns how many agents are stuck.
std::size_t leave_shared_runtime(const std::shared_ptr<runtime_handle>& which, time_point until);

}
