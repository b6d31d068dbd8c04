// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "benchmark/routes.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace hadr::benchmark {

/// Writers that commit through one route until each has committed on the server expected.
class crowd {
public:
    struct report {
        std::vector<moment> first;     ///< Of each writer that has committed there; sorted.
        std::uint64_t cut = 0;         ///< Statements under way that lost their answer.
        std::uint64_t twice_cut = 0;   ///< More than one for the same writer.
        std::uint64_t refused = 0;     ///< Writers told that there is no session.
        std::uint64_t unexplained = 0; ///< Other errors.
        std::uint64_t connects_failed = 0;
        std::vector<std::string> reasons; ///< Some of them.
    };

    crowd(route& through, int writers, duration pause);
    ~crowd();

    route& by() const noexcept { return through_; }
    int size() const noexcept { return writers_; }

    /// True once each has committed several times.
    bool warm() const;
    /// From now on errors count, and a commit on that port ends a writer.
    void expect(int port);
    bool await_all(moment until);
    report stop();

private:
    struct writer {
        std::uint64_t committed = 0;
        std::uint64_t cut = 0;
    };

    void write(int which);
    bool note(writer& mine, const attempt& what, moment when);

    route& through_;
    const int writers_;
    const duration pause_;
    std::atomic<bool> stopping_{false};
    std::atomic<int> warm_{0};
    std::atomic<int> expected_{0};
    std::uint64_t failed_before_ = 0;
    std::mutex mutex_; // Guards found_.
    std::condition_variable arrived_;
    report found_;
    std::vector<std::jthread> threads_;
};

}
