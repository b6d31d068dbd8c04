// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hadr::inline v0::runtime {

namespace {

constexpr std::string_view heading = "hadr-state 1";

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

bool take_member(std::string_view value, remembered& into) {
    const auto first = value.find(' ');
    if (first == std::string_view::npos)
        return false;
    const auto port = number(value.substr(0, first));
    if (!port || *port > 65535)
        return false;
    const auto second = value.find('\\', first + 1);
    endpoint at;
    at.port = static_cast<std::uint16_t>(*port);
    at.host =
        value.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
    if (second != std::string_view::npos)
        at.instance = value.substr(second + 1);
    into.members.push_back(std::move(at));
    return true;
}

// Each part once: a second one is the rest of another file.
bool take_entry(std::string_view key, std::string_view value, remembered& into) {
    auto& highest = into.highest;
    if (key == "lineage" && highest.lineage.empty())
        return !(highest.lineage = value).empty();
    if (key == "term" && !highest.term)
        return (highest.term = number(value)).has_value();
    if (key == "fork" && !highest.fork) {
        highest.fork = std::string(value);
        return true;
    }
    if (key == "revision" && !highest.revision)
        return (highest.revision = number(value)).has_value();
    return key == "member" && take_member(value, into);
}

// A value from a server must not begin a line of its own (X5).
std::string one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', '?');
    return text;
}

}

std::string write_state(const remembered& what) {
    std::string text(heading);
    text += fmt::format("\nlineage {}\n", one_line(what.highest.lineage));
    if (what.highest.term)
        text += fmt::format("term {}\n", *what.highest.term);
    if (what.highest.fork)
        text += fmt::format("fork {}\n", one_line(*what.highest.fork));
    if (what.highest.revision)
        text += fmt::format("revision {}\n", *what.highest.revision);
    for (const auto& at : what.members)
        text += fmt::format(
            "member {} {}{}{}\n", at.port, at.host, at.instance.empty() ? "" : "\\", at.instance
        );
    return text + "end\n";
}

std::optional<remembered> read_state(std::string_view text) {
    if (take_line(text) != heading || !text.ends_with("end\n"))
        return std::nullopt;
    remembered found;
    for (auto line = take_line(text); line != "end"; line = take_line(text)) {
        const auto space = line.find(' ');
        const auto value =
            space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
        if (!take_entry(line.substr(0, space), value, found))
            return std::nullopt;
    }
    if (found.highest.lineage.empty() || !text.empty())
        return std::nullopt;
    return found;
}

}
