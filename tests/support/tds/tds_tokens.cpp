// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_tokens.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

namespace hadr::test::tds {

namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t return_status_token = 0x79;
constexpr std::uint8_t column_token = 0x81;
constexpr std::uint8_t error_token = 0xAA;
constexpr std::uint8_t information_token = 0xAB;
constexpr std::uint8_t return_value_token = 0xAC;
constexpr std::uint8_t login_token = 0xAD;
constexpr std::uint8_t row_token = 0xD1;
constexpr std::uint8_t environment_token = 0xE3;

constexpr std::uint8_t guid_type = 0x24;
constexpr std::uint8_t integer_type = 0x26;
constexpr std::uint8_t text_type = 0xE7;
constexpr std::string_view collation = "\x09\x04\xd0\x00\x34"sv;
constexpr std::size_t short_text_max = 8000; // Bytes; what is longer is nvarchar(max).
constexpr std::size_t part_max = 16'384;
constexpr std::size_t nullable_flags = 0x0009;
constexpr unsigned information_most = 10;

enum class column_kind {
    integer,
    guid,
    text,
    long_text,
};

bool whole_number(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    return wrong == std::errc() && end == text.data() + text.size() &&
           std::to_string(value) == text;
}

bool identifier(std::string_view text) noexcept {
    if (text.size() != 36)
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char one = text[i];
        const bool digit = (one >= '0' && one <= '9') || (one >= 'A' && one <= 'F');
        if (dash ? one != '-' : !digit)
            return false;
    }
    return true;
}

column_kind kind_of(const answer& of, std::size_t column) {
    bool numbers = true;
    bool guids = true;
    std::size_t values = 0;
    std::size_t longest = 0;
    for (std::size_t row = 0; row < of.rows(); ++row) {
        const auto value = of.at(row, column);
        if (!value)
            continue;
        ++values;
        numbers = numbers && whole_number(*value);
        guids = guids && identifier(*value);
        longest = std::max(longest, value->size());
    }
    if (values > 0 && (numbers || guids))
        return numbers ? column_kind::integer : column_kind::guid;
    // UTF-8 takes at least half of what UTF-16 takes.
    return longest * 2 > short_text_max ? column_kind::long_text : column_kind::text;
}

void write_type(byte_sink& into, column_kind kind) {
    switch (kind) {
    case column_kind::integer: into.byte(integer_type).byte(8); break;
    case column_kind::guid: into.byte(guid_type).byte(16); break;
    case column_kind::text: into.byte(text_type).two(short_text_max).bytes(collation); break;
    case column_kind::long_text: into.byte(text_type).two(0xFFFF).bytes(collation); break;
    }
}

void write_null(byte_sink& into, column_kind kind) {
    switch (kind) {
    case column_kind::integer:
    case column_kind::guid: into.byte(0); break;
    case column_kind::text: into.two(0xFFFF); break;
    case column_kind::long_text: into.number(~std::uint64_t{0}, 8); break;
    }
}

// The first three groups are little endian.
void write_guid(byte_sink& into, std::string_view text) {
    constexpr std::size_t order[] = {6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34};
    into.byte(16);
    for (const auto at : order) {
        unsigned value = 0;
        std::from_chars(text.data() + at, text.data() + at + 2, value, 16);
        into.byte(value);
    }
}

void write_value(byte_sink& into, column_kind kind, std::string_view text) {
    switch (kind) {
    case column_kind::integer: {
        std::int64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        into.byte(8).number(static_cast<std::uint64_t>(value), 8);
        break;
    }
    case column_kind::guid: write_guid(into, text); break;
    case column_kind::text: {
        const auto wide = to_wide(text);
        into.two(wide.size()).bytes(wide);
        break;
    }
    case column_kind::long_text: {
        const auto wide = to_wide(text);
        into.number(wide.size(), 8);
        for (std::size_t at = 0; at < wide.size(); at += part_max) {
            const auto part = std::string_view(wide).substr(at, part_max);
            into.four(part.size()).bytes(part);
        }
        into.four(0);
        break;
    }
    }
}

}

