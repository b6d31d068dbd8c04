// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/executor.hpp>

#include <cstddef>
#include <memory>

namespace hadr::inline v0::runtime {

/// Agents for the calls of client libraries that block. A statement pays for its way through here,
/// so that an idle agent is handed its job directly. Apart from the workers that log in: slow
/// queries never keep a login or a watcher waiting.
class calls final : public executor {
public:
    struct limits {
        int working = 256; ///< Agents that are not stuck; what finds none waits for one.
        int stuck = 128;   ///< No agent is started beside so many.
    };
    static constexpr duration idle_limit = std::chrono::seconds(5);

    struct crew;

    calls(std::shared_ptr<world> in, limits most);
    explicit calls(std::shared_ptr<world> in) : calls(std::move(in), limits()) {}
    calls(const calls&) = delete;
    ~calls() override;

    bool run(std::shared_ptr<job> what) override;
    void abandon(const std::shared_ptr<job>& which) noexcept override;

    /// Takes no more jobs, drops those that wait, and waits for the others. Returns how many are
    /// left.
    std::size_t stop(time_point until);

    std::size_t stuck() const;

private:
    std::shared_ptr<crew> crew_;
};

}
