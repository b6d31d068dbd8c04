// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace hadr::test {

/// Stands on a loopback port between a client and a server that is not ours, so that the server
/// can fall silent or be cut off.
class relay {
public:
    relay(std::string host, int port);
    relay(const relay&) = delete;
    ~relay();

    int port() const noexcept { return own_port_; }
    /// Passes nothing on, either way, as a server under SIGSTOP; and goes on with what came.
    void hold() noexcept { held_ = true; }
    void go_on() noexcept { held_ = false; }
    /// Resets all connections that there are, on both sides, and returns once that is done.
    void reset();
    int connections() const;

private:
    void serve();
    void pass(int client, int since);

    const std::string host_;
    const int port_;
    std::atomic<bool> held_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<int> resets_{0};
    mutable std::mutex mutex_; // Guards open_.
    std::map<int, int> open_;  ///< Connections, by the resets before they began.
    int own_port_ = 0;
    int listener_ = -1;
    std::list<std::thread> passing_; ///< Of the serving thread, until that has ended.
    std::thread serving_;
};

}
