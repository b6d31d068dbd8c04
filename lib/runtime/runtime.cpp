// SPDX-License-Identifier: Apache-2.0
#include "runtime/runtime.hpp"

#include <map>
#include <mutex>

namespace hadr::inline v0 {

runtime_handle::runtime_handle(std::shared_ptr<hadr::world> in)
    : through(std::move(in))
    , on(std::make_shared<runtime::reactor>(through))
    , events(std::make_shared<runtime::dispatcher>(through))
    , by(through)
    , lent_calls(std::make_shared<runtime::calls>(through))
    , own_calls(std::make_shared<runtime::calls>(through)) {}

runtime_handle::~runtime_handle() {
    if (through->alive().load() != 0)
        stop(through->now() + std::chrono::seconds(5));
}

std::size_t runtime_handle::stop(time_point until) {
    std::size_t left = by.stop(until);
    left += lent_calls->stop(until) + own_calls->stop(until);
    left += on->stop(until) ? 0U : 1U;
    left += events->stop(until) ? 0U : 1U;
    return left;
}

std::size_t runtime_handle::stuck() const {
    return by.stuck() + lent_calls->stuck() + own_calls->stuck();
}

std::list<runtime_handle::sweep>::iterator runtime_handle::add_sweep(sweep what) {
    sweeps_.push_back(std::move(what));
    if (!sweeping_) {
        sweeping_ = true;
        sweep_all();
    }
    return std::prev(sweeps_.end());
}

void runtime_handle::remove_sweep(std::list<sweep>::iterator which) {
    sweeps_.erase(which);
}

void runtime_handle::sweep_all() {
    if (sweeps_.empty()) {
        sweeping_ = false;
        return;
    }
    const auto now = on->now();
    for (auto one = sweeps_.begin(); one != sweeps_.end();)
        (*one++)(now);
    on->at(now + std::chrono::seconds(1), [self = weak_from_this()] {
        if (const auto here = self.lock())
            here->sweep_all();
    });
}

std::shared_ptr<runtime_handle> make_runtime(std::shared_ptr<world> in) {
    return std::make_shared<runtime_handle>(in ? std::move(in) : real_world());
}

namespace {

struct shared_one {
    std::shared_ptr<runtime_handle> handle;
    int stores = 0;
};

std::mutex shared_mutex; // Guards shared_all.

std::map<world*, shared_one>& shared_all() {
    // Never destroyed: a manager may be, after everything else of static duration.
    static auto& all = *new std::map<world*, shared_one>;
    return all;
}

}

std::shared_ptr<runtime_handle> enter_shared_runtime(const std::shared_ptr<world>& in) {
    const auto join = [&](std::shared_ptr<runtime_handle> fresh
                      ) -> std::shared_ptr<runtime_handle> {
        const std::lock_guard guard(shared_mutex);
        auto& one = shared_all()[in.get()];
        if (!one.handle)
            one.handle = std::move(fresh);
        if (one.handle)
            ++one.stores;
        return one.handle;
    };
    // Made outside the lock, since making one reaches the world.
    auto found = join(nullptr);
    return found ? found : join(std::make_shared<runtime_handle>(in));
}

std::size_t leave_shared_runtime(const std::shared_ptr<runtime_handle>& which, time_point until) {
    {
        const std::lock_guard guard(shared_mutex);
        const auto found = shared_all().find(which->through.get());
        if (found == shared_all().end() || found->second.handle != which)
            return 0;
        if (--found->second.stores > 0)
            return 0;
        shared_all().erase(found);
    }
    return which->stop(until);
}

}
