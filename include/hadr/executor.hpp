// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <memory>

namespace hadr::inline v0 {

/// Runs what may block in a client library, on agents that can be given up (rulings 2 and 17):
/// capped, and counted as stuck while one does not come back. Outlives the runtime for as long as
/// anybody holds it. Thread-safe.
class HADR_EXPORT executor {
public:
    /// One piece of work at a time: owned by whoever runs it as well, so that it can be given up,
    /// and free to be run again once it has ended.
    class HADR_EXPORT job {
    public:
        virtual ~job() = default;
        virtual void run() noexcept = 0;
    };

    virtual ~executor() = default;

    /// Runs the job soon, on another agent. False if none is to be had (F48).
    virtual bool run(std::shared_ptr<job> what) = 0;

    /// Nobody waits for the job any more: if it has not begun it never runs, else its agent is
    /// stuck until it ends.
    virtual void abandon(const std::shared_ptr<job>& which) noexcept = 0;
};

/// An executor of its own, for those who use a driver without a store; stores bring theirs. Its
/// agents end when they are idle.
HADR_EXPORT std::shared_ptr<executor> make_executor(std::shared_ptr<world> in);

}
