// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/error.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::inline v0::core {

/// One value of an answer; empty for NULL.
using cell = std::optional<std::string_view>;

/// None unless the cell is a number and nothing else.
inline std::optional<std::uint64_t> number(cell text, int base = 10) {
    std::uint64_t value = 0;
    if (!text || text->empty())
        return std::nullopt;
    const auto* const end = text->data() + text->size();
    const auto [last, error] = std::from_chars(text->data(), end, value, base);
    if (error != std::errc{} || last != end)
        return std::nullopt;
    return value;
}

/// F51. Of whom: "the member", "the witness".
inline failure senseless(std::string_view of) {
    return make_failure(
        errc::unreachable,
        advice::retry,
        "the answer of " + std::string(of) + " makes no sense (F51)"
    );
}

}
