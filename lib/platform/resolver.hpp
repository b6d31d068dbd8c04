// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <functional>
#include <memory>
#include <string>

namespace hadr::inline v0::platform {

/// Names to numeric addresses on capped threads of its own: getaddrinfo cannot be called off, so a
/// question that outlives its deadline is answered without it and its thread counts as taken until
/// it returns. Questions for one name share one look-up, so that a name that hangs takes two
/// threads at most and leaves the others to other names (F9). Thread-safe.
class resolver {
public:
    static constexpr int threads_max = 32;
    static constexpr int per_host_max = 2;
    static constexpr std::size_t questions_max = 1000;
    static constexpr std::size_t addresses_max = 64;
    static constexpr duration idle_limit = std::chrono::seconds(5);
    /// A look-up that has taken longer is not waited for by new questions while another may begin.
    static constexpr duration look_up_usual = std::chrono::seconds(5);

    using looking_up = std::function<world::addresses(const std::string& host)>;

    /// By getaddrinfo.
    resolver();
    /// By a function that may block and is called on several threads at once.
    explicit resolver(looking_up by, duration usual = look_up_usual);
    resolver(const resolver&) = delete;
    ~resolver();

    void
    resolve(std::string host, time_point until, std::function<void(world::addresses)> completion);

private:
    struct state;
    std::shared_ptr<state> state_;
};

}
