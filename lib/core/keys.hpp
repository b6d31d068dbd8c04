// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/store.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hadr::inline v0::core {

/// A specification while its keys are read.
struct draft {
    store_specification store;
    profile with;
    witness_server witness;
    profile witness_with;
    bool trust_server_certificate = false;
    bool encrypt_given = false;
    bool encrypt_checks = false; ///< By a word that says how the server is identified.
    bool witness_encrypt_given = false;
    bool witness_user_given = false;
    bool engine_given = false;
    bool multi_subnet_given = false;
    std::uint16_t port = 0;
};

/// One key of a connection string: the only place that knows it.
struct key_rule {
    std::string_view name;
    std::string_view aliases;   ///< Separated by ", ".
    std::string_view modes;     ///< "all", or the modes it is for.
    std::string_view values;    ///< Unit and range, for people.
    std::string_view otherwise; ///< The default, for people.
    std::string_view effect;
    bool hidden = false; ///< Its value is never printed (X4).
    /// Why the value will not do, or nothing once it is taken.
    std::optional<std::string> (*read)(draft&, std::string_view value) = nullptr;
    /// The value to print, or nothing at the default.
    std::optional<std::string> (*show)(const store_specification&) = nullptr;
};

std::span<const key_rule> key_rules() noexcept;

/// What holds where the string does not say.
encryption usual_encryption(const store_specification& store, const profile& with);
encryption usual_encryption(const witness_server& witness) noexcept;
engine usual_engine(const store_specification& store, const profile& with);
/// 0: unknown.
std::uint16_t usual_port(engine kind) noexcept;
bool usual_multi_subnet(mode how) noexcept;
std::string usual_name(const profile& with);
int usual_warm(int pool_max) noexcept;

/// By name or alias; case, '_', '-' and spaces do not matter.
const key_rule* find_key(std::string_view name);

/// "Database" for "Datbase": the nearest known key or alias, or empty if none is near.
std::string_view nearest_key(std::string_view name);

/// Of the words, the one with the fewest changes to reach the given one, at most a third of its
/// length.
std::string_view nearest_word(std::string_view given, std::span<const std::string_view> words);

/// The table of README.md, in Markdown.
std::string key_reference();

}
