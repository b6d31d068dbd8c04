// SPDX-License-Identifier: Apache-2.0
#include "core/values.hpp"

#include "core/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace hadr::inline v0::core {

namespace {

struct unit {
    std::string_view name;
    duration worth;
};

// Longest first where one begins another.
constexpr std::array<unit, 6> units = {
    {{"ms", std::chrono::milliseconds(1)},
     {"s", std::chrono::seconds(1)},
     {"min", std::chrono::minutes(1)},
     {"m", std::chrono::minutes(1)},
     {"h", std::chrono::hours(1)},
     {"d", std::chrono::hours(24)}}};

constexpr std::size_t host_max = 253;
constexpr std::int64_t bytes_max = 1LL << 50;

bool digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool host_letter(char c) noexcept {
    return digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

template <class Accept>
bool all(std::string_view text, Accept accept) noexcept {
    return std::all_of(text.begin(), text.end(), accept);
}

// With two colons at least, so that it cannot be taken for a name or a port; then maybe a zone.
bool address6(std::string_view text) noexcept {
    const auto percent = text.find('%');
    const auto address = text.substr(0, percent);
    const auto zone = percent == std::string_view::npos ? "0" : text.substr(percent + 1);
    const auto letter = [](char c) {
        return digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    };
    return std::count(address.begin(), address.end(), ':') >= 2 && all(address, letter) &&
           !zone.empty() && all(zone, host_letter);
}

complaint read_port(std::string_view text, std::uint16_t& into) {
    std::int64_t port = 0;
    if (auto why = read_number(text, 1, 65535, port))
        return "the port " + *why;
    into = static_cast<std::uint16_t>(port);
    return std::nullopt;
}

complaint read_socket(std::string_view text, endpoint& into) {
    const auto colon = text.rfind(':');
    const bool port = colon != std::string_view::npos && colon + 1 < text.size() &&
                      all(text.substr(colon + 1), digit);
    into.host = text.substr(0, port ? colon : text.size());
    return port ? read_port(text.substr(colon + 1), into.port) : std::nullopt;
}

complaint read_bracketed(std::string_view text, endpoint& into) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
        return "has a '[' without its ']'";
    into.host = lower_case(text.substr(1, end - 1));
    if (!address6(into.host))
        return "has no IPv6 address between its brackets";
    const auto rest = text.substr(end + 1);
    if (rest.empty())
        return std::nullopt;
    return rest.front() == ':' ? read_port(rest.substr(1), into.port)
                               : complaint("has something other than :port after its ']'");
}

}

std::string lower_case(std::string_view text) {
    std::string made(text);
    for (auto& c : made)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return made;
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && space(text.back()))
        text.remove_suffix(1);
    return text;
}

complaint
read_number(std::string_view text, std::int64_t least, std::int64_t most, std::int64_t& into) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return fmt::format("must be a whole number from {} to {}", least, most);
    if (value < least || value > most)
        return fmt::format("must be from {} to {}", least, most);
    into = value;
    return std::nullopt;
}

complaint read_duration(std::string_view text, duration least, duration most, duration& into) {
    const auto range = [&] {
        return fmt::format(
            "must be from {} to {}, as a number with ms, s, min, h or d",
            show_duration(least),
            show_duration(most)
        );
    };
    const auto word = lower_case(text);
    if (word == "never" || word == "infinite" || word == "infinity" || word == "forever")
        return "must end at some time: no wait is endless unless a call asks for it (T2, C50); "
               "it " +
               range();
    const auto end = std::find_if_not(word.begin(), word.end(), digit);
    const std::string_view number(word.data(), static_cast<std::size_t>(end - word.begin()));
    const auto suffix = trimmed(std::string_view(word).substr(number.size()));
    std::int64_t count = 0;
    if (read_number(number, 0, std::numeric_limits<std::int32_t>::max(), count))
        return range();
    const auto found = std::find_if(units.begin(), units.end(), [&](const unit& one) {
        return one.name == (suffix.empty() ? "s" : suffix);
    });
    if (found == units.end())
        return range();
    if (count > most / found->worth || found->worth * count < least)
        return range();
    into = found->worth * count;
    return into > most ? complaint(range()) : std::nullopt;
}

std::string show_duration(duration value) {
    const auto in = [&](duration one) { return value / one; };
    const auto whole = [&](duration one) {
        return value >= one && value % one == duration::zero();
    };
    if (whole(std::chrono::hours(1)))
        return fmt::format("{}h", in(std::chrono::hours(1)));
    if (whole(std::chrono::minutes(1)))
        return fmt::format("{}min", in(std::chrono::minutes(1)));
    if (whole(std::chrono::seconds(1)) || value == duration::zero())
        return fmt::format("{}s", in(std::chrono::seconds(1)));
    return fmt::format("{}ms", in(std::chrono::milliseconds(1)));
}

