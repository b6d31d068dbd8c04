// SPDX-License-Identifier: Apache-2.0
#include "support/relay.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hadr::test {

namespace {

constexpr auto look_again = std::chrono::milliseconds(5);

int connected_to(const std::string& host, int port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* all = nullptr;
    if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &all) != 0)
        return -1;
    int made = -1;
    for (const auto* at = all; at != nullptr && made < 0; at = at->ai_next) {
        made = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (made >= 0 && connect(made, at->ai_addr, at->ai_addrlen) != 0)
            close(std::exchange(made, -1));
    }
    freeaddrinfo(all);
    return made;
}

// What has come, to the other side; false at the end.
bool pass_on(int from, int to) {
    std::array<char, 16'384> bytes{};
    const auto got = recv(from, bytes.data(), bytes.size(), 0);
    for (ssize_t sent = 0; sent < got;) {
        const auto now =
            send(to, bytes.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
        if (now <= 0)
            return false;
        sent += now;
    }
    return got > 0;
}

void close_with_a_reset(int which) {
    const linger none{1, 0};
    setsockopt(which, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

}

relay::relay(std::string host, int port) : host_(std::move(host)), port_(port) {
    const int there = connected_to(host_, port_);
    if (there < 0)
        throw std::runtime_error("nobody listens at " + host_ + " " + std::to_string(port_));
    close(there);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    auto* const any = reinterpret_cast<sockaddr*>(&at);
    if (bind(listener_, any, length) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, any, &length) != 0) {
        close(listener_);
        throw std::runtime_error("no port for a relay");
    }
    own_port_ = ntohs(at.sin_port);
    serving_ = std::thread([this] { serve(); });
}

relay::~relay() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    serving_.join();
    for (auto& one : passing_)
        one.join();
    close(listener_);
}

void relay::serve() {
    while (!stopping_) {
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0)
            return;
        int since = 0;
        {
            const std::lock_guard guard(mutex_);
            since = resets_;
            ++open_[since];
        }
        passing_.emplace_back([this, client, since] {
            pass(client, since);
            close(client);
            const std::lock_guard guard(mutex_);
            --open_[since];
        });
    }
}

void relay::reset() {
    int before = 0;
    {
        const std::lock_guard guard(mutex_);
        before = ++resets_;
    }
    const auto left = [&] {
        const std::lock_guard guard(mutex_);
        return std::any_of(open_.begin(), open_.end(), [before](const auto& one) {
            return one.first < before && one.second != 0;
        });
    };
    while (left())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

int relay::connections() const {
    const std::lock_guard guard(mutex_);
    return std::accumulate(open_.begin(), open_.end(), 0, [](int sum, const auto& one) {
        return sum + one.second;
    });
}

void relay::pass(int client, int since) {
    const int there = connected_to(host_, port_);
    for (bool open = there >= 0; open && !stopping_ && since == resets_;) {
        if (held_) {
            std::this_thread::sleep_for(look_again);
            continue;
        }
        pollfd both[] = {{client, POLLIN, 0}, {there, POLLIN, 0}};
        poll(both, 2, static_cast<int>(look_again.count()));
        if (both[0].revents != 0 && !held_)
            open = pass_on(client, there);
        if (open && both[1].revents != 0 && !held_)
            open = pass_on(there, client);
    }
    if (since != resets_) {
        close_with_a_reset(client);
        close_with_a_reset(there);
    }
    close(there);
}

}
