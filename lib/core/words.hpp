// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

namespace hadr::inline v0::core {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Without regard to case.
inline bool same_word(std::string_view a, std::string_view lower_case) noexcept {
    return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(), [](char x, char y) {
        return lower(x) == y;
    });
}

template <class All>
bool among(const All& lower_case, std::string_view word) noexcept {
    return std::any_of(lower_case.begin(), lower_case.end(), [word](std::string_view one) {
        return same_word(word, one);
    });
}

}
