// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/errors.hpp"
#include "drivers/odbc/profiles.hpp"
#include "drivers/odbc/statements.hpp"

#include <hadr/executor.hpp>

#include <atomic>
#include <optional>

namespace hadr::inline v0::odbc {

/// How much a session of the library's own may bring; a server must not be able to exhaust memory
/// (X7).
struct answer_limits {
    std::size_t rows_max = 0;             ///< 0: no limit.
    std::size_t bytes_max = 0x7FFF'FFFFU; ///< What an answer can count.
};

/// A statement as it is asked for, copied: whoever asked may be gone before it has run.
struct asked_statement {
    statement_kind kind = statement_kind::text;
    bool kept = false;
    bool bound = false; ///< Its values are where the driver looks for them.
    bool again = false; ///< The kept text that ran last; text is not set then.
    std::string text;
    std::vector<std::string> values;   ///< Only ever grows.
    std::vector<parameter> parameters; ///< The first of the values.
    duration limit{};                  ///< Zero: not known.
};

/// What became of it.
struct ended_statement {
    std::optional<failure> failed;
    std::vector<notice> notices;
    transaction_status transaction = transaction_status::idle;
    bool lost = false;    ///< The session is beyond use.
    bool in_rows = false; ///< The result is to be kept.
};

/// The handles of one session and the statement that runs on them: all that a driver may touch, and
/// so what an agent that is stuck in it keeps. Used by one agent at a time, in turn: the session's
/// while it is idle, the executor's while a statement runs.
class call final : public executor::job {
public:
    enum class stage {
        idle,
        asked,
        running,
        ended,
        given_up, ///< Nobody looks at it any more.
    };

    call(std::unique_ptr<connection> of, const driver_profile& by, answer_limits limits);
    ~call() override;

    /// Runs what is asked, and unparks who asked when it has ended.
    void run() noexcept override;
    /// Likewise, on the agent that asks.
    void run_here() noexcept;
    /// Whether the statement's limit is of use.
    bool limits() const noexcept { return ways_.own_limit; }

    /// Moves from one stage to another if it is in it.
    bool move(stage from, stage to) noexcept { return at_.compare_exchange_strong(from, to); }
    stage at() const noexcept { return at_.load(); }

    asked_statement asked;
    ended_statement ended;
    world* through = nullptr;
    agent* asker = nullptr;

    /// While idle: whether it is the kept text that ran last.
    bool repeats(std::string_view text) const noexcept {
        return !kept_.empty() && kept_.back()->text == text;
    }

    /// Likewise, of that text: puts the values where the driver will look for them, if they fit.
    bool put(std::span<const parameter> values) noexcept {
        auto& last = *kept_.back();
        return last.parameters.put(values, last.order);
    }

    /// The result, for an answer to keep.
    flat_result& result() noexcept { return *result_; }

    /// Any agent, while the call is held: asks the server to stop what runs.
    bool cancel() noexcept;

    SQLHDBC handle() const noexcept { return of_->get(); }
    /// The application has the handle: what we have prepared there, and what is known of its
    /// transaction, is forgotten.
    void handed_over() noexcept;

private:
    static constexpr std::size_t kept_max = 256;
    static constexpr std::size_t least_room = 256; ///< For a value.

    void forget_ended() noexcept;
    void break_off() noexcept;
    void name_failure();
    void leave_result();
    void perform();
    void perform_at_length();
    void perform_text();
    bool perform_again();
    void perform_reset();
    bool as_new();
    known_statement* find(std::string_view text, bool keep);
    known_statement* make_ready(bool keep);
    bool bind(known_statement& on);
    bool run_statement(known_statement& on);
    SQLRETURN execute(known_statement& on);
    bool collect(known_statement& on, SQLRETURN how);
    bool take_result(known_statement& on);
    bool take_rows(known_statement& on);
    std::size_t take_bound(known_statement& on, std::size_t columns);
    bool take_value(known_statement& on, SQLUSMALLINT column);
    bool take_large(known_statement& on, SQLUSMALLINT column, SQLRETURN how, SQLLEN length);
    bool name_columns(known_statement& on, SQLSMALLINT columns);
    void take_notices(const known_statement& on);
    void set_limit(known_statement& on);
    void put_away(known_statement& on, bool well, bool closed);
    void close(known_statement& on);
    void renew(known_statement& on);
    void forget(const known_statement& on);
    phase phase_of(const known_statement& on) const noexcept;
    bool fail(const known_statement& on);
    bool fail_too_large();
    void settle(const statement_sort& what, bool well);
    void ask_transaction();
    transaction_status probed();
    transaction_status probed_by_question();
    transaction_status probed_by_savepoint();
    transaction_status probed_by_begin();
    bool try_text(std::string_view text);
    std::string_view answered(std::size_t column) const noexcept;
    void forget_kept();

    std::unique_ptr<connection> of_;
    const driver_profile& by_;
    const engine_ways& ways_;
    const answer_limits limits_;
    std::atomic<stage> at_{stage::idle};
    std::atomic<SQLHSTMT> running_{SQL_NULL_HANDLE};
    std::atomic<bool> cancelling_{false};
    std::atomic<bool> cancelled_{false};      ///< The statement under way, perhaps.
    std::vector<statement_handle> set_aside_; ///< That a cancel may be about to use.
    known_statement plain_;
    known_statement own_;                                ///< For questions of our own.
    std::vector<std::unique_ptr<known_statement>> kept_; // The one used last is the last.
    tracked transaction_;
    bool unsent_ = false;  ///< The driver refused the statement before it left.
    bool touched_ = false; ///< Something may be left behind that a rollback does not undo.
    bool handed_over_ = false;
    held_result result_;
    held_result own_result_;
    std::optional<failure> own_failed_;
};

}
