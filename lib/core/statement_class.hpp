// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>
#include <hadr/store.hpp>

#include <string_view>

namespace hadr::inline v0::core {

/// What a statement does to the session that runs it.
struct statement_class {
    /// commit if it may end a transaction, also as one of several statements.
    statement_kind kind = statement_kind::text;
    /// On the clean list: leaves no session state behind that a reset would have to undo (rulings
    /// 7). A function that the statement calls may still do so; the application then takes the
    /// native handle or resets itself.
    bool clean = false;
    /// Not a lone query by its first word: outside of a transaction it is a commit in flight (C8).
    bool may_write = true;
    /// Rolls back, and writes nothing behind that: a transaction that has ended with it is undone.
    bool undoes = false;
    /// May commit the transaction around it without the word, also where it fails itself: what a
    /// procedure does, or a definition where the engine has no transactions for these.
    bool hides_commits = false;
    /// Likewise, and another one is open behind it.
    bool restarts = false;

    /// There is nothing to care for: neither a commit nor a state left behind.
    bool only_reads() const noexcept { return kind == statement_kind::text && clean && !may_write; }
};

/// By its words alone; leading comments are skipped, anything doubtful is not clean.
statement_class classify(std::string_view text) noexcept;
statement_class classify_transact_sql(std::string_view text) noexcept;
statement_class classify_any_sql(std::string_view text) noexcept;

/// COMMIT and nothing else, so that its failure is that of the commit.
bool commits_alone(std::string_view text) noexcept;

/// As the engine reads it.
inline statement_class classify(std::string_view text, engine by) noexcept {
    switch (by) {
    case engine::postgresql: return classify(text);
    case engine::sql_server: return classify_transact_sql(text);
    case engine::other: break;
    }
    return classify_any_sql(text);
}

inline constexpr std::string_view commit_text = "COMMIT";

/// The tag that a COMMIT brings when it did commit (C1).
inline constexpr std::string_view commit_tag = "COMMIT";

/// Warning that a commit may not be replicated (F40).
inline constexpr std::string_view local_commit_warning = "01000";

}
