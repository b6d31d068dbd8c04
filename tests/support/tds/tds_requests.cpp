// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_requests.hpp"

#include "support/tds/tds_bytes.hpp"

#include <array>
#include <string_view>

namespace hadr::test::tds {

namespace {

constexpr std::uint8_t next_call = 0x80; // And 0xFF, of several calls in one message.
constexpr std::uint8_t next_call_alone = 0xFF;
constexpr std::uint16_t by_number = 0xFFFF;
constexpr std::size_t name_units_max = 1024;
constexpr std::uint8_t output_flag = 0x01;
constexpr std::size_t collation_bytes = 5;
constexpr std::uint16_t null_length = 0xFFFF;
constexpr std::uint16_t in_parts = 0xFFFF; // Instead of the length of a (max) type.
constexpr std::uint64_t null_in_parts = ~std::uint64_t{0};

enum class type : std::uint8_t {
    guid = 0x24,
    integer = 0x26,
    text = 0x23,
    wide_text = 0x63,
    bit = 0x68,
    real = 0x6D,
    decimal = 0x6A,
    numeric = 0x6C,
    binary_large = 0xA5,
    varchar_large = 0xA7,
    binary_fixed = 0xAD,
    char_large = 0xAF,
    nvarchar = 0xE7,
    nchar = 0xEF,
};

// ALL_HEADERS: its length is its first field, and counts itself.
bool skip_headers(byte_source& from) {
    const auto length = from.four();
    if (!from.ok() || length < 4 || length - 4 > from.left())
        return false;
    from.bytes(length - 4);
    return from.ok();
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string made = "0x";
    for (const char one : bytes) {
        const auto byte = static_cast<unsigned char>(one);
        made += digits[byte >> 4U];
        made += digits[byte & 0xFU];
    }
    return made;
}

std::string integer_text(std::string_view bytes) {
    std::uint64_t made = 0;
    for (std::size_t i = bytes.size(); i > 0; --i)
        made = made << 8U | static_cast<unsigned char>(bytes[i - 1]);
    const auto unused = 64 - 8 * bytes.size();
    // A tinyint has no sign.
    if (bytes.size() > 1)
        return std::to_string(static_cast<std::int64_t>(made << unused) >> unused);
    return std::to_string(made);
}

std::string decimal_text(std::string_view bytes, std::size_t scale) {
    std::uint64_t whole = 0;
    for (std::size_t i = std::min<std::size_t>(bytes.size(), 9); i > 1; --i)
        whole = whole << 8U | static_cast<unsigned char>(bytes[i - 1]);
    auto made = std::to_string(whole);
    if (scale > 0) {
        if (made.size() <= scale)
            made.insert(0, scale + 1 - made.size(), '0');
        made.insert(made.size() - scale, ".");
    }
    return bytes.empty() || bytes[0] != '\0' ? made : "-" + made;
}

std::optional<std::string> read_parts(byte_source& from, bool& null) {
    const auto total = from.number(8);
    null = total == null_in_parts;
    std::string made;
    while (!null && from.ok()) {
        const auto count = from.four();
        if (count == 0)
            break;
        made += from.bytes(count);
    }
    return from.ok() ? std::optional(std::move(made)) : std::nullopt;
}

// Text and binary: a length of two bytes before the value, or parts.
void read_variable(byte_source& from, type of, rpc_parameter& into) {
    const bool binary = of == type::binary_large || of == type::binary_fixed;
    const bool wide = of == type::nvarchar || of == type::nchar;
    const auto most = from.two();
    if (!binary)
        from.bytes(collation_bytes);
    bool null = false;
    std::string raw;
    if (most == in_parts) {
        raw = read_parts(from, null).value_or(std::string());
    } else {
        const auto length = from.two();
        null = length == null_length;
        raw = null ? std::string_view() : from.bytes(length);
    }
    if (!null)
        into.value = binary ? hexadecimal(raw) : wide ? from_wide(raw) : raw;
    into.numeric = binary;
}

void read_long_text(byte_source& from, type of, rpc_parameter& into) {
    from.four();
    from.bytes(collation_bytes);
    const auto length = from.four();
    if (length == ~std::uint32_t{0})
        return;
    const auto raw = from.bytes(length);
    into.value = of == type::wide_text ? from_wide(raw) : std::string(raw);
}

void read_short(byte_source& from, type of, rpc_parameter& into) {
    from.byte();
    std::size_t scale = 0;
    if (of == type::decimal || of == type::numeric) {
        from.byte();
        scale = from.byte();
    }
    const auto raw = from.bytes(from.byte());
    into.numeric = of != type::guid;
    if (raw.empty())
        return;
    if (of == type::decimal || of == type::numeric)
        into.value = decimal_text(raw, scale);
    else if (raw.size() <= 8 && (of == type::integer || of == type::bit))
        into.value = integer_text(raw);
    else
        into.value = hexadecimal(raw);
}

bool read_parameter(byte_source& from, rpc_parameter& into) {
    into.name = from.text(from.byte());
    into.output = (from.byte() & output_flag) != 0;
    const auto of = static_cast<type>(from.byte());
    switch (of) {
    case type::guid:
    case type::integer:
    case type::bit:
    case type::real:
    case type::decimal:
    case type::numeric: read_short(from, of, into); break;
    case type::text:
    case type::wide_text: read_long_text(from, of, into); break;
    case type::binary_large:
    case type::varchar_large:
    case type::binary_fixed:
    case type::char_large:
    case type::nvarchar:
    case type::nchar: read_variable(from, of, into); break;
    default: return false;
    }
    return from.ok();
}

std::string procedure_of(std::uint16_t number) {
    switch (number) {
    case 10: return "sp_executesql";
    case 11: return "sp_prepare";
    case 12: return "sp_execute";
    case 13: return "sp_prepexec";
    case 15: return "sp_unprepare";
    default: return "#" + std::to_string(number);
    }
}

}

std::optional<std::string> read_batch(std::string_view body) {
    byte_source from(body);
    if (!skip_headers(from) || from.left() % 2 != 0)
        return std::nullopt;
    return from_wide(from.bytes(from.left()));
}

std::optional<rpc> read_rpc(std::string_view body) {
    byte_source from(body);
    if (!skip_headers(from))
        return std::nullopt;
    rpc made;
    const auto length = from.two();
    if (length != by_number && length > name_units_max)
        return std::nullopt;
    made.procedure = length == by_number ? procedure_of(from.two()) : from.text(length);
    from.two(); // Options.
    while (from.ok() && from.left() > 0) {
        auto ahead = from;
        const auto first = ahead.byte();
        // A parameter's name has no such length.
        if (first == next_call || first == next_call_alone)
            break;
        if (made.parameters.size() == rpc::parameters_max)
            return std::nullopt;
        if (!read_parameter(from, made.parameters.emplace_back()))
            return std::nullopt;
    }
    return from.ok() ? std::optional(std::move(made)) : std::nullopt;
}

std::optional<transaction_request> read_transaction(std::string_view body) {
    using verb = transaction_request::verb;
    byte_source from(body);
    if (!skip_headers(from))
        return std::nullopt;
    const auto number = from.two();
    if (!from.ok())
        return std::nullopt;
    if (number == static_cast<std::uint16_t>(verb::begin))
        return transaction_request{verb::begin, false};
    if (number != static_cast<std::uint16_t>(verb::commit) &&
        number != static_cast<std::uint16_t>(verb::rollback))
        return std::nullopt;
    from.bytes(from.byte()); // Its name.
    const auto flags = from.left() == 0 ? std::uint8_t{0} : from.byte();
    if (!from.ok())
        return std::nullopt;
    return transaction_request{static_cast<verb>(number), (flags & 1U) != 0};
}

}
