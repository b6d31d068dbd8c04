// SPDX-License-Identifier: Apache-2.0
#include "property/odbc_listeners.hpp"

#include <array>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hadr::test {

namespace {

constexpr int patience_seconds = 10;
constexpr std::size_t message_max = 1 << 16;

unsigned at(std::string_view bytes, std::size_t place) {
    if (place >= bytes.size())
        throw std::runtime_error("a message ends early");
    return static_cast<unsigned char>(bytes[place]);
}

std::size_t little(std::string_view bytes, std::size_t place, std::size_t count) {
    std::size_t value = 0;
    for (std::size_t i = count; i-- > 0;)
        value = value << 8U | at(bytes, place + i);
    return value;
}

std::size_t big(std::string_view bytes, std::size_t place, std::size_t count) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
        value = value << 8U | at(bytes, place + i);
    return value;
}

std::string part(std::string_view bytes, std::size_t place, std::size_t count) {
    if (place > bytes.size() || count > bytes.size() - place)
        throw std::runtime_error("a message ends early");
    return std::string(bytes.substr(place, count));
}

/// Up to the next NUL, which is skipped.
std::string text_at(std::string_view bytes, std::size_t& place) {
    const auto end = bytes.find('\0', place);
    if (end == std::string_view::npos)
        throw std::runtime_error("a text has no end");
    const auto begin = std::exchange(place, end + 1);
    return std::string(bytes.substr(begin, end - begin));
}

std::string to_utf8(std::string_view utf16) {
    std::string made;
    for (std::size_t i = 0; i + 1 < utf16.size(); i += 2) {
        const auto unit = little(utf16, i, 2);
        if (unit < 0x80) {
            made += static_cast<char>(unit);
            continue;
        }
        if (unit < 0x800) {
            made += static_cast<char>(0xC0U | unit >> 6U);
        } else {
            made += static_cast<char>(0xE0U | unit >> 12U);
            made += static_cast<char>(0x80U | (unit >> 6U & 0x3FU));
        }
        made += static_cast<char>(0x80U | (unit & 0x3FU));
    }
    return made;
}

/// As LOGIN7 hides a password: halves swapped after an exclusive or.
std::string revealed(std::string bytes) {
    for (char& c : bytes) {
        const auto byte = static_cast<unsigned char>(c) ^ 0xA5U;
        c = static_cast<char>((byte << 4U | byte >> 4U) & 0xFFU);
    }
    return bytes;
}

std::string tds_message(const login_peer& from) {
    std::string all;
    for (bool last = false; !last;) {
        const auto head = from.read(8);
        const auto length = big(head, 2, 2);
        if (length < 8 || all.size() > message_max)
            throw std::runtime_error("a TDS packet of no length");
        last = (at(head, 1) & 1U) != 0;
        all += from.read(length - 8);
    }
    return all;
}

void tds(const login_peer& from, const std::function<void(spoken_login)>& told) {
    tds_message(from);
    // VERSION at 11, ENCRYPTION at 17: not supported, so that all that follows is in clear.
    using namespace std::string_literals;
    const auto options = "\0\0\x0B\0\x06\x01\0\x11\0\x01\xFF\x0F\0\x10\0\0\0\x02"s;
    from.write("\x04\x01\0"s + static_cast<char>(8 + options.size()) + "\0\x01\x01\0"s + options);
    const auto login = tds_message(from);
    constexpr std::array<const char*, 9> names = {
        "", "user", "password", "application_name", "server", "", "", "language", "database"};
    spoken_login said;
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto value = part(login, little(login, 36 + 4 * i, 2), 2 * little(login, 38 + 4 * i, 2));
        if (std::string_view(names.at(i)) == "password")
            value = revealed(std::move(value));
        if (*names.at(i) != '\0')
            said[names.at(i)] = to_utf8(value);
    }
    told(std::move(said));
}

