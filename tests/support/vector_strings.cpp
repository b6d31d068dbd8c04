// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"
#include "support/vector_kinds.hpp"

#include <fmt/format.h>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;

std::string place_or_none(const std::optional<endpoint>& at) {
    return at ? to_string(*at) : "none";
}

std::string in_milliseconds(const std::optional<duration>& length) {
    return length ? fmt::format("{} ms", *length / 1ms) : "none";
}

/// A field of a specification as text.
struct string_part {
    std::string_view field;
    std::string (*shows)(const store_specification&);
    bool time = false;
};

// clang-format off
constexpr string_part string_parts[] = {
    {"mode",                [](const store_specification& s) { return std::string(to_string(s.how)); }},
    {"server",              [](const store_specification& s) { return s.servers.size() == 1 ? to_string(s.servers[0]) : fmt::format("{} servers", s.servers.size()); }},
    {"failover_partner",    [](const store_specification& s) { return place_or_none(s.failover_partner); }},
    {"witness",             [](const store_specification& s) { return s.witness ? s.witness->product + " at " + to_string(s.witness->at) : "none"; }},
    {"witness_user",        [](const store_specification& s) { return s.witness ? s.witness->with->user : "none"; }},
    {"witness_database",    [](const store_specification& s) { return s.witness ? s.witness->with->database : "none"; }},
    {"listener",            [](const store_specification& s) { return place_or_none(s.listener); }},
    {"database",            [](const store_specification& s) { return s.with->database; }},
    {"safety",              [](const store_specification& s) { return std::string(s.synchronous ? "full" : "off"); }},
    {"connect_timeout",     [](const store_specification& s) { return in_milliseconds(s.connect_timeout); }, true},
    {"acquire_timeout",     [](const store_specification& s) { return in_milliseconds(s.acquire_timeout); }, true},
    {"statement_timeout",   [](const store_specification& s) { return in_milliseconds(s.statement_timeout); }, true},
    {"ride_out",            [](const store_specification& s) { return in_milliseconds(s.ride_out); }, true},
    {"witness_lost_advice", [](const store_specification& s) { return in_milliseconds(s.witness_lost_advice); }, true},
    {"rto",                 [](const store_specification& s) { return in_milliseconds(s.wanted.recovery_time); }, true},
    {"rpo",                 [](const store_specification& s) { return in_milliseconds(s.wanted.recovery_point); }, true},
};
// clang-format on

/// What a string is expected to say.
struct string_wish {
    std::vector<std::string> refused; ///< Words of the refusal; none: it parses.
    std::vector<std::pair<const string_part*, std::string>> says;
    std::string same_as;
    std::string differs_from;
};

string_wish read_wish(const entry& of, const std::string& common) {
    fields then(of);
    string_wish made;
    if (const auto refused = then.take("refused")) {
        made.refused = refused->texts();
        if (made.refused.empty())
            refused->wrong("says nothing");
    }
    for (const auto& part : string_parts)
        if (const auto one = then.take(part.field))
            made.says.emplace_back(
                &part,
                one->null() ? "none"
                : part.time ? in_milliseconds(one->time())
                            : one->text()
            );
    if (const auto other = then.take("same_as"))
        made.same_as = common + other->text();
    if (const auto other = then.take("differs_from"))
        made.differs_from = common + other->text();
    then.finish();
    const bool parses = !made.says.empty() || !made.same_as.empty() || !made.differs_from.empty();
    if (parses != made.refused.empty())
        of.wrong("is either 'refused' or what the string says");
    return made;
}

std::vector<std::string> string_differences(const std::string& string, const string_wish& wish) {
    std::vector<std::string> wrong;
    const auto made = parse(string);
    if (made.has_value() != wish.refused.empty()) {
        wrong.push_back(made ? "parses" : made.error().message);
        return wrong;
    }
    for (const auto& word : wish.refused)
        if (made.error().message.find(word) == std::string::npos)
            wrong.push_back(fmt::format("refused: '{}' is not in '{}'", word, made.error().message)
            );
    for (const auto& [part, wanted] : wish.says)
        compare(part->field, wanted, part->shows(*made), wrong);
    for (const auto* other : {&wish.same_as, &wish.differs_from}) {
        if (other->empty())
            continue;
        const auto read = parse(*other);
        if (!read)
            wrong.push_back(read.error().message);
        else if (core::same(*made, *read) != (other == &wish.same_as))
            wrong.push_back(fmt::format(
                "'{}' means {}", *other, other == &wish.same_as ? "another store" : "the same store"
            ));
    }
    return wrong;
}

}

vector_check read_string_vector(fields& of, const shared_part& with) {
    auto string = with.string + of.need("string").text();
    auto wish = read_wish(of.need("then"), with.string);
    return [string = std::move(string), wish = std::move(wish)] {
        return string_differences(string, wish);
    };
}

}
