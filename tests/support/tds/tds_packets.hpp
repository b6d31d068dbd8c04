// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::test::tds {

inline constexpr std::size_t packet_head = 8;
inline constexpr std::size_t packet_default = 4096;
inline constexpr std::size_t packet_max = 32'767;

enum class packet_kind : std::uint8_t {
    batch = 0x01,
    rpc = 0x03,
    reply = 0x04,
    attention = 0x06,
    transaction = 0x0E,
    login = 0x10,
    prelogin = 0x12,
};

struct message {
    packet_kind kind = packet_kind::batch;
    std::string body;

    friend bool operator==(const message&, const message&) = default;
};

/// Puts the messages of one connection together from bytes as they come. Holds at most one message
/// of message_max and what has come behind it.
class message_reader {
public:
    static constexpr std::size_t message_max = 4U << 20U;

    void feed(std::string_view bytes) { pending_ += bytes; }
    /// The next whole message, if it has come.
    std::optional<message> next();
    /// The bytes are no packets, or of a message that is too long: nothing more will come of them.
    bool broken() const noexcept { return broken_; }
    std::size_t held() const noexcept { return pending_.size() + body_.size(); }

private:
    std::string pending_;
    std::string body_;
    std::optional<packet_kind> kind_;
    bool broken_ = false;
};

/// A message as packets of at most so many bytes each.
std::string packets(packet_kind kind, std::string_view body, std::size_t packet_size);

}
