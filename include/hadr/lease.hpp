// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>
#include <hadr/epoch.hpp>
#include <hadr/expected.hpp>
#include <hadr/time.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace hadr::inline v0 {

namespace runtime {
struct slot;
}

/// The only ends of a transaction (C4).
enum class outcome {
    committed,
    committed_local, ///< Committed, but the server warned that it may not be replicated (F40).
    not_committed,   ///< It can never become visible.
    in_doubt,        ///< The answer was lost; absent now, it may still come.
};

HADR_EXPORT std::string_view to_string(outcome ended) noexcept;

struct commit_result {
    outcome ended = outcome::in_doubt;
    std::optional<failure> cause; ///< Set unless committed.
};

/// A session on loan; the destructor returns it. Belongs to one (member, epoch, generation) (E5).
/// Move-only. Not thread-safe. Outlives the manager safely: calls then fail with closed.
class HADR_EXPORT lease {
public:
    lease() noexcept = default;
    lease(lease&& from) noexcept : slot_(std::exchange(from.slot_, nullptr)) {}
    lease& operator=(lease&& from) noexcept;
    ~lease() {
        if (slot_ != nullptr)
            release();
    }

    explicit operator bool() const noexcept { return slot_ != nullptr; }

    /// Runs one statement. Blocks until its end or the deadline (default Statement_Timeout); at the
    /// deadline the session is cut and the failure is outcome_unknown. Parameters are texts, marked
    /// as the engine does: $1, $2, ... for PostgreSQL through every driver, ? for any other behind
    /// ODBC. Errors: rejected_by_server with the server's SQLSTATE or number, or by the library
    /// itself (more parameters than marks; the transaction of transact() had ended before, and
    /// nothing was sent; a COMMIT that was answered ROLLBACK), outcome_unknown, unreachable and
    /// deadline_exceeded (nothing was sent; the latter because the deadline was past already),
    /// closed.
    expected<answer>
    execute(std::string_view text, std::span<const parameter> with = {}, deadline until = {});

    /// As above, reusing an answer's memory.
    expected<void> execute(const statement& what, answer& into, deadline until = {});

    /// Sends COMMIT and reads what became of it (C1, C6, F40, F41). Never cancelled; at the
    /// deadline the outcome is in_doubt; so it is while another transaction is open around this one
    /// (SQL Server). Without an open transaction nothing is sent: in_doubt if what was run since
    /// the last one began, or through the native handle, may be committed by itself, else
    /// not_committed.
    commit_result commit(deadline until = {});

    /// Cuts the wire: any agent may call it while the lease lives elsewhere unmoved. The statement
    /// under way ends as of unknown outcome.
    void sever() noexcept;
    /// Asks the server to stop the statement under way; refused once COMMIT may have left (C6), in
    /// an encrypted session, and always by ODBC drivers other than psqlODBC and Microsoft's:
    /// sever() then. Blocks until the server has acted on it or the deadline (default 5 s). A
    /// COMMIT is not sent while a request is under way. Errors: rejected_by_server,
    /// deadline_exceeded, unreachable.
    expected<void> request_cancel(deadline until = {});

    /// The server really reached.
    const endpoint& server() const noexcept;
    std::size_t member() const noexcept;
    /// The acceptance number the session was stamped with; equal numbers, equal epochs.
    std::uint64_t acceptance() const noexcept;
    std::uint64_t generation() const noexcept;
    /// False once the store has failed over or the session is beyond use: acquire another.
    bool current() const noexcept;
    /// How old what is read here may be: while the store has no primary, when one was last known to
    /// serve (H7). None while one serves; a standby's lag then stands in the view.
    std::optional<time_point> as_of() const;
    transaction_status transaction() const noexcept;

    /// The name of the driver that opened the session, such as "libpq"; empty without a session.
    std::string_view driver() const noexcept;
    /// PGconn*, SQLHDBC. Taking it makes the lease dirty: the session is reset on return (rulings
    /// 7). The socket of a PGconn is shut down on death or demotion, so that a blocked call returns
    /// (rulings 8); a call on an SQLHDBC is bounded by its driver alone. Use
    /// hadr::libpq::native(lease), hadr::odbc::native(lease): null if the driver is another.
    void* native() noexcept;

    /// Returns the session early.
    void release() noexcept;

private:
    friend class connection_manager;
    friend struct lease_access;

    explicit lease(runtime::slot* held) noexcept : slot_(held) {}

    runtime::slot* slot_ = nullptr;
};

}
