// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <functional>
#include <memory>
#include <string>

namespace hadr::inline v0::platform {

/// Names to numeric addresses on capped threads of its own: getaddrinfo cannot be called off, so a
/// question that outlives its deadline is answered without it and its thread counts as taken until
/// it returns. Thread-safe.
class resolver {
public:
    static constexpr int threads_max = 4;
    static constexpr std::size_t questions_max = 1000;
    static constexpr std::size_t addresses_max = 64;
    static constexpr duration idle_limit = std::chrono::seconds(5);

    resolver();
    resolver(const resolver&) = delete;
    ~resolver();

    void
    resolve(std::string host, time_point until, std::function<void(world::addresses)> completion);

private:
    struct state;
    std::shared_ptr<state> state_;
};

}