complaint read_bytes(std::string_view text, std::uint64_t& into) {
    const auto word = lower_case(text);
    const auto end = std::find_if_not(word.begin(), word.end(), digit);
    const std::string_view number(word.data(), static_cast<std::size_t>(end - word.begin()));
    const auto suffix = trimmed(std::string_view(word).substr(number.size()));
    std::int64_t count = 0;
    const std::int64_t worth = suffix == "kb"                    ? 1LL << 10
                               : suffix == "mb"                  ? 1LL << 20
                               : suffix == "gb"                  ? 1LL << 30
                               : suffix.empty() || suffix == "b" ? 1
                                                                 : 0;
    if (worth == 0 || read_number(number, 0, bytes_max / std::max<std::int64_t>(worth, 1), count))
        return fmt::format(
            "must be from 0 to {}GB, as a number of bytes or with kB, MB or GB", bytes_max >> 30
        );
    into = static_cast<std::uint64_t>(count * worth);
    return std::nullopt;
}

complaint read_flag(std::string_view text, bool& into) {
    const auto word = lower_case(text);
    const bool yes = word == "yes" || word == "true" || word == "on" || word == "1";
    const bool no = word == "no" || word == "false" || word == "off" || word == "0";
    if (!yes && !no)
        return "must be yes or no";
    into = yes;
    return std::nullopt;
}

complaint
read_choice(std::string_view text, std::span<const std::string_view> words, std::size_t& into) {
    auto word = lower_case(text);
    std::replace(word.begin(), word.end(), '-', '_');
    const auto found = std::find_if(words.begin(), words.end(), [&](std::string_view one) {
        return lower_case(one) == word;
    });
    if (found != words.end()) {
        into = static_cast<std::size_t>(found - words.begin());
        return std::nullopt;
    }
    const auto near = nearest_word(word, words);
    return fmt::format(
        "must be one of {}{}",
        fmt::join(words, ", "),
        near.empty() ? "" : fmt::format("; did you mean {}?", near)
    );
}

complaint read_endpoint(std::string_view text, endpoint& into) {
    into = {};
    text = trimmed(text);
    if (text.empty())
        return "names no host";
    if (text.front() == '/')
        return read_socket(text, into);
    if (lower_case(text.substr(0, 4)) == "tcp:")
        text.remove_prefix(4);
    if (!text.empty() && text.front() == '[')
        return read_bracketed(text, into);
    const auto colon = text.find(':');
    if (colon != std::string_view::npos) {
        if (text.find(':', colon + 1) != std::string_view::npos)
            return "has an IPv6 address that is not in brackets, e.g. [::1]:5432";
        if (auto why = read_port(text.substr(colon + 1), into.port))
            return why;
        text = text.substr(0, colon);
    }
    const auto instance = text.find('\\');
    if (instance != std::string_view::npos) {
        into.instance = lower_case(text.substr(instance + 1));
        text = text.substr(0, instance);
        if (into.instance.empty() ||
            !all(into.instance, [](char c) { return host_letter(c) || c == '$'; }))
            return "has a bad instance name after its '\\'";
    }
    into.host = lower_case(text);
    // Anything else could be several hosts, or an option, to a client library (X5).
    if (into.host.empty() || into.host.size() > host_max || !all(into.host, host_letter))
        return "has a host name with letters other than a-z, 0-9, '.', '-' and '_'";
    // Resolvers take a number for an IPv4 address.
    return all(into.host, digit) ? complaint("has a port without a host before it") : std::nullopt;
}

complaint read_endpoints(std::string_view text, std::vector<endpoint>& into) {
    into.clear();
    while (true) {
        const auto comma = text.find(',');
        const auto part = trimmed(text.substr(0, comma));
        if (!part.empty() && all(part, digit)) {
            if (into.empty() || into.back().port != 0)
                return "has a port without a host before it";
            if (auto why = read_port(part, into.back().port))
                return why;
        } else {
            into.emplace_back();
            if (auto why = read_endpoint(part, into.back()))
                return why;
        }
        if (comma == std::string_view::npos)
            return std::nullopt;
        text.remove_prefix(comma + 1);
    }
}

complaint read_one_endpoint(std::string_view text, endpoint& into) {
    std::vector<endpoint> all_of;
    if (auto why = read_endpoints(text, all_of))
        return why;
    if (all_of.size() != 1)
        return "names several servers; it takes one";
    into = std::move(all_of.front());
    return std::nullopt;
}

std::string show_endpoints(std::span<const endpoint> all_of) {
    std::string text;
    for (const auto& one : all_of)
        text += (text.empty() ? "" : ",") + to_string(one);
    return text;
}

bool local(const endpoint& at) noexcept {
    if (at.local_socket() || at.host == "localhost" || at.host == "::1")
        return true;
    // An IPv4 address of 127.0.0.0/8, not a name that begins like one.
    std::string_view rest = at.host;
    if (!rest.starts_with("127."))
        return false;
    for (int part = 0; part < 4; ++part) {
        const auto dot = std::min(rest.find('.'), rest.size());
        unsigned value = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + dot, value);
        if (error != std::errc{} || end != rest.data() + dot || dot > 3 || value > 255)
            return false;
        if ((dot == rest.size()) != (part == 3))
            return false;
        rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    return true;
}

}
