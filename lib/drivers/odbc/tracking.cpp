// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/tracking.hpp"

#include "drivers/odbc/words.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace hadr::inline v0::odbc {

namespace {

constexpr bool space(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

constexpr bool of_a_word(char c) noexcept {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// Past a comment, if the text begins with one.
bool skip_comment(std::string_view& text) noexcept {
    if (text.starts_with("--")) {
        text.remove_prefix(std::min(text.find('\n'), text.size()));
        return true;
    }
    if (!text.starts_with("/*"))
        return false;
    const auto end = text.find("*/");
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    return true;
}

void skip_space(std::string_view& text) noexcept {
    do {
        while (!text.empty() && space(text.front()))
            text.remove_prefix(1);
    } while (skip_comment(text));
}

std::string_view take_word(std::string_view& text) noexcept {
    skip_space(text);
    std::size_t end = 0;
    while (end < text.size() && of_a_word(text[end]))
        ++end;
    const auto word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

struct known_word {
    std::string_view word;
    std::string_view tag;
    statement_sort::kind is;
    bool query = false;
};

using kind = statement_sort::kind;

constexpr std::array<known_word, 17> words = {
    {{"select", "SELECT", kind::data, true},
     {"insert", "INSERT", kind::data},
     {"update", "UPDATE", kind::data},
     {"delete", "DELETE", kind::data},
     {"values", "VALUES", kind::data, true},
     {"merge", "MERGE", kind::data},
     {"with", "WITH", kind::data},
     {"table", "TABLE", kind::data, true},
     {"begin", "BEGIN", kind::begin},
     {"start", "BEGIN", kind::begin},
     {"commit", "COMMIT", kind::commit},
     {"end", "COMMIT", kind::commit},
     {"rollback", "ROLLBACK", kind::rollback},
     {"abort", "ROLLBACK", kind::rollback},
     {"savepoint", "SAVEPOINT", kind::data},
     {"release", "RELEASE", kind::data},
     {"create", "CREATE", kind::other}}};

// What begins a statement that may change something, wherever it stands. SET is also a part of one.
constexpr std::array<std::string_view, 20> doing = {
    "insert",  "update", "delete", "merge",    "exec",  "execute",  "create",
    "alter",   "drop",   "use",    "truncate", "begin", "commit",   "rollback",
    "declare", "if",     "while",  "waitfor",  "throw", "raiserror"};

constexpr std::array<std::string_view, 4> writing = {"insert", "update", "delete", "with"};

bool among(std::span<const std::string_view> all, std::string_view word) noexcept {
    return std::any_of(all.begin(), all.end(), [word](auto one) { return same(word, one); });
}

constexpr std::array<std::string_view, 4> unsettling = {
    "implicit_transactions", "autocommit", "ansi_defaults", "xact_abort"};

constexpr std::array<std::string_view, 7> marks_of_state = {
    "set_config", "advisory", "temp", "dblink", "#", "get_lock", "@"};

bool contains_one_of(std::string_view text, std::span<const std::string_view> words_of) noexcept {
    return std::any_of(words_of.begin(), words_of.end(), [&](auto word) {
        return contains(text, word);
    });
}

// "ROLLBACK [WORK | TRANSACTION] TO", and what else follows one of these words.
void look_further(statement_sort& of, std::string_view rest) noexcept {
    const bool prepared = contains(rest, "prepared");
    of.several = of.several || contains(rest, "chain") || prepared;
    if (of.is != kind::rollback)
        return;
    for (auto word = take_word(rest); !word.empty(); word = take_word(rest))
        if (same(word, "to"))
            of.is = kind::rollback_to;
}

}

statement_sort sort_of(std::string_view text) noexcept {
    auto rest = text;
    const auto first = take_word(rest);
    statement_sort of;
    auto behind = text.substr(std::min(text.find(';'), text.size()));
    while (!behind.empty() && (space(behind.front()) || behind.front() == ';'))
        behind.remove_prefix(1);
    of.several = !behind.empty();
    of.unsettles = contains_one_of(text, unsettling);
    of.leaves_state = of.several || contains_one_of(text, marks_of_state);
    const auto found = std::find_if(words.begin(), words.end(), [&](const known_word& one) {
        return same(first, one.word);
    });
    if (found == words.end())
        return of;
    of.is = found->is;
    of.tag = found->tag;
    of.query = found->query && !of.several;
    if (of.is == kind::commit || of.is == kind::rollback)
        look_further(of, rest);
    return of;
}

// Words in quotes and comments count as well.
bool writes_once(std::string_view text) noexcept {
    auto rest = text;
    if (!among(writing, take_word(rest)) || sort_of(text).several)
        return false;
    int found = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto begin =
            std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), of_a_word);
        const auto end = std::find_if_not(begin, text.end(), of_a_word);
        found += among(doing, {begin, end}) ? 1 : 0;
        at = static_cast<std::size_t>(end - text.begin());
    }
    return found == 1;
}

namespace {

transaction_status if_well(
    const tracked& was, const statement_sort& what, const engine_ways& of, bool& doubt
) noexcept {
    const bool inside = was.is != transaction_status::idle;
    switch (what.is) {
    case kind::begin:
        doubt = doubt || (inside && of.nests);
        return was.is == transaction_status::failed ? was.is : transaction_status::open;
    case kind::commit:
    case kind::rollback: return transaction_status::idle;
    case kind::rollback_to: return inside ? transaction_status::open : was.is;
    case kind::data: return was.is;
    case kind::other: break;
    }
    doubt = doubt || (!of.others_keep && (inside || !of.statements_commit));
    return was.is;
}

}

tracked after_statement(
    const tracked& was, const statement_sort& what, bool ended_well, const engine_ways& of
) noexcept {
    const bool inside = was.is != transaction_status::idle;
    tracked now{was.is, false, was.unsettled || what.unsettles};
    bool doubt = now.unsettled || what.several;
    if (ended_well) {
        now.is = if_well(was, what, of, doubt);
        now.unsettled = now.unsettled || (what.is == kind::begin && inside && of.nests);
    } else if (!inside || of.errors_fail) {
        // A COMMIT that is refused there is a rollback.
        if (inside)
            now.is =
                what.is == kind::commit ? transaction_status::idle : transaction_status::failed;
    } else {
        doubt = true;
    }
    now.in_doubt = doubt;
    return now;
}

}
