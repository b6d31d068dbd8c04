// SPDX-License-Identifier: Apache-2.0
#include "core/statement_class.hpp"
#include "core/words.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::core {

namespace {

using view = std::string_view;

constexpr bool part_of_a_word(char c) noexcept {
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '@' || c == '#' ||
           c == '$';
}

// Comments end with their line, or nest; one that never ends hides the rest.
view past_comment(view text) noexcept {
    if (text.starts_with("--"))
        return text.substr(std::min(text.find('\n'), text.size()));
    int depth = 0;
    while (!text.empty()) {
        const int step = text.starts_with("/*") ? 1 : text.starts_with("*/") ? -1 : 0;
        depth += step;
        text.remove_prefix(step == 0 ? 1 : 2);
        if (depth == 0)
            break;
    }
    return text;
}

/// Words, and nothing between them: a batch needs no ';' between its statements.
class words {
public:
    explicit words(view text) noexcept : rest_(text) {}

    /// Empty at the end.
    view next() noexcept {
        while (!rest_.empty() && !part_of_a_word(rest_.front()))
            if (rest_.starts_with("--") || rest_.starts_with("/*"))
                rest_ = past_comment(rest_);
            else
                rest_.remove_prefix(1);
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), part_of_a_word);
        const auto word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
        rest_.remove_prefix(word.size());
        return word;
    }

private:
    view rest_;
};

constexpr std::array<view, 8> clean_first = {
    "select", "insert", "update", "delete", "merge", "with", "commit", "rollback"};

constexpr std::array<view, 2> of_transactions = {"tran", "transaction"};

// What a batch begins with that is no procedure's name. Definitions are a part of the transaction.
constexpr std::array<view, 36> statements_first = {
    "select", "insert",   "update", "delete",     "merge", "with",  "commit", "rollback",
    "begin",  "save",     "set",    "declare",    "if",    "while", "print",  "raiserror",
    "throw",  "waitfor",  "use",    "create",     "alter", "drop",  "grant",  "revoke",
    "deny",   "truncate", "bulk",   "checkpoint", "open",  "fetch", "close",  "deallocate",
    "dbcc",   "goto",     "return", "kill"};

// What may leave something behind in the session, wherever in the batch it stands.
constexpr std::array<view, 14> marks_of_a_batch = {
    "use",
    "exec",
    "execute",
    "create",
    "alter",
    "drop",
    "declare",
    "open",
    "dbcc",
    "begin",
    "revert",
    "setuser",
    "openquery",
    "openrowset"};

constexpr std::array<view, 12> writing = {
    "insert",
    "update",
    "delete",
    "merge",
    "into",
    "exec",
    "execute",
    "create",
    "alter",
    "drop",
    "truncate",
    "commit"};

}

// Words in quotes count as well: in doubt a statement is a commit, and not clean.
statement_class classify_transact_sql(view text) noexcept {
    words all(text);
    const auto first = all.next();
    auto rest = all;
    const auto second = rest.next();
    const bool begins = same_word(first, "begin");
    const bool marks = (begins || same_word(first, "save")) && among(of_transactions, second);
    // A BEGIN alone is that of transact(), which the driver puts in the engine's words.
    bool clean = among(clean_first, first) || marks || (begins && second.empty());
    bool commits = same_word(first, "commit");
    bool writes = !same_word(first, "select");
    bool rolled_back = same_word(first, "rollback");
    bool wrote_behind = false;
    bool runs = !among(statements_first, first);
    // UPDATE has one SET of its own, MERGE as many as it has branches.
    int sets = same_word(first, "update") ? 1 : same_word(first, "merge") ? 3 : 0;
    for (auto word = all.next(); !word.empty(); word = all.next()) {
        commits = commits || same_word(word, "commit");
        writes = writes || among(writing, word);
        wrote_behind = wrote_behind || (rolled_back && among(writing, word));
        rolled_back = rolled_back || same_word(word, "rollback");
        runs = runs || same_word(word, "exec") || same_word(word, "execute");
        if (same_word(word, "set"))
            clean = clean && sets-- > 0;
        else if (word.front() == '#' || word.starts_with("sp_") || among(marks_of_a_batch, word))
            clean = false;
    }
    statement_class made;
    made.kind = commits ? statement_kind::commit : statement_kind::text;
    made.clean = clean;
    made.may_write = writes;
    made.undoes = rolled_back && !wrote_behind && !runs && !commits;
    made.hides_commits = runs;
    return made;
}

}
