// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/endpoint.hpp>
#include <hadr/time.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::core {

/// Why a value will not do, or nothing.
using complaint = std::optional<std::string>;

/// "250ms", "5s", "30min", "1h", "2d"; a bare number is seconds.
complaint read_duration(std::string_view text, duration least, duration most, duration& into);
std::string show_duration(duration value);

complaint
read_number(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& into);

/// "1048576", "16kB", "4MB".
complaint read_bytes(std::string_view text, std::uint64_t& into);

complaint read_flag(std::string_view text, bool& into);

/// The index of the word, case ignored; the complaint names the nearest.
complaint
read_choice(std::string_view text, std::span<const std::string_view> words, std::size_t& into);

/// "db1", "db1:5432", "db1,5432", "[::1]:5432", "db1\\inst", "/run/postgresql", several separated
/// by commas.
complaint read_endpoints(std::string_view text, std::vector<endpoint>& into);
complaint read_endpoint(std::string_view text, endpoint& into);
/// Exactly one, "db1,5432" included.
complaint read_one_endpoint(std::string_view text, endpoint& into);
std::string show_endpoints(std::span<const endpoint> all);

/// A Unix socket, 127.0.0.0/8, ::1 or localhost (rulings 19).
bool local(const endpoint& at) noexcept;

std::string lower_case(std::string_view text);
std::string_view trimmed(std::string_view text) noexcept;

}
