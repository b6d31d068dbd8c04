// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/hadr.hpp>

#include <concepts>
#include <ostream>
#include <type_traits>

namespace hadr::inline v0 {

/// Every enumeration with a name for each value prints it in a failed check.
template <class E>
requires std::is_enum_v<E> && requires(E value) {
    { to_string(value) } -> std::convertible_to<std::string_view>;
}
std::ostream& operator<<(std::ostream& out, E value) {
    return out << to_string(value);
}

}
