// SPDX-License-Identifier: Apache-2.0
#include "property/odbc_parsers.hpp"

#include <algorithm>

namespace hadr::test {

namespace {

using std::string;
using std::string_view;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool space(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

string trimmed(string text) {
    while (!text.empty() && space(text.back()))
        text.pop_back();
    const auto first = std::find_if_not(text.begin(), text.end(), space);
    return {first, text.end()};
}

/// C functions see no further.
string until_nul(const string& text) {
    return text.substr(0, text.find('\0'));
}

/// From behind an opening brace to the closing one; leaves `at` behind it.
string doubled_braces(const string& text, std::size_t& at) {
    string value;
    for (; at < text.size(); ++at) {
        if (text[at] == '}') {
            if (at + 1 >= text.size() || text[at + 1] != '}')
                break;
            ++at;
        }
        value += text[at];
    }
    at = std::min(at + 1, text.size());
    return value;
}

string percent_decoded(string_view text) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9'                 ? c - '0'
               : lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10
                                                    : 0;
    };
    string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            made += ' ';
        } else if (text[i] == '%' && i + 2 < text.size()) {
            made += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        } else {
            made += text[i];
        }
    }
    return made;
}

string without_braces(const string& value) {
    if (!value.starts_with('{'))
        return percent_decoded(value);
    std::size_t at = 1;
    return doubled_braces(value, at);
}

}

bool key_less::operator()(string_view a, string_view b) const noexcept {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) < lower(y);
    });
}

read_pairs as_unixodbc(const string& given) {
    const auto text = until_nul(given);
    read_pairs all;
    for (std::size_t at = 0;;) {
        while (at < text.size() && (space(text[at]) || text[at] == ';'))
            ++at;
        const auto equals = text.find('=', at);
        if (equals == string::npos)
            return all;
        const auto key = text.substr(at, equals - at);
        at = equals + 1;
        if (at < text.size() && text[at] == '{') {
            all[key] = doubled_braces(text, ++at);
        } else {
            const auto end = std::min(text.find(';', at), text.size());
            all[key] = text.substr(at, end - at);
            at = end;
        }
    }
}

read_pairs as_freetds(const string& given) {
    const auto text = until_nul(given);
    read_pairs all;
    for (std::size_t at = 0; at < text.size();) {
        while (at < text.size() && text[at] == ';')
            ++at;
        const auto equals = text.find('=', at);
        if (equals == string::npos)
            return all;
        while (at < equals && text[at] == ' ')
            ++at;
        const auto key = text.substr(at, equals - at);
        at = equals + 1;
        const bool braces = at < text.size() && text[at] == '{';
        const auto end = std::min(braces ? text.find("};", ++at) : text.find(';', at), text.size());
        all[key] = text.substr(at, end - at);
        at = end + (end < text.size() && text[end] == '}' ? 2 : 1);
    }
    return all;
}

read_pairs as_psqlodbc(const string& given) {
    const auto text = until_nul(given);
    read_pairs all;
    for (std::size_t at = 0; at < text.size();) {
        while (at < text.size() && text[at] == ';')
            ++at;
        const auto end = std::min(text.find(';', at), text.size());
        const auto equals = text.find('=', at);
        if (equals >= end) {
            at = end;
            continue;
        }
        const auto key = text.substr(at, equals - at);
        at = equals + 1;
        string value;
        if (at < text.size() && text[at] == '{') {
            const auto opened = at;
            doubled_braces(text, ++at);
            if (at < text.size() && text[at] != ';')
                return {{"malformed", key}};
            value = text.substr(opened, at - opened);
        } else {
            value = text.substr(at, end - at);
            at = end;
        }
        const bool decoded = !key_less()(key, "PWD") && !key_less()("PWD", key);
        const bool options = !key_less()(key, "pqopt") && !key_less()("pqopt", key);
        all[key] = decoded || options ? without_braces(value) : value;
    }
    return all;
}

read_pairs as_mariadb(const string& given) {
    const auto text = until_nul(given);
    read_pairs all;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == ';') {
            ++at;
            continue;
        }
        const auto equals = text.find('=', at);
        if (equals == string::npos)
            return {{"malformed", {}}};
        const auto key = trimmed(text.substr(at, equals - at));
        at = equals + 1;
        while (at < text.size() && space(text[at]))
            ++at;
        if (at < text.size() && text[at] == '{') {
            all[key] = trimmed(doubled_braces(text, ++at));
        } else {
            const auto end = std::min(text.find(';', at), text.size());
            all[key] = trimmed(text.substr(at, end - at));
            at = end + 1;
        }
    }
    return all;
}

read_pairs as_sqlite(const string& given) {
    const auto text = until_nul(given);
    read_pairs all;
    for (std::size_t at = 0; at < text.size();) {
        while (at < text.size() && text[at] == ';')
            ++at;
        const auto equals = text.find('=', at);
        if (equals == string::npos)
            return all;
        const auto end = std::min(text.find(';', equals), text.size());
        all.emplace(text.substr(at, equals - at), text.substr(equals + 1, end - equals - 1));
        at = end;
    }
    return all;
}

read_pairs as_libpq(const string& text) {
    read_pairs all;
    for (std::size_t at = 0; at < text.size();) {
        if (space(text[at])) {
            ++at;
            continue;
        }
        const auto equals = text.find('=', at);
        if (equals == string::npos || equals + 1 >= text.size() || text[equals + 1] != '\'')
            return {{"malformed", {}}};
        auto& value = all[text.substr(at, equals - at)];
        for (at = equals + 2; at < text.size() && text[at] != '\''; ++at) {
            if (text[at] == '\\' && at + 1 < text.size())
                ++at;
            value += text[at];
        }
        if (at++ >= text.size())
            return {{"malformed", {}}};
    }
    return all;
}

}
