// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"
#include "core/keys.hpp"
#include "core/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace hadr::inline v0::core {

namespace {

// Parameters of libpq that would change where a session goes or how it is secured, and have no key
// here. The others are names or aliases of keys.
constexpr std::array<std::string_view, 11> refused = {
    "hostaddr",
    "service",
    "passfile",
    "options",
    "gssencmode",
    "krbsrvname",
    "keepalives",
    "tcp_user_timeout",
    "load_balance_hosts",
    "sslcrl",
    "require_auth"};

std::optional<int> hex(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return std::nullopt;
}

// No value if a percent sign is not followed by two digits, or stands for what no value may hold.
std::optional<std::string> decoded(std::string_view text) {
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            made += text[i];
            continue;
        }
        const auto high = i + 1 < text.size() ? hex(text[i + 1]) : std::nullopt;
        const auto low = i + 2 < text.size() ? hex(text[i + 2]) : std::nullopt;
        if (!high || !low)
            return std::nullopt;
        const char c = static_cast<char>(*high * 16 + *low);
        if (c == '\0' || c == '\r' || c == '\n')
            return std::nullopt;
        made += c;
        i += 2;
    }
    return made;
}

std::optional<std::string> intent_of(std::string_view session_attributes) {
    const auto is = [&](std::string_view one) { return session_attributes == one; };
    if (is("any") || is("read-write") || is("primary"))
        return "ReadWrite";
    const bool reads = is("read-only") || is("standby") || is("prefer-standby");
    return reads ? std::optional<std::string>("ReadOnly") : std::nullopt;
}

/// Collects the settings of one URI.
class uri_reader {
public:
    explicit uri_reader(std::string_view text) : text_(text) {}

    expected<std::vector<setting>> run() {
        const auto begin = text_.find("://") + 3;
        auto rest = text_.substr(begin);
        const auto question = rest.find('?');
        const auto query =
            question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
        rest = rest.substr(0, question);
        const auto slash = rest.find('/');
        const auto path =
            slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
        auto authority = rest.substr(0, slash);
        const auto at = authority.rfind('@');
        // Else the rest of a password would be taken for a database, or its start for a host (M11).
        if (const auto late = text_.find('@', begin + authority.size());
            late != std::string_view::npos)
            refuse(
                text_.substr(late),
                "an '@' after the hosts is written %40; in a password, '/' is %2F and '?' is %3F"
            );
        if (at != std::string_view::npos) {
            user_and_password(authority.substr(0, at));
            authority.remove_prefix(at + 1);
        }
        hosts(authority);
        if (!path.empty())
            add("Database", path);
        parameters_of(query);
        if (why_)
            return *std::move(why_);
        return std::move(all_);
    }

private:
    std::size_t place(std::string_view part) const noexcept {
        return static_cast<std::size_t>(part.data() - text_.data()) + 1;
    }

    void refuse(std::string_view part, std::string_view why) {
        if (!why_)
            why_ = malformed(fmt::format("at place {} of the URI: {}", place(part), why));
    }

    void add(std::string_view key, std::string_view part) { add(key, part, place(part), false); }

    void add(std::string_view key, std::string_view part, std::size_t at, bool quiet) {
        auto value = decoded(part);
        if (!value) {
            refuse(part, "a value has a bad percent sign");
            return;
        }
        all_.push_back({std::string(key), std::move(*value), at, quiet});
    }

    void user_and_password(std::string_view text) {
        const auto colon = text.find(':');
        if (text.substr(0, colon).find('@') != std::string_view::npos) {
            refuse(text, "an '@' in a user or password is written %40");
            return;
        }
        add("UID", text.substr(0, colon));
        if (colon == std::string_view::npos)
            return;
        const auto password = text.substr(colon + 1);
        // Else part of a password would be taken for a host (M11).
        if (password.find('@') != std::string_view::npos)
            refuse(password, "an '@' in a user or password is written %40");
        else
            add("PWD", password);
    }

    // Each is decoded by itself: an encoded comma makes no further host (X5).
    void hosts(std::string_view text) {
        if (text.empty())
            return;
        std::string all;
        for (auto rest = text;; rest.remove_prefix(rest.find(',') + 1)) {
            const auto value = decoded(rest.substr(0, rest.find(',')));
            if (!value || value->find(',') != std::string::npos)
                return refuse(rest, "a host has a bad percent sign, or a comma");
            all += (all.empty() ? "" : ",") + *value;
            if (rest.find(',') == std::string_view::npos)
                break;
        }
        all_.push_back({"Server", std::move(all), place(text), true});
    }

    void parameters_of(std::string_view query) {
        while (!query.empty() && !why_) {
            const auto end = query.find('&');
            const auto one = query.substr(0, end);
            if (!one.empty())
                parameter(one);
            query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        }
    }

    void parameter(std::string_view one) {
        const auto equals = one.find('=');
        if (equals == std::string_view::npos) {
            refuse(one, "a parameter has no '='");
            return;
        }
        const auto name = one.substr(0, equals);
        const auto value = one.substr(equals + 1);
        const bool quiet = after_secret_;
        const auto* rule = find_key(name);
        after_secret_ = rule != nullptr && rule->hidden;
        if (std::find(refused.begin(), refused.end(), name) != refused.end())
            return refuse(one, fmt::format("{} has no meaning here", name));
        if (name != "target_session_attrs")
            return add(name, value, place(one), quiet);
        const auto plain = decoded(value);
        auto mapped = plain ? intent_of(*plain) : std::nullopt;
        if (!mapped)
            return refuse(
                one,
                "target_session_attrs must be one of any, read-write, primary, read-only, standby, "
                "prefer-standby"
            );
        all_.push_back({"ApplicationIntent", std::move(*mapped), place(one)});
    }

    std::string_view text_;
    std::vector<setting> all_;
    std::optional<failure> why_;
    bool after_secret_ = false;
};

}

expected<std::vector<setting>> read_uri(std::string_view text) {
    return uri_reader(text).run();
}

}
