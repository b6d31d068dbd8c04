// SPDX-License-Identifier: Apache-2.0
#include "support/vectors.hpp"

#include "support/vector_fields.hpp"
#include "support/vector_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace hadr::test {

namespace {

struct vector_kind {
    std::string_view name;
    vector_check (*read)(fields& of, const shared_part& with);
    bool tells_stories = false;
};

constexpr vector_kind vector_kinds[] = {
    {"views", read_view_vector, true},
    {"epochs", read_epoch_vector},
    {"policy", read_policy_vector},
    {"level", read_level_vector},
    {"actions", read_action_vector},
    {"schedule", read_schedule_vector},
    {"strings", read_string_vector},
};

const vector_kind& kind_of(const entry& word) {
    const auto name = word.text();
    for (const auto& one : vector_kinds)
        if (one.name == name)
            return one;
    word.wrong(fmt::format("'{}' is no kind of vectors", name));
}

// A letter of the tables and a number, as C30.
bool rule_like(std::string_view id) {
    return id.size() >= 2 && id.size() <= 3 && id[0] >= 'A' && id[0] <= 'Z' &&
           std::all_of(id.begin() + 1, id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> read_rules(const entry& of) {
    auto made = of.texts();
    if (made.empty())
        of.wrong("names no rule");
    for (const auto& one : made)
        if (!rule_like(one))
            of.wrong(fmt::format("'{}' is no rule's id", one));
    return made;
}

rule_vector read_vector(
    const entry& of, const std::string& file, const shared_part& with, const vector_kind& kind
) {
    rule_vector made;
    made.name = fields(of).need("name").text();
    fields all(of.at(fmt::format("{}: '{}'", file, made.name)));
    static_cast<void>(all.take("name"));
    made.rules = read_rules(all.need("rules"));
    made.differences = kind.read(all, with);
    all.finish();
    return made;
}

std::vector<rule_vector> read_all(const std::string& file, std::string_view text) {
    const document whole(file, text);
    fields of(whole.root());
    const auto& kind = kind_of(of.need("kind"));
    static_cast<void>(of.need("about").text());
    shared_part with;
    if (const auto string = of.take("with"))
        with.string = string->text();
    if (const auto preludes = of.take("preludes")) {
        if (!kind.tells_stories)
            preludes->wrong("are for views only");
        read_preludes(*preludes, with);
    }
    std::vector<rule_vector> made;
    std::set<std::string> names;
    for (const auto& one : of.need("vectors").items()) {
        made.push_back(read_vector(one, file, with, kind));
        if (!names.insert(made.back().name).second)
            one.wrong(fmt::format("'{}' is another vector's name", made.back().name));
    }
    of.finish();
    if (made.empty())
        of.all().wrong("has no vector");
    return made;
}

}

expected<std::vector<rule_vector>> read_vectors(const std::string& file, std::string_view text) {
    try {
        return read_all(file, text);
    } catch (const bad_vector& error) {
        return make_failure(errc::configuration_invalid, advice::give_up, error.what());
    }
}

}
