// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_bytes.hpp"

#include <algorithm>

namespace hadr::test::tds {

namespace {

constexpr char32_t unreadable = 0xFFFD;
constexpr char32_t first_surrogate = 0xD800;
constexpr char32_t first_low_surrogate = 0xDC00;
constexpr char32_t after_surrogates = 0xE000;
constexpr char32_t first_astral = 0x1'0000;
constexpr char32_t after_unicode = 0x11'0000;

// One character of UTF-8, taken off the front.
char32_t take_character(std::string_view& rest) noexcept {
    const auto lead = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    if (lead < 0x80)
        return lead;
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || rest.size() < more)
        return unreadable;
    char32_t made = lead & (0x3FU >> more);
    for (std::size_t i = 0; i < more; ++i) {
        const auto one = static_cast<unsigned char>(rest[i]);
        if ((one & 0xC0U) != 0x80)
            return unreadable;
        made = made << 6U | (one & 0x3FU);
    }
    constexpr std::array<char32_t, 4> least = {0, 0x80, 0x800, first_astral};
    if (made < least[more] || made >= after_unicode ||
        (made >= first_surrogate && made < after_surrogates))
        return unreadable;
    rest.remove_prefix(more);
    return made;
}

void put_unit(std::string& into, char32_t unit) {
    into += static_cast<char>(unit & 0xFFU);
    into += static_cast<char>(unit >> 8U & 0xFFU);
}

void put_character(std::string& into, char32_t one) {
    const auto tail = [&](unsigned shift) {
        into += static_cast<char>(0x80U | (one >> shift & 0x3FU));
    };
    if (one < 0x80) {
        into += static_cast<char>(one);
    } else if (one < 0x800) {
        into += static_cast<char>(0xC0U | one >> 6U);
        tail(0);
    } else if (one < first_astral) {
        into += static_cast<char>(0xE0U | one >> 12U);
        tail(6);
        tail(0);
    } else {
        into += static_cast<char>(0xF0U | one >> 18U);
        tail(12);
        tail(6);
        tail(0);
    }
}

}

std::string to_wide(std::string_view utf8) {
    std::string made;
    made.reserve(utf8.size() * 2);
    while (!utf8.empty()) {
        const auto one = take_character(utf8);
        if (one < first_astral) {
            put_unit(made, one);
            continue;
        }
        put_unit(made, first_surrogate + ((one - first_astral) >> 10U));
        put_unit(made, first_low_surrogate + ((one - first_astral) & 0x3FFU));
    }
    return made;
}

std::string from_wide(std::string_view wide) {
    std::string made;
    made.reserve(wide.size());
    const auto unit = [&](std::size_t at) {
        return static_cast<char32_t>(
            static_cast<unsigned char>(wide[at]) |
            static_cast<unsigned>(static_cast<unsigned char>(wide[at + 1])) << 8U
        );
    };
    for (std::size_t at = 0; at + 1 < wide.size(); at += 2) {
        auto one = unit(at);
        if (one >= first_surrogate && one < after_surrogates) {
            const bool pair = one < first_low_surrogate && at + 3 < wide.size() &&
                              unit(at + 2) >= first_low_surrogate &&
                              unit(at + 2) < after_surrogates;
            one = pair ? first_astral + ((one - first_surrogate) << 10U) +
                             (unit(at + 2) - first_low_surrogate)
                       : unreadable;
            at += pair ? 2 : 0;
        }
        put_character(made, one);
    }
    return made;
}

std::uint64_t byte_source::number(std::size_t bytes) noexcept {
    const auto from = this->bytes(bytes);
    std::uint64_t made = 0;
    for (std::size_t i = from.size(); i > 0; --i)
        made = made << 8U | static_cast<unsigned char>(from[i - 1]);
    return made;
}

std::string_view byte_source::bytes(std::size_t count) noexcept {
    if (count > rest_.size()) {
        fail();
        return {};
    }
    const auto made = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return made;
}

byte_sink& byte_sink::number(std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i)
        made_ += i < sizeof value ? static_cast<char>(value >> (8 * i) & 0xFFU) : '\0';
    return *this;
}

byte_sink& byte_sink::bytes(std::string_view what) {
    made_ += what;
    return *this;
}

byte_sink& byte_sink::text(std::string_view utf8, std::size_t length_bytes) {
    const std::size_t most = (std::size_t{1} << (8 * length_bytes)) - 1;
    auto wide = to_wide(utf8);
    if (wide.size() / 2 > most)
        wide.resize(most * 2);
    number(wide.size() / 2, length_bytes);
    return bytes(wide);
}

}
