// SPDX-License-Identifier: Apache-2.0
#include "support/calling_threads.hpp"

#include <utility>

namespace hadr::test {

calling_threads::~calling_threads() {
    {
        const std::lock_guard guard(mutex_);
        ending_ = true;
        waiting_.clear();
    }
    changed_.notify_all();
    for (auto& one : threads_)
        one.join();
}

bool calling_threads::run(std::shared_ptr<job> what) {
    const std::lock_guard guard(mutex_);
    if (ending_)
        return false;
    waiting_.push_back(std::move(what));
    if (idle_ < waiting_.size())
        threads_.emplace_back([this] { work(); });
    changed_.notify_one();
    return true;
}

void calling_threads::abandon(const std::shared_ptr<job>& which) noexcept {
    const std::lock_guard guard(mutex_);
    std::erase(waiting_, which);
}

void calling_threads::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        --idle_;
        if (waiting_.empty())
            return;
        auto one = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        one->run();
        one.reset();
        lock.lock();
    }
}

}
