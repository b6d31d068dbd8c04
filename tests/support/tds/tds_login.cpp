// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_login.hpp"

#include "support/tds/tds_bytes.hpp"

namespace hadr::test::tds {

namespace {

constexpr std::uint8_t end_of_options = 0xFF;
constexpr std::uint8_t encryption_option = 1;
constexpr std::size_t options_max = 32;
constexpr std::size_t fixed_part = 94;    // Of LOGIN7.
constexpr std::size_t strings_begin = 36; // Offset and length of each.
constexpr std::size_t type_flags_at = 26;
constexpr std::uint8_t read_only_flag = 0x20;
constexpr std::size_t units_max = 128;
constexpr std::size_t least_version = 0x72;

struct option {
    std::uint8_t what;
    std::string_view value;
};

// Big endian, unlike all the rest.
std::size_t big_endian(std::string_view two) noexcept {
    if (two.size() < 2)
        return 0;
    return static_cast<unsigned char>(two[0]) * std::size_t{256} +
           static_cast<unsigned char>(two[1]);
}

std::string clear_password(std::string_view scrambled) {
    std::string made;
    for (const char one : scrambled) {
        const unsigned byte = static_cast<unsigned char>(one) ^ 0xA5U;
        made += static_cast<char>((byte << 4U | byte >> 4U) & 0xFFU);
    }
    return from_wide(made);
}

}

std::optional<prelogin> read_prelogin(std::string_view body) {
    byte_source from(body);
    prelogin made;
    for (std::size_t i = 0; i < options_max; ++i) {
        const auto what = from.byte();
        if (!from.ok())
            return std::nullopt;
        if (what == end_of_options)
            return made;
        const auto at = big_endian(from.bytes(2));
        const auto length = big_endian(from.bytes(2));
        if (!from.ok() || at > body.size() || length > body.size() - at)
            return std::nullopt;
        if (what == encryption_option && length > 0)
            made.encryption = static_cast<std::uint8_t>(static_cast<unsigned char>(body[at]));
    }
    return std::nullopt;
}

std::string prelogin_answer() {
    using namespace std::string_view_literals;
    constexpr std::string_view values[] = {"\x0f\0\x10\0\0\0"sv, "\x02"sv, "\0"sv, ""sv, "\0"sv};
    std::string head;
    std::string data;
    std::size_t what = 0;
    for (const auto value : values) {
        const auto at = std::size(values) * 5 + 1 + data.size();
        for (const std::size_t field :
             {what++, at >> 8U, at & 0xFFU, value.size() >> 8U, value.size()})
            head += static_cast<char>(field);
        data += value;
    }
    return head + static_cast<char>(end_of_options) + data;
}

std::optional<login> read_login(std::string_view body) {
    byte_source from(body);
    login made;
    const auto length = from.four();
    made.version = from.four();
    made.packet_size = from.four();
    if (!from.ok() || length > body.size() || body.size() < fixed_part ||
        made.version >> 24U < least_version)
        return std::nullopt;
    const auto flags = static_cast<unsigned char>(body[type_flags_at]);
    made.read_only = (flags & read_only_flag) != 0;

    bool ok = true;
    const auto field = [&](std::size_t which) -> std::string_view {
        byte_source place(body.substr(strings_begin + which * 4, 4));
        const std::size_t at = place.two();
        const std::size_t units = place.two();
        if (units == 0)
            return {};
        ok = ok && units <= units_max && at <= body.size() && units * 2 <= body.size() - at;
        return ok ? body.substr(at, units * 2) : std::string_view();
    };
    made.host = from_wide(field(0));
    made.user = from_wide(field(1));
    made.password = clear_password(field(2));
    made.application = from_wide(field(3));
    made.server = from_wide(field(4));
    made.library = from_wide(field(6));
    made.database = from_wide(field(8));
    return ok ? std::optional(std::move(made)) : std::nullopt;
}

}
