// SPDX-License-Identifier: Apache-2.0
// By bytes, since a client library sends an attention when it likes.
#include "support/tds/tds_bytes.hpp"
#include "support/tds/tds_double.hpp"
#include "support/tds/tds_packets.hpp"
#include "support/tds/tds_tokens.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace hadr::test::tds {

namespace utf = boost::unit_test;
using testing::site;

namespace {

constexpr std::string_view wait_long = "WAITFOR DELAY '00:00:30'";
constexpr timeval patience{10, 0};

bool soon(const std::function<bool()>& what) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!what() && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    return what();
}

std::string batch(std::string_view text) {
    return packets(
        packet_kind::batch, byte_sink().four(4).bytes(to_wide(text)).made(), packet_default
    );
}

std::string attention() {
    return packets(packet_kind::attention, "", packet_default);
}

std::string stopped() {
    return reply().end({.attention = true}).take();
}

/// Logged in, without a name.
class raw_client {
public:
    explicit raw_client(const tds_double& to) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(static_cast<std::uint16_t>(to.port(site::one)));
        inet_pton(AF_INET, tds_double::address(site::one).c_str(), &at.sin_addr);
        BOOST_TEST_REQUIRE(
            connect(socket_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0
        );
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        constexpr std::size_t length = 94;
        auto login = byte_sink().four(length).four(0x74000004).four(packet_default).take();
        login.resize(length);
        send(packets(packet_kind::login, login, packet_default));
        BOOST_TEST_REQUIRE(!receive().empty());
    }
    raw_client(const raw_client&) = delete;
    ~raw_client() { close(socket_); }

    /// What comes together stays together.
    void send(std::string_view bytes) const {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        BOOST_TEST_REQUIRE(sent == static_cast<ssize_t>(bytes.size()));
    }

    /// The tokens of a reply in one packet; empty if none comes.
    std::string receive() const {
        const auto head = read(packet_head);
        if (head.size() < packet_head)
            return {};
        const auto byte = [&](std::size_t at) {
            return std::size_t{static_cast<unsigned char>(head[at])};
        };
        return read(byte(2) * 256 + byte(3) - packet_head);
    }

private:
    std::string read(std::size_t count) const {
        std::string made(count, '\0');
        const auto got = recv(socket_, made.data(), count, MSG_WAITALL);
        made.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return made;
    }

    int socket_;
};

struct with_double {
    tds_double served{{.any_credentials = true}};
    raw_client one{served};
};

}

BOOST_FIXTURE_TEST_SUITE(tds_attentions, with_double)

BOOST_AUTO_TEST_CASE(stop_the_statement_that_they_came_with, *utf::label("F38")) {
    one.send(batch(wait_long) + attention());
    BOOST_TEST(one.receive() == stopped());
    served.set(site::one, {.what = effect::hold});
    one.send(batch("SELECT 1") + attention());
    BOOST_TEST(one.receive() == stopped());
    BOOST_TEST(served.held(site::one) == 0U);
}

BOOST_AUTO_TEST_CASE(stop_the_statement_under_way, *utf::label("F38")) {
    one.send(batch(wait_long));
    BOOST_TEST(soon([&] { return served.counted(site::one).statements == 1; }));
    one.send(attention());
    BOOST_TEST(one.receive() == stopped());
    BOOST_TEST(served.counted(site::one).attentions == 1U);
}

BOOST_AUTO_TEST_CASE(behind_a_statement_are_answered_too) {
    one.send(batch("SELECT 1"));
    BOOST_TEST(!one.receive().empty());
    for (int i = 0; i < 2; ++i) {
        one.send(attention());
        BOOST_TEST(one.receive() == stopped());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