unsigned severity_of(int number) noexcept {
    switch (number) {
    case 4060: return 11;
    case 1205: return 13;
    case 229:
    case 262:
    case 921:
    case 922:
    case 927:
    case 941:
    case 954:
    case 955:
    case 956:
    case 976:
    case 978:
    case 983:
    case 2601:
    case 2627:
    case 18401:
    case 18456:
    case 18486:
    case 18487:
    case 18488: return 14;
    case 17809: return 20;
    case 596: return 21;
    case 913: return 22;
    default: return 16;
    }
}

void reply::token(std::uint8_t which, std::string_view body) {
    sink_.byte(which).two(body.size()).bytes(body);
}

reply& reply::change(environment what, std::string_view now, std::string_view before) {
    byte_sink body;
    body.byte(static_cast<std::uint8_t>(what)).text(now, 1).text(before, 1);
    token(environment_token, body.made());
    return *this;
}

reply& reply::change_collation() {
    byte_sink body;
    body.byte(static_cast<std::uint8_t>(environment::collation))
        .byte(collation.size())
        .bytes(collation)
        .byte(0);
    token(environment_token, body.made());
    return *this;
}

reply& reply::change_transaction(environment what, std::uint64_t now, std::uint64_t before) {
    byte_sink body;
    body.byte(static_cast<std::uint8_t>(what));
    for (const auto one : {now, before})
        one == 0 ? body.byte(0) : body.byte(8).number(one, 8);
    token(environment_token, body.made());
    return *this;
}

reply& reply::route(std::string_view host, std::uint16_t port) {
    byte_sink value;
    value.byte(0).two(port).text(host, 2);
    byte_sink body;
    body.byte(static_cast<std::uint8_t>(environment::routing))
        .two(value.made().size())
        .bytes(value.made())
        .two(0);
    token(environment_token, body.made());
    return *this;
}

reply& reply::say(const server_message& what, std::string_view server) {
    constexpr std::size_t text_max = 4000;
    byte_sink body;
    body.four(static_cast<std::uint32_t>(what.number))
        .byte(1)
        .byte(what.severity)
        .text(std::string_view(what.text).substr(0, text_max), 2)
        .text(server, 1)
        .byte(0)
        .four(1);
    token(what.severity > information_most ? error_token : information_token, body.made());
    return *this;
}

reply& reply::acknowledge_login() {
    byte_sink body;
    body.byte(1).bytes("\x74\0\0\x04"sv).text("Microsoft SQL Server", 1).bytes("\x0f\0\x10\0"sv);
    token(login_token, body.made());
    return *this;
}

reply& reply::rows(const answer& of) {
    std::vector<column_kind> kinds;
    sink_.byte(column_token).two(of.columns());
    for (std::size_t column = 0; column < of.columns(); ++column) {
        kinds.push_back(kind_of(of, column));
        sink_.four(0).two(nullable_flags);
        write_type(sink_, kinds.back());
        sink_.text(of.column_name(column), 1);
    }
    for (std::size_t row = 0; row < of.rows(); ++row) {
        sink_.byte(row_token);
        for (std::size_t column = 0; column < of.columns(); ++column) {
            const auto value = of.at(row, column);
            value ? write_value(sink_, kinds[column], *value) : write_null(sink_, kinds[column]);
        }
    }
    return *this;
}

reply& reply::status(std::int32_t value) {
    sink_.byte(return_status_token).four(static_cast<std::uint32_t>(value));
    return *this;
}

reply& reply::handle(std::int32_t value) {
    sink_.byte(return_value_token).two(0).byte(0).byte(1).four(0).two(0);
    sink_.byte(integer_type).byte(4).byte(4).four(static_cast<std::uint32_t>(value));
    return *this;
}

reply& reply::end(const done& how) {
    constexpr std::size_t more = 0x01;
    constexpr std::size_t error = 0x02;
    constexpr std::size_t counted = 0x10;
    constexpr std::size_t attention = 0x20;
    constexpr std::size_t select_command = 0xC1;
    std::size_t status = 0;
    status |= how.more ? more : 0;
    status |= how.failed ? error : 0;
    status |= how.rows ? counted : 0;
    status |= how.attention ? attention : 0;
    sink_.byte(static_cast<std::uint8_t>(how.token))
        .two(status)
        .two(how.rows ? select_command : 0)
        .number(how.rows.value_or(0), 8);
    return *this;
}

}
