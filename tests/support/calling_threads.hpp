// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace hadr::test {

/// An executor for sessions that are driven without a store: a thread for every job that runs at
/// the same time, kept for the next one. Its end waits for all of them.
class calling_threads final : public executor {
public:
    calling_threads() = default;
    calling_threads(const calling_threads&) = delete;
    ~calling_threads() override;

    bool run(std::shared_ptr<job> what) override;
    void abandon(const std::shared_ptr<job>& which) noexcept override;

private:
    void work();

    std::mutex mutex_; // Guards all below.
    std::condition_variable changed_;
    std::deque<std::shared_ptr<job>> waiting_;
    std::size_t idle_ = 0;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

}