void postgresql(const login_peer& from, const std::function<void(spoken_login)>& told) {
    using namespace std::string_literals;
    constexpr std::size_t version_3 = 196608;
    const auto length = big(from.read(4), 0, 4);
    if (length < 8 || length > message_max)
        throw std::runtime_error("a startup message of no length");
    const auto startup = from.read(length - 4);
    if (big(startup, 0, 4) != version_3)
        throw std::runtime_error("asks for something else than a session");
    spoken_login said;
    for (std::size_t place = 4; at(startup, place) != 0;) {
        auto name = text_at(startup, place);
        said[std::move(name)] = text_at(startup, place);
    }
    from.write("R\0\0\0\x08\0\0\0\x03"s);
    const auto head = from.read(5);
    const auto rest = big(head, 1, 4);
    if (head[0] != 'p' || rest < 5 || rest > message_max)
        throw std::runtime_error("is no password");
    std::size_t place = 0;
    said["password"] = text_at(from.read(rest - 4), place);
    told(std::move(said));
    const auto why = "SFATAL\0C28P01\0Mno\0\0"s;
    from.write("E\0\0\0"s + static_cast<char>(4 + why.size()) + why);
}

std::string mariadb_packet(std::size_t number, const std::string& body) {
    std::string made;
    for (std::size_t i = 0; i < 3; ++i)
        made += static_cast<char>(body.size() >> 8U * i & 0xFFU);
    return made + static_cast<char>(number) + body;
}

void mariadb(const login_peer& from, const std::function<void(spoken_login)>& told) {
    using namespace std::string_literals;
    const auto clear_text = "mysql_clear_password\0"s;
    from.write(mariadb_packet(
        0,
        "\x0A"s + "5.5.5-10.11\0"s + "\x07\0\0\0"s + "12345678\0"s + "\xFF\xF7"s + "\x21" +
            "\x02\0"s + "\xFF\x81\x15"s + std::string(10, '\0') + "123456789012\0"s + clear_text
    ));
    auto head = from.read(4);
    const auto login = from.read(little(head, 0, 3));
    spoken_login said;
    std::size_t place = 32;
    said["user"] = text_at(login, place);
    place += at(login, place) + 1; // What it would say to a server that asked for no clear text.
    said["database"] = text_at(login, place);
    from.write(mariadb_packet(at(head, 3) + 1, "\xFE"s + clear_text));
    head = from.read(4);
    place = 0;
    said["password"] = text_at(from.read(little(head, 0, 3)), place);
    told(std::move(said));
    from.write(mariadb_packet(at(head, 3) + 1, "\xFF\x15\x04#28000no"s));
}

int checked(int result, const char* what) {
    if (result < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return result;
}

}

std::string login_peer::read(std::size_t count) const {
    std::string all(count, '\0');
    for (std::size_t got = 0; got < count;) {
        const auto some = recv(descriptor_, all.data() + got, count - got, 0);
        if (some <= 0)
            throw std::runtime_error("nothing more is said");
        got += static_cast<std::size_t>(some);
    }
    return all;
}

void login_peer::write(std::string_view bytes) const {
    while (!bytes.empty()) {
        const auto some = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (some <= 0)
            throw std::runtime_error("nobody listens");
        bytes.remove_prefix(static_cast<std::size_t>(some));
    }
}

login_script speaks_tds() {
    return tds;
}
login_script speaks_postgresql() {
    return postgresql;
}
login_script speaks_mariadb() {
    return mariadb;
}

login_listener::login_listener(login_script script) : script_(std::move(script)) {
    descriptor_ = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof here;
    auto* any = reinterpret_cast<sockaddr*>(&here);
    checked(bind(descriptor_, any, size), "bind");
    checked(listen(descriptor_, 64), "listen");
    checked(getsockname(descriptor_, any, &size), "getsockname");
    port_ = ntohs(here.sin_port);
    server_ = std::thread([this] { serve(); });
}

login_listener::~login_listener() {
    stopping_ = true;
    shutdown(descriptor_, SHUT_RDWR);
    server_.join();
    close(descriptor_);
}

std::vector<spoken_login> login_listener::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(heard_, {});
}

void login_listener::serve() {
    while (!stopping_) {
        const int client = accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        ++connections_;
        const timeval limit{patience_seconds, 0};
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        const int yes = 1;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        const auto told = [this](spoken_login said) {
            const std::lock_guard lock(mutex_);
            heard_.push_back(std::move(said));
        };
        try {
            if (script_)
                script_(login_peer(client), told);
        } catch (const std::exception& why) {
            told({{"broken", why.what()}});
        }
        close(client);
    }
}

}
