// SPDX-License-Identifier: Apache-2.0
#include "testing/simulated_statement.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::testing {

namespace {

constexpr std::array<std::string_view, 15> writing_words = {
    "insert",
    "update",
    "delete",
    "merge",
    "truncate",
    "create",
    "alter",
    "drop",
    "grant",
    "revoke",
    "comment",
    "copy",
    "call",
    "do",
    "refresh"};

constexpr char lower(char one) noexcept {
    return one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one;
}

constexpr bool word_part(char one) noexcept {
    const char small = lower(one);
    return (small >= 'a' && small <= 'z') || (one >= '0' && one <= '9') || one == '_';
}

bool same_word(std::string_view word, std::string_view lower_case) noexcept {
    return std::equal(
        word.begin(),
        word.end(),
        lower_case.begin(),
        lower_case.end(),
        [](char x, char y) { return lower(x) == y; }
    );
}

std::string_view next_word(std::string_view& rest) noexcept {
    const auto* const begin = std::find_if(rest.begin(), rest.end(), word_part);
    const auto* const end = std::find_if_not(begin, rest.end(), word_part);
    rest = std::string_view(end, rest.end());
    return {begin, end};
}

bool writing_word(std::string_view word) noexcept {
    return std::any_of(writing_words.begin(), writing_words.end(), [&](std::string_view one) {
        return same_word(word, one);
    });
}

// By its first word; WITH by any word in it.
bool writes(std::string_view text) noexcept {
    auto word = next_word(text);
    if (!same_word(word, "with"))
        return writing_word(word);
    while (!word.empty() && !writing_word(word))
        word = next_word(text);
    return !word.empty();
}

}

simulated_write write_of(std::string_view text) {
    constexpr std::string_view append = "append ";
    constexpr std::string_view once = "append once ";
    if (text.starts_with(once))
        return {std::string(text.substr(once.size())), true};
    if (text.starts_with(append))
        return {std::string(text.substr(append.size())), false};
    return {writes(text) ? std::string(text) : std::string(), false};
}

std::string text_of(const statement& what) {
    if (what.kind == statement_kind::reset)
        return "reset";
    std::string text(what.text);
    for (auto number = what.parameters.size(); number > 0; --number) { // $12 before $1.
        const auto name = "$" + std::to_string(number);
        const std::string value(what.parameters[number - 1].value_or(std::string_view("NULL")));
        for (auto at = text.find(name); at != std::string::npos;
             at = text.find(name, at + value.size()))
            text.replace(at, name.size(), value);
    }
    constexpr std::string_view insert = "INSERT INTO ledger VALUES ('";
    constexpr std::string_view end = "')";
    if (text.starts_with(insert) && text.ends_with(end))
        return "append " + text.substr(insert.size(), text.size() - insert.size() - end.size());
    if (text == "SELECT token FROM ledger")
        return "ledger";
    for (const std::string_view word : {"COMMIT", "ROLLBACK"})
        for (const std::string_view more : {" TRANSACTION", " TRAN", " WORK"})
            if (text.starts_with(word) && std::string_view(text).substr(word.size()) == more)
                return std::string(word);
    return text;
}

std::string_view tag_of(std::string_view text) noexcept {
    const auto first = text.empty() ? '\0' : text.front();
    if (text == "COMMIT")
        return "COMMIT";
    if (first == 'u' || first == 'U')
        return "UPDATE 1";
    if (first == 'd' || first == 'D')
        return "DELETE 1";
    return "INSERT 0 1";
}

}
