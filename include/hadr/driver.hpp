// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/answer.hpp>
#include <hadr/endpoint.hpp>
#include <hadr/executor.hpp>
#include <hadr/expected.hpp>
#include <hadr/profile.hpp>
#include <hadr/world.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hadr::inline v0 {

/// What a session is for.
enum class purpose {
    lend,    ///< For applications.
    watch,   ///< The library's own, asking a member; never lent (P2).
    warm,    ///< Waiting on a standby for its promotion.
    witness, ///< The library's own, asking the witness.
};

/// One login: one server, one address, one profile.
struct target {
    endpoint at;
    std::string address; ///< Numeric, resolved from at.host; empty for a Unix socket.
    std::shared_ptr<const profile> with;
    purpose why = purpose::lend;
    std::string database; ///< Instead of the profile's, unless empty.
};

using parameter = std::optional<std::string_view>; ///< Text, or NULL.

enum class statement_kind {
    text,   ///< Run the text.
    commit, ///< Run the text, which ends a transaction: never cancelled once sent (C6).
    reset,  ///< Make the session as new but for what preparation::kept keeps; the text is ignored
            ///< (P6).
};

enum class preparation {
    none,
    kept, ///< Prepared on its session at the first run there, and run by its name from then on.
};

/// Text and parameters must live until the completion. Of several statements in one text, the last
/// one's answer is given.
struct statement {
    std::string_view text;
    std::span<const parameter> parameters = {};
    statement_kind kind = statement_kind::text;
    /// A session keeps 256 texts, through resets as well; further ones run unprepared until a
    /// reset. A driver without prepared statements may take no notice.
    preparation prepare = preparation::none;
};

/// Told once that a statement has ended. Called inside advance() or sever()'s aftermath, on the
/// agent that advances the session, never by sever() itself.
class HADR_EXPORT completion {
public:
    virtual void completed(expected<void> how) noexcept = 0;

protected:
    ~completion() = default;
};

struct waiting {
    int descriptor = -1; ///< -1: a worker of the driver's; unparks the agent that started.
    readiness wanted = readiness::none;
};

/// How an agent that may block waits while a statement runs. Not thread-safe.
class HADR_EXPORT patience {
public:
    /// Back once the session can move on, or now and then for a look. False once it may wait no
    /// longer. The first wait is nearly always the only one; where it need not read a clock it is
    /// done here.
    bool wait(waiting what) noexcept {
        if (first_ < duration::zero() || what.descriptor < 0)
            return wait_on(what);
        auto rest = first_;
        through_.wait_for(what.descriptor, what.wanted, rest);
        spent_ = first_ - rest;
        first_ = duration(-1);
        return true;
    }

    /// How long all waits together may take; zero if that is not known. For a client library's own
    /// limit, which is never the only one.
    virtual duration longest() const noexcept { return {}; }

protected:
    /// The first wait's length at most; negative: wait_on() does all.
    patience(world& through, duration first) noexcept : through_(through), first_(first) {}
    ~patience() = default;

    virtual bool wait_on(waiting what) noexcept = 0;

    world& through_;
    duration first_;
    duration spent_{}; ///< By the first wait.
};

/// A message that a server sent unasked.
struct push {
    std::string channel;
    std::string payload; ///< At most 8,000 bytes.
};

/// One session with one server. Not thread-safe, but for sever() and request_cancel().
class HADR_EXPORT session {
public:
    virtual ~session() = default;

    /// Begins a statement; never blocks. Precondition: no statement is under way.
    /// After a loss the failure is outcome_unknown with verify if a byte may have been sent, else
    /// unreachable with retry (C7).
    virtual void start(const statement& what, answer& into, completion& done) = 0;

    /// What advance() would need. While idle: readable, for pushes and the server's last words.
    virtual waiting waits_for() const noexcept = 0;

    /// Moves as far as it can without blocking.
    virtual void advance() = 0;

    /// A whole statement on an agent that may block: start(), then wait() and advance() in turn; a
    /// driver may take a shorter way to the same end. Once patience is over the session is severed.
    virtual expected<void> run(const statement& what, answer& into, patience& with);

    /// Cuts the wire: local, sends no byte, callable from any agent at any time. A statement under
    /// way ends as of unknown outcome at the next advance().
    virtual void sever() noexcept = 0;

    /// Asks the server to stop the statement under way. Blocks until sent or the deadline: call it
    /// on a worker. Callable from any agent. Refused (rejected_by_server) once a COMMIT may have
    /// left (C6), and always by a driver that cannot do it safely.
    virtual expected<void> request_cancel(time_point until) = 0;

    /// False once beyond use. Costs no round trip.
    virtual bool usable() const noexcept = 0;
    virtual transaction_status transaction() const noexcept = 0;

    /// What the server reports of itself without being asked, e.g. "in_hot_standby"; empty if it
    /// does not.
    virtual std::string_view reported(std::string_view name) const noexcept = 0;

    /// The next message sent unasked, if any. Bounded: the oldest beyond 1,000 are dropped.
    virtual std::optional<push> take_push() = 0;

    /// PGconn*, SQLHDBC or null.
    virtual void* native() noexcept = 0;

    /// True if the destructor may wait for the server, so that it must run on a worker.
    virtual bool closes_slowly() const noexcept = 0;

    /// Called in the child of a fork instead of the destructor: frees nothing that could tell the
    /// server (P10).
    virtual void abandon() noexcept = 0;
};

/// Opens sessions through one client library. Immutable, thread-safe.
class HADR_EXPORT driver {
public:
    virtual ~driver() = default;

    /// As in Driver=, e.g. "libpq".
    virtual std::string_view name() const noexcept = 0;

    /// Blocks until the session can be used or the deadline: runs on a login worker (rulings 2).
    /// Tries this address only and waits through the given world only. A session whose client
    /// library blocks makes its calls by the executor; other drivers take no notice of it.
    virtual expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& by
    ) = 0;
};

}
