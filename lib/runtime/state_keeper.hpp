// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/workers.hpp"

#include <hadr/error.hpp>
#include <hadr/world.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace hadr::inline v0::runtime {

/// Keeps State_File: one write at a time, on a worker, and always of the latest text. Thread-safe.
class state_keeper : public std::enable_shared_from_this<state_keeper> {
public:
    static constexpr duration retry_time = std::chrono::seconds(1);

    struct content {
        std::string path;
        std::string bytes;

        friend bool operator==(const content&, const content&) = default;
    };

    state_keeper(std::shared_ptr<world> in, std::function<void(const failure&)> failed);

    /// Does nothing if that is what was last written, or for a while after a failure: say it again.
    void keep(content what, workers& by);

private:
    void write();
    std::optional<content> next();

    const std::shared_ptr<world> world_;
    const std::function<void(const failure&)> failed_;
    std::mutex mutex_; // Guards the rest.
    std::optional<content> wanted_;
    content written_;
    bool busy_ = false;
    bool failing_ = false;
    time_point not_before_ = time_point::min();
};

}
