// SPDX-License-Identifier: Apache-2.0
#include "core/keys.hpp"

#include "core/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

namespace hadr::inline v0::core {

namespace {

std::string plain(std::string_view name) {
    auto text = lower_case(name);
    std::erase_if(text, [](char c) { return c == '_' || c == ' ' || c == '-'; });
    return text;
}

constexpr std::size_t word_max = 64; // Longer ones are nobody's misspelling.

// Damerau-Levenshtein, adjacent transpositions counted once. Both are at most word_max long.
std::size_t distance(std::string_view a, std::string_view b) {
    std::array<std::array<std::size_t, word_max + 1>, 3> rows{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        rows[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& above = rows[(i - 1) % 3];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[a.size() % 3][b.size()];
}

std::vector<std::string_view> names_of(const key_rule& rule) {
    std::vector<std::string_view> all = {rule.name};
    for (auto rest = rule.aliases; !rest.empty();) {
        const auto comma = rest.find(", ");
        all.push_back(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 2);
    }
    return all;
}

}

std::string_view nearest_word(std::string_view given, std::span<const std::string_view> words) {
    const auto wanted = plain(given.substr(0, word_max));
    std::string_view best;
    std::size_t least = std::max<std::size_t>(wanted.size() / 3, 1) + 1;
    for (const auto one : words) {
        const auto name = plain(one.substr(0, word_max));
        const auto longer = std::max(name.size(), wanted.size());
        if (longer - std::min(name.size(), wanted.size()) >= least)
            continue;
        const auto apart = distance(wanted, name);
        if (apart < least) {
            least = apart;
            best = one;
        }
    }
    return best;
}

encryption usual_encryption(const store_specification& store, const profile& with) {
    if (store.driver != "libpq" && embedded(family_of(with.odbc_driver)))
        return encryption::disable; // There is no wire.
    bool near = !store.servers.empty() || store.failover_partner || store.listener;
    for (const auto& at : store.servers)
        near = near && local(at);
    if (store.failover_partner)
        near = near && local(*store.failover_partner);
    if (store.listener)
        near = near && local(*store.listener);
    return near ? encryption::disable : encryption::verify_full;
}

encryption usual_encryption(const witness_server& witness) noexcept {
    return local(witness.at) ? encryption::disable : encryption::verify_full;
}

engine usual_engine(const store_specification& store, const profile& with) {
    return store.driver == "libpq" ? engine::postgresql : engine_of(family_of(with.odbc_driver));
}

std::uint16_t usual_port(engine kind) noexcept {
    switch (kind) {
    case engine::postgresql: return 5432;
    case engine::sql_server: return 1433;
    case engine::other: break;
    }
    return 0;
}

bool usual_multi_subnet(mode how) noexcept {
    return how == mode::availability_group || how == mode::failover_cluster_instance;
}

std::string usual_name(const profile& with) {
    return with.database.empty() ? "store" : with.database;
}

int usual_warm(int pool_max) noexcept {
    return std::min(store_specification().warm, pool_max);
}

const key_rule* find_key(std::string_view name) {
    static const auto known = [] {
        std::unordered_map<std::string, const key_rule*> all;
        for (const auto& rule : key_rules())
            for (const auto one : names_of(rule))
                all.emplace(plain(one), &rule);
        return all;
    }();
    const auto found = known.find(plain(name));
    return found == known.end() ? nullptr : found->second;
}

std::string_view nearest_key(std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& rule : key_rules())
        for (const auto one : names_of(rule))
            names.push_back(one);
    return nearest_word(name, names);
}

std::string key_reference() {
    std::string text =
        "| key (also) | modes | values; a time without unit is in seconds | default | effect |\n"
        "|---|---|---|---|---|\n";
    for (const auto& rule : key_rules())
        text += fmt::format(
            "| `{}`{} | {} | {} | {} | {} |\n",
            rule.name,
            rule.aliases.empty() ? "" : fmt::format(" ({})", rule.aliases),
            rule.modes,
            rule.values,
            rule.otherwise,
            rule.effect
        );
    return text;
}

}
