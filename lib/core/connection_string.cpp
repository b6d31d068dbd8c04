// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"

#include "core/keys.hpp"
#include "core/values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0 {

namespace core {

namespace {

constexpr std::size_t text_max = 64 * 1024;

bool forbidden(char c) noexcept {
    return c == '\0' || c == '\r' || c == '\n';
}

bool word_letter(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool ends_with_a_secrets_key(std::string_view word) {
    const auto text = lower_case(word);
    return text.ends_with("pwd") || text.ends_with("password");
}

// "app PWD=..." as the value of UID would be printed, password included.
bool holds_a_setting(std::string_view value) {
    for (auto at = value.find('='); at != std::string_view::npos; at = value.find('=', at + 1)) {
        const auto before = trimmed(value.substr(0, at));
        const auto end = std::find_if_not(before.rbegin(), before.rend(), word_letter);
        const auto length = static_cast<std::size_t>(end - before.rbegin());
        const auto word = before.substr(before.size() - length);
        if (length != 0 && (find_key(word) != nullptr || ends_with_a_secrets_key(word)))
            return true;
    }
    return false;
}

/// Walks through an ODBC connection string.
class odbc_reader {
public:
    explicit odbc_reader(std::string_view text) : text_(text) {}

    expected<std::vector<setting>> run() {
        std::vector<setting> all;
        bool after_secret = false;
        for (skip(" \t;"); at_ < text_.size(); skip(" \t;")) {
            setting one;
            one.place = at_ + 1;
            one.quiet = after_secret;
            const auto equals = text_.find_first_of("=;", at_);
            if (equals == std::string_view::npos || text_[equals] == ';')
                return malformed(fmt::format("the key at place {} has no '='", one.place));
            one.key = trimmed(text_.substr(at_, equals - at_));
            if (one.key.empty())
                return malformed(
                    fmt::format("there is no key before the '=' at place {}", equals + 1)
                );
            at_ = equals + 1;
            skip(" \t");
            const bool braces = at_ < text_.size() && text_[at_] == '{';
            if (auto why = braces ? quoted(one) : bare(one))
                return malformed(*std::move(why));
            const auto* rule = find_key(one.key);
            after_secret = rule != nullptr && rule->hidden; // Perhaps a part of it.
            all.push_back(std::move(one));
        }
        return all;
    }

private:
    void skip(std::string_view these) {
        at_ = std::min(text_.find_first_not_of(these, at_), text_.size());
    }

    complaint bare(setting& into) {
        const auto end = std::min(text_.find(';', at_), text_.size());
        into.value = trimmed(text_.substr(at_, end - at_));
        if (holds_a_setting(into.value))
            return fmt::format(
                "the value at place {} has another key and '=' inside: settings are separated by "
                "';', and a value that holds such text is quoted with {{}}",
                at_ + 1
            );
        at_ = end;
        return std::nullopt;
    }

    complaint quoted(setting& into) {
        const auto opened = at_++;
        while (at_ < text_.size()) {
            if (text_[at_] != '}') {
                into.value += text_[at_++];
                continue;
            }
            if (at_ + 1 < text_.size() && text_[at_ + 1] == '}') {
                into.value += '}';
                at_ += 2;
                continue;
            }
            const auto closed = ++at_;
            skip(" \t");
            if (at_ < text_.size() && text_[at_] != ';')
                return fmt::format(
                    "there is text after the '}}' at place {}; a '}}' inside a quoted value is "
                    "doubled",
                    closed
                );
            return std::nullopt;
        }
        return fmt::format("the '{{' at place {} is not closed", opened + 1);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string quoted_value(std::string_view value) {
    const bool plain = !value.empty() && value.find_first_of(";{}=") == std::string_view::npos &&
                       trimmed(value) == value;
    if (plain)
        return std::string(value);
    std::string made = "{";
    for (const char c : value)
        made += c == '}' ? std::string("}}") : std::string(1, c);
    return made + "}";
}

}

failure malformed(std::string message) {
    return make_failure(errc::configuration_invalid, advice::give_up, std::move(message));
}

expected<std::vector<setting>> read_odbc(std::string_view text) {
    return odbc_reader(text).run();
}

}

expected<store_specification> parse(std::string_view connection_string) {
    if (connection_string.size() > core::text_max)
        return core::malformed(
            fmt::format("the connection string is longer than {} bytes", core::text_max)
        );
    const auto bad =
        std::find_if(connection_string.begin(), connection_string.end(), core::forbidden);
    if (bad != connection_string.end())
        return core::malformed(fmt::format(
            "the connection string has a NUL, a carriage return or a line feed at place {}",
            bad - connection_string.begin() + 1
        ));
    const auto text = core::trimmed(connection_string);
    const auto scheme = core::lower_case(text.substr(0, 13));
    const bool uri = scheme == "postgresql://" || scheme.starts_with("postgres://");
    const auto all = uri ? core::read_uri(connection_string.substr(
                               0, static_cast<std::size_t>(text.end() - connection_string.begin())
                           ))
                         : core::read_odbc(connection_string);
    if (!all)
        return all.error();
    return core::assemble(*all);
}

std::string print(const store_specification& store) {
    std::string text;
    const auto add = [&](std::string_view key, std::string_view value) {
        text += fmt::format("{}{}={}", text.empty() ? "" : ";", key, core::quoted_value(value));
    };
    for (const auto& rule : core::key_rules())
        if (const auto value = rule.show(store))
            add(rule.name, *value);
    if (store.with)
        for (const auto& [key, value] : store.with->passed_through)
            add(key, value);
    return text;
}

}
