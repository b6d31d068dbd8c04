// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace hadr::inline v0::core {

/// A name as a template's argument.
template <std::size_t Size>
struct mark_name {
    // NOLINTNEXTLINE(google-explicit-constructor): a literal is what is meant.
    consteval mark_name(const char (&literal)[Size]) { std::copy_n(literal, Size, text); }

    constexpr std::string_view view() const noexcept { return {text, Size - 1}; }

    char text[Size] = {};
};

#ifdef HADR_MARKS

/// Registers a mark and returns its counter; defined by the program that counts.
unsigned long long& counter_of_mark(std::string_view name, bool of_library);

#ifdef HADR_MARKS_OF_LIBRARY
constexpr bool marks_are_of_library = true;
#else
constexpr bool marks_are_of_library = false;
#endif

template <mark_name Name, bool OfLibrary>
inline unsigned long long& mark_count = counter_of_mark(Name.view(), OfLibrary);

/// An interesting point of the library that a run of the simulation must have passed. Nothing at
/// all unless the build defines HADR_MARKS.
template <mark_name Name, bool OfLibrary = marks_are_of_library>
void mark() noexcept {
    ++mark_count<Name, OfLibrary>;
}

#else

template <mark_name Name>
constexpr void mark() noexcept {}

#endif

}
