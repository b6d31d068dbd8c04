// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/tds/tds_double.hpp"

#include <hadr/testing/manual_world.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace hadr::test::tds {

class connection;

struct routing {
    std::string host;
    std::uint16_t port = 0;
};

/// A place and its door to the outside.
struct place {
    testing::site which = testing::site::one;
    std::string address;
    int port = 0;
    int listener = -1;
    bool listening = false;
    bool watched = false; ///< Whether somebody knocks.
    bool writable = false;
    time_point writable_since = time_point::max();
    fault_script script;
    std::size_t held = 0;
    std::uint64_t releases = 0;
    std::optional<std::string> server_name;  ///< Instead of what the store says.
    std::optional<std::string> partner_name; ///< Likewise.
    std::optional<routing> route;
    tds_double::counters count;

    std::string called() const;
};

/// The double's thread: the world's time follows the real one, sockets wake the fibers that serve
/// them. All members but post() and stop() are of that thread.
class double_loop {
public:
    explicit double_loop(tds_double::settings how);
    double_loop(const double_loop&) = delete;
    ~double_loop();

    /// From any thread: runs there, and is over when this returns.
    void post(std::function<void()> what);

    place& at(testing::site which) noexcept;
    void wake(const connection& one);
    void wake_all(const place& of);
    void forget(const connection& one) noexcept;
    void remember(const login& one);
    /// False if the address is taken.
    bool move(place& there, std::string address, int port);
    time_point real(time_point model) const noexcept { return model - ahead_; }

    const tds_double::settings rules;
    testing::manual_world world;
    testing::simulated_store store;
    bool stopping = false; ///< Fibers come to their end.
    std::deque<login> logins;
    std::vector<tds_double::acknowledged> acknowledgements;
    std::vector<tds_double::naming> namings;
    std::function<expected<void>(std::string_view, answer&)> answers;

private:
    void run();
    void catch_up();
    void run_posted();
    void look_at_places();
    void wait_for_events();
    void handle(std::uint64_t token, unsigned events);
    void accept_all(place& there);
    void open_door(place& there);
    void close_door(place& there);
    void watch_door(place& there, bool wanted);
    void end();

    std::array<place, 3> places_;
    std::map<std::uint64_t, std::shared_ptr<connection>> connections_;
    std::uint64_t last_id_ = 100; // Below are the listeners.
    int events_ = -1;             // epoll
    int bell_ = -1;               // eventfd
    duration ahead_{};            // Of the world's time before the real one.
    std::mutex mutex_;            // Guards posted_.
    std::deque<std::function<void()>> posted_;
    std::atomic<std::thread::id> own_{};
    std::thread thread_;
};

}
