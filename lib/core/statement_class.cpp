// SPDX-License-Identifier: Apache-2.0
#include "core/statement_class.hpp"

#include "core/words.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::core {

namespace {

constexpr bool space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

constexpr bool word_part(char c) noexcept {
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

void skip_block_comment(std::string_view& text) noexcept {
    int depth = 0;
    while (!text.empty()) {
        if (text.starts_with("/*"))
            ++depth;
        else if (text.starts_with("*/"))
            --depth;
        else {
            text.remove_prefix(1);
            continue;
        }
        text.remove_prefix(2);
        if (depth == 0)
            return;
    }
}

void skip_space(std::string_view& text) noexcept {
    for (;;) {
        while (!text.empty() && (space(text.front()) || text.front() == ';'))
            text.remove_prefix(1);
        if (text.starts_with("--"))
            text.remove_prefix(std::min(text.find_first_of("\n\r"), text.size()));
        else if (text.starts_with("/*"))
            skip_block_comment(text);
        else
            return;
    }
}

std::string_view take_word(std::string_view& text) noexcept {
    const auto end = std::find_if_not(text.begin(), text.end(), word_part);
    const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(word.size());
    return word;
}

bool contains(std::string_view text, std::string_view lower_case) noexcept {
    return std::search(
               text.begin(),
               text.end(),
               lower_case.begin(),
               lower_case.end(),
               [](char x, char y) { return lower(x) == y; }
           ) != text.end();
}

bool has_word(std::string_view text, std::string_view lower_case) noexcept {
    while (!text.empty()) {
        while (!text.empty() && !word_part(text.front()))
            text.remove_prefix(1);
        if (same_word(take_word(text), lower_case))
            return true;
    }
    return false;
}

// Doubtful only if more than space follows; inside a literal it is doubted too.
bool several_statements(std::string_view text) noexcept {
    auto rest = text.substr(std::min(text.find(';'), text.size()));
    skip_space(rest);
    return !rest.empty();
}

std::string_view first_word(std::string_view text) noexcept {
    skip_space(text);
    return take_word(text);
}

constexpr std::array<std::string_view, 16> clean_words = {
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "values",
    "table",
    "with",
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "savepoint",
    "release",
    "show"};

constexpr std::array<std::string_view, 4> reading_words = {"select", "values", "table", "show"};

constexpr std::array<std::string_view, 4> marks_of_state = {
    "set_config", "pg_advisory", "temp", "dblink"};

}

statement_class classify(std::string_view text) noexcept {
    skip_space(text);
    auto rest = text;
    const auto first = take_word(rest);
    skip_space(rest);
    const auto second = take_word(rest);
    const bool several = several_statements(text);
    const bool ends = same_word(first, "commit") || same_word(first, "end") ||
                      (same_word(first, "prepare") && same_word(second, "transaction")) ||
                      (several && (has_word(text, "commit") || has_word(text, "end") ||
                                   has_word(text, "prepare")));
    const bool listed = among(clean_words, first);
    const bool reads = among(reading_words, first);
    const bool marked = std::any_of(marks_of_state.begin(), marks_of_state.end(), [&](auto mark) {
        return contains(text, mark);
    });
    statement_class made;
    made.kind = ends ? statement_kind::commit : statement_kind::text;
    made.clean = listed && !marked && !several;
    made.may_write = !reads || several;
    made.undoes = !several && (same_word(first, "rollback") || same_word(first, "abort"));
    return made;
}

bool commits_alone(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 3> behind = {"transaction", "tran", "work"};
    if (several_statements(text))
        return false;
    text = text.substr(0, text.find(';'));
    skip_space(text);
    if (!same_word(take_word(text), "commit"))
        return false;
    skip_space(text);
    const auto more = take_word(text);
    skip_space(text);
    return text.empty() && (more.empty() || among(behind, more));
}

constexpr std::array<std::string_view, 17> words_of_data = {
    "select",
    "insert",
    "update",
    "delete",
    "replace",
    "merge",
    "values",
    "table",
    "with",
    "savepoint",
    "release",
    "rollback",
    "show",
    "explain",
    "describe",
    "use",
    "do"};

constexpr std::array<std::string_view, 3> restarting_words = {"begin", "start", "call"};

// MariaDB's: its named locks and its variables belong to the session, an '@' in quotes too; what is
// not about data commits first, even if it then fails.
statement_class classify_any_sql(std::string_view text) noexcept {
    auto made = classify(text);
    const auto first = first_word(text);
    made.hides_commits = !among(words_of_data, first) || several_statements(text);
    made.restarts = among(restarting_words, first);
    if (text.find('@') != std::string_view::npos || contains(text, "get_lock"))
        made.clean = false;
    return made;
}

}
