// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_packets.hpp"

#include <algorithm>

namespace hadr::test::tds {

namespace {

constexpr unsigned end_of_message = 0x01;
constexpr unsigned ignore_message = 0x02;

bool known(std::uint8_t kind) noexcept {
    switch (static_cast<packet_kind>(kind)) {
    case packet_kind::batch:
    case packet_kind::rpc:
    case packet_kind::attention:
    case packet_kind::transaction:
    case packet_kind::login:
    case packet_kind::prelogin: return true;
    case packet_kind::reply: break;
    }
    return false;
}

}

std::optional<message> message_reader::next() {
    while (!broken_ && pending_.size() >= packet_head) {
        const auto byte = [&](std::size_t at) {
            return static_cast<std::uint8_t>(static_cast<unsigned char>(pending_[at]));
        };
        const std::size_t length = byte(2) * std::size_t{256} + byte(3);
        const auto kind = static_cast<packet_kind>(byte(0));
        broken_ = !known(byte(0)) || length < packet_head || length > packet_max ||
                  (kind_ && *kind_ != kind) || body_.size() + length > message_max;
        if (broken_ || pending_.size() < length)
            break;
        const auto status = byte(1);
        kind_ = kind;
        body_.append(pending_, packet_head, length - packet_head);
        pending_.erase(0, length);
        if ((status & end_of_message) == 0)
            continue;
        message made{kind, std::move(body_)};
        body_.clear();
        kind_.reset();
        // The client has thought better of it.
        if ((status & ignore_message) == 0)
            return made;
    }
    return std::nullopt;
}

std::string packets(packet_kind kind, std::string_view body, std::size_t packet_size) {
    const auto room = std::clamp(packet_size, packet_head + 1, packet_max) - packet_head;
    std::string made;
    made.reserve(body.size() + (body.size() / room + 1) * packet_head);
    unsigned number = 1;
    do {
        const auto part = body.substr(0, room);
        body.remove_prefix(part.size());
        const auto length = part.size() + packet_head;
        made += static_cast<char>(kind);
        made += static_cast<char>(body.empty() ? end_of_message : 0);
        made += static_cast<char>(length >> 8U);
        made += static_cast<char>(length & 0xFFU);
        made += '\0'; // The process of the server.
        made += '\x33';
        made += static_cast<char>(number++ & 0xFFU);
        made += '\0';
        made += part;
    } while (!body.empty());
    return made;
}

}
