// SPDX-License-Identifier: Apache-2.0
#include "support/vector_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include <nlohmann/json.hpp>

namespace hadr::test {

namespace {

using json = nlohmann::ordered_json;
using namespace std::chrono_literals;

struct time_unit {
    std::string_view name;
    duration worth;
};

constexpr time_unit time_units[] = {{"ns", 1ns}, {"ms", 1ms}, {"s", 1s}, {"min", 1min}, {"h", 1h}};

std::optional<duration> read_time_part(std::string_view& rest) {
    std::int64_t count = 0;
    const auto* const last = rest.data() + rest.size();
    const auto [end, error] = std::from_chars(rest.data(), last, count);
    if (error != std::errc{} || count < 0)
        return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto name = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    for (const auto& unit : time_units)
        if (unit.name == name && count <= 10'000h / unit.worth)
            return count * unit.worth;
    return std::nullopt;
}

// JSON leaves open what a name that occurs twice means.
class twice_named {
public:
    explicit twice_named(std::string file) : file_(std::move(file)) {}

    bool operator()(int /*depth*/, json::parse_event_t what, const json& is) {
        if (what == json::parse_event_t::object_start)
            open_.emplace_back();
        else if (what == json::parse_event_t::object_end)
            open_.pop_back();
        else if (what == json::parse_event_t::key) {
            const auto& name = is.get_ref<const std::string&>();
            if (!open_.back().insert(name).second)
                throw bad_vector(fmt::format("{}: '{}' stands twice in one object", file_, name));
        }
        return true;
    }

private:
    std::string file_;
    std::vector<std::set<std::string>> open_;
};

}

entry::entry(const nlohmann::ordered_json& is, std::string place)
    : is_(&is)
    , place_(std::move(place)) {}

bool entry::null() const {
    return is_->is_null();
}

bool entry::list() const {
    return is_->is_array();
}

bool entry::object() const {
    return is_->is_object();
}

std::string entry::text() const {
    if (!is_->is_string())
        wrong("is no text");
    const auto& text = is_->get_ref<const std::string&>();
    if (text.empty())
        wrong("is empty");
    return text;
}

std::string entry::word(std::initializer_list<std::string_view> known) const {
    auto made = text();
    if (std::find(known.begin(), known.end(), made) == known.end())
        wrong(fmt::format("'{}' is none of {}", made, fmt::join(known, ", ")));
    return made;
}

std::uint64_t entry::number(std::uint64_t most) const {
    if (!is_->is_number_unsigned() || is_->get<std::uint64_t>() > most)
        wrong(fmt::format("is no whole number from 0 to {}", most));
    return is_->get<std::uint64_t>();
}

bool entry::flag() const {
    if (!is_->is_boolean())
        wrong("is neither true nor false");
    return is_->get<bool>();
}

duration entry::time() const {
    const auto written = text();
    std::string_view rest = written;
    duration sum{};
    while (!rest.empty()) {
        const auto part = read_time_part(rest);
        if (!part || sum + *part > 10'000h)
            wrong(fmt::format("'{}' is no time such as 29min 59s", written));
        sum += *part;
    }
    return sum;
}

std::vector<entry> entry::items() const {
    if (!list())
        wrong("is no list");
    std::vector<entry> made;
    for (const auto& one : *is_)
        made.emplace_back(one, fmt::format("{}[{}]", place_, made.size()));
    return made;
}

std::vector<std::string> entry::texts() const {
    std::vector<std::string> made;
    for (const auto& one : items())
        made.push_back(one.text());
    return made;
}

std::vector<std::pair<std::string, entry>> entry::named() const {
    if (!object())
        wrong("is no object");
    std::vector<std::pair<std::string, entry>> made;
    for (auto one = is_->begin(); one != is_->end(); ++one)
        made.emplace_back(one.key(), entry(*one, fmt::format("{}: {}", place_, one.key())));
    return made;
}

void entry::wrong(const std::string& why) const {
    throw bad_vector(fmt::format("{}: {}", place_, why));
}

fields::fields(const entry& of) : of_(of), left_(of.named()) {}

std::optional<entry> fields::take(std::string_view name) {
    const auto found = std::find_if(left_.begin(), left_.end(), [&](const auto& one) {
        return one.first == name;
    });
    if (found == left_.end())
        return std::nullopt;
    auto made = found->second;
    left_.erase(found);
    return made;
}

entry fields::need(std::string_view name) {
    if (auto one = take(name))
        return *one;
    of_.wrong(fmt::format("has no '{}'", name));
}

void fields::finish() const {
    if (!left_.empty())
        of_.wrong(fmt::format("'{}' is no field of it", left_.front().first));
}

document::document(std::string file, std::string_view text) : file_(std::move(file)) {
    try {
        is_ = std::make_unique<json>(json::parse(text, twice_named(file_)));
    } catch (const json::exception& error) {
        throw bad_vector(fmt::format("{}: {}", file_, error.what()));
    }
}

document::~document() = default;

}
