// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hadr::test {

/// What a driver said when it logged in, by the protocol's own words: "user", "password",
/// "database", "application_name", "language", "server", and for PostgreSQL all it sent.
using spoken_login = std::map<std::string, std::string>;

/// One connection, read with a time limit.
class login_peer {
public:
    explicit login_peer(int descriptor) noexcept : descriptor_(descriptor) {}

    /// Exactly so many bytes; throws std::runtime_error if they do not come.
    std::string read(std::size_t count) const;
    void write(std::string_view bytes) const;

private:
    int descriptor_;
};

/// Reads a login up to its password, tells it, and refuses it.
using login_script =
    std::function<void(const login_peer&, const std::function<void(spoken_login)>&)>;

login_script speaks_tds();
login_script speaks_postgresql();
login_script speaks_mariadb();

/// A loopback server that takes one login after the other and refuses them all.
class login_listener {
public:
    /// Without a script it reads and says nothing: who comes here was led astray.
    explicit login_listener(login_script script = nullptr);
    login_listener(const login_listener&) = delete;
    login_listener& operator=(const login_listener&) = delete;
    ~login_listener();

    int port() const noexcept { return port_; }
    std::size_t connections() const noexcept { return connections_.load(); }
    /// Those heard since the last call: a login is told before it is refused.
    std::vector<spoken_login> take();

private:
    void serve();

    const login_script script_;
    int descriptor_ = -1;
    int port_ = 0;
    std::atomic<std::size_t> connections_{0};
    std::atomic<bool> stopping_{false};
    std::mutex mutex_; // Guards heard_.
    std::vector<spoken_login> heard_;
    std::thread server_;
};

}
