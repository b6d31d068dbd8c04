// SPDX-License-Identifier: Apache-2.0
#include "support/listener.hpp"

#include <cerrno>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hadr::test {

namespace {

constexpr std::string_view tls_request = "\x04\xd2\x16\x2f";
constexpr std::string_view clear_text_wanted{"R\0\0\0\x08\0\0\0\x03", 9};
constexpr std::string_view scram_wanted{"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", 24};

sockaddr_in loopback(int port, std::string_view address = "127.0.0.1") {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, std::string(address).c_str(), &at.sin_addr);
    return at;
}

int new_socket(int flags = 0) {
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (made < 0)
        throw std::runtime_error("no socket");
    return made;
}

int listening(std::string_view address, int queue, int& port) {
    const int made = new_socket();
    auto at = loopback(0, address);
    auto length = static_cast<socklen_t>(sizeof at);
    auto* const place = reinterpret_cast<sockaddr*>(&at);
    if (bind(made, place, length) != 0 || listen(made, queue) != 0 ||
        getsockname(made, place, &length) != 0) {
        close(made);
        throw std::runtime_error("cannot listen");
    }
    port = ntohs(at.sin_port);
    return made;
}

bool pass_on(int from, int to, const std::function<void(std::string_view)>& hear) {
    char bytes[4096];
    const auto count = recv(from, bytes, sizeof bytes, 0);
    if (count <= 0)
        return false;
    const std::string_view got(bytes, static_cast<std::size_t>(count));
    if (hear)
        hear(got);
    return send(to, got.data(), got.size(), MSG_NOSIGNAL) == count;
}

}

peer::peer(int descriptor, std::function<void(std::string_view)> hear)
    : descriptor_(descriptor)
    , hear_(std::move(hear)) {}

std::string peer::read(std::size_t count) {
    std::string all(count, '\0');
    std::size_t have = 0;
    while (have < count) {
        const auto got = recv(descriptor_, all.data() + have, count - have, 0);
        if (got <= 0)
            break;
        have += static_cast<std::size_t>(got);
    }
    all.resize(have);
    hear_(all);
    return all;
}

std::string peer::read_startup() {
    const auto length = read(4);
    if (length.size() < 4)
        return {};
    std::size_t count = 0;
    for (const char byte : length)
        count = count * 256U + static_cast<unsigned char>(byte);
    return count < 8 || count > 10'000 ? std::string() : read(count - 4);
}

void peer::write(std::string_view bytes) const {
    static_cast<void>(send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

void peer::hold() {
    while (!read(1).empty()) {
    }
}

bool peer::vanish() {
    const int on = 1;
    if (setsockopt(descriptor_, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) != 0)
        return false;
    // The number stays taken until the listener closes it.
    const int other = new_socket();
    dup3(other, descriptor_, O_CLOEXEC);
    close(other);
    return true;
}

bool peers_can_vanish() {
    const int one = new_socket();
    const int on = 1;
    const bool allowed = setsockopt(one, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0;
    close(one);
    return allowed;
}

scripted_listener::scripted_listener(script plays, std::string_view address)
    : plays_(std::move(plays))
    , descriptor_(listening(address, 64, port_))
    , server_([this] { serve(); }) {}

scripted_listener::~scripted_listener() {
    stopping_.store(true);
    shutdown(descriptor_, SHUT_RDWR);
    server_.join();
    {
        const std::lock_guard guard(mutex_);
        for (const int one : open_)
            shutdown(one, SHUT_RDWR);
    }
    for (auto& one : players_)
        one.join();
    for (const int one : open_)
        close(one);
    close(descriptor_);
}

std::string scripted_listener::heard() const {
    const std::lock_guard guard(mutex_);
    return heard_;
}

void scripted_listener::serve() {
    while (!stopping_.load()) {
        const int one = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
        if (one < 0)
            return;
        connections_.fetch_add(1);
        {
            const std::lock_guard guard(mutex_);
            open_.push_back(one);
        }
        players_.emplace_back([this, one] {
            peer with(one, [this](std::string_view bytes) {
                const std::lock_guard guard(mutex_);
                heard_ += bytes;
            });
            plays_(with);
            shutdown(one, SHUT_RDWR);
        });
    }
}

scripted_listener::script silent() {
    return [](peer& with) { with.hold(); };
}

scripted_listener::script silent_after_tls_answer(char answer) {
    return [answer](peer& with) {
        with.read_startup();
        with.write({&answer, 1});
        with.hold();
    };
}

scripted_listener::script resets_in_the_handshake() {
    return [](peer& with) {
        with.read_startup();
        with.write("S");
        with.vanish();
    };
}

scripted_listener::script asks_for_the_password() {
    return [](peer& with) {
        if (with.read_startup() == tls_request) {
            with.write("N");
            with.read_startup();
        }
        with.write(clear_text_wanted);
        with.hold();
    };
}

scripted_listener::script silent_in_the_login() {
    return [](peer& with) {
        with.read_startup();
        with.write(scram_wanted);
        with.hold();
    };
}

scripted_listener::script refuses_the_login(std::string sqlstate, std::string text) {
    return [sqlstate, text](peer& with) {
        with.read_startup();
        auto fields = std::string("SFATAL") + '\0' + "VFATAL" + '\0' + "C" + sqlstate + '\0' + "M" +
                      text + '\0' + '\0';
        with.write(std::string("E\0\0\0", 4) + static_cast<char>(fields.size() + 4) + fields);
    };
}

scripted_listener::script forwards_to(int port) {
    return [port](peer& with) {
        const int there = new_socket();
        const auto at = loopback(port);
        if (connect(there, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0)
            for (bool open = true; open;) {
                pollfd both[] = {{with.descriptor(), POLLIN, 0}, {there, POLLIN, 0}};
                poll(both, 2, -1);
                if (both[0].revents != 0)
                    open = pass_on(with.descriptor(), there, with.ear());
                if (open && both[1].revents != 0)
                    open = pass_on(there, with.descriptor(), {});
            }
        close(there);
    };
}

full_backlog::full_backlog() {
    descriptors_.push_back(listening("127.0.0.1", 0, port_));
    const auto at = loopback(port_);
    // The queue takes one more than it is told; those after it are dropped by the kernel.
    for (int i = 0; i < 8; ++i) {
        const int one = new_socket(SOCK_NONBLOCK);
        descriptors_.push_back(one);
        static_cast<void>(connect(one, reinterpret_cast<const sockaddr*>(&at), sizeof at));
    }
    pollfd last{descriptors_.back(), POLLOUT, 0};
    if (poll(&last, 1, 200) != 0)
        throw std::runtime_error("the kernel still takes connections");
}

full_backlog::~full_backlog() {
    for (const int one : descriptors_)
        close(one);
}

}
