// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hadr::test {

/// What connected to a scripted listener.
class peer {
public:
    explicit peer(int descriptor, std::function<void(std::string_view)> hear);

    /// The next bytes, exactly so many; fewer once the peer is gone.
    std::string read(std::size_t count);
    /// A message of PostgreSQL's start of a session, without its length: four bytes of code, then
    /// the rest.
    std::string read_startup();
    void write(std::string_view bytes) const;
    /// Says nothing more until the peer is gone.
    void hold();

    /// Goes without a word, so that what is sent next is answered by a reset. False if this process
    /// may not.
    bool vanish();

    int descriptor() const noexcept { return descriptor_; }
    /// What takes note of bytes read past read().
    const std::function<void(std::string_view)>& ear() const noexcept { return hear_; }

private:
    int descriptor_;
    std::function<void(std::string_view)> hear_;
};

/// Whether peer::vanish() works here: it needs a privilege.
bool peers_can_vanish();

/// A server of our own on a loopback port: plays a script on each connection and remembers all it
/// heard.
class scripted_listener {
public:
    using script = std::function<void(peer&)>;

    explicit scripted_listener(script plays, std::string_view address = "127.0.0.1");
    scripted_listener(const scripted_listener&) = delete;
    ~scripted_listener();

    int port() const noexcept { return port_; }
    std::string heard() const;
    std::size_t connections() const noexcept { return connections_.load(); }

private:
    void serve();

    const script plays_;
    int port_ = 0; // Before the descriptor, whose making sets it.
    int descriptor_ = -1;
    std::atomic<std::size_t> connections_{0};
    mutable std::mutex mutex_; // Guards heard_ and open_.
    std::string heard_;
    std::vector<int> open_;
    std::atomic<bool> stopping_{false};
    std::list<std::thread> players_;
    std::thread server_;
};

/// Takes connections and says nothing.
scripted_listener::script silent();
/// Answers the request for TLS, then says nothing.
scripted_listener::script silent_after_tls_answer(char answer);
/// Answers the request for TLS and resets the connection when the handshake begins.
scripted_listener::script resets_in_the_handshake();
/// Refuses TLS, takes the start of a session and asks for the password in clear text.
scripted_listener::script asks_for_the_password();
/// Takes the start of a session, asks for SCRAM, and says nothing more.
scripted_listener::script silent_in_the_login();
/// Answers the start of a session with a FATAL of that SQLSTATE and text.
scripted_listener::script refuses_the_login(std::string sqlstate, std::string text = "not now");
/// Passes all bytes on to another loopback port, both ways, and remembers the client's.
scripted_listener::script forwards_to(int port);

/// A listening socket whose queue is full: what connects gets no answer, as in a black hole.
class full_backlog {
public:
    full_backlog();
    full_backlog(const full_backlog&) = delete;
    ~full_backlog();

    int port() const noexcept { return port_; }

private:
    std::vector<int> descriptors_;
    int port_ = 0;
};

}
