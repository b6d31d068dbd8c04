// SPDX-License-Identifier: Apache-2.0
#include "drivers/shared/sqlstates.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::drivers {

namespace {

constexpr std::array<std::string_view, 11> repeatable = {
    "40001", // serialization failure, recovery conflict
    "40P01", // deadlock
    "55P03", // lock not available
    "55006", // object in use
    "57014", // cancelled, statement timeout
    "53000",
    "53100", // disk full (F36)
    "53200", // out of memory
    "53300", // too many connections (F25)
    "25P02", // the transaction had failed already
    "25P03"};

// Not among them: 08, which a proxy sends for a server that it lost, and 00 to 02, which are no
// errors.
constexpr std::array<std::string_view, 38> definite_classes = {
    "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21", "22", "23", "24",
    "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F",
    "40", "42", "44", "53", "54", "55", "57", "58", "F0", "HV", "P0", "XX"};

template <class List>
bool among(const List& all, std::string_view sqlstate) noexcept {
    return std::find(all.begin(), all.end(), sqlstate) != all.end();
}

// The standard leaves these to implementations; what is not the server's own is raised by the
// application's functions, inside the transaction that it ends.
bool left_to_applications(std::string_view sqlstate) noexcept {
    const char first = sqlstate.front();
    return (first >= '5' && first <= '9') || (first >= 'I' && first <= 'Z');
}

}

bool sqlstate_like(std::string_view five) noexcept {
    return five.size() == 5 && std::all_of(five.begin(), five.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

// 40003 says of itself that the outcome is open; after 57P0x the server ends the session, and its
// commit may be done, here alone or everywhere.
bool definite(std::string_view sqlstate) noexcept {
    if (!sqlstate_like(sqlstate) || sqlstate == "40003" || sqlstate.starts_with("57P"))
        return false;
    return among(definite_classes, sqlstate.substr(0, 2)) || left_to_applications(sqlstate);
}

bool worth_repeating(std::string_view sqlstate) noexcept {
    return among(repeatable, sqlstate);
}

}
