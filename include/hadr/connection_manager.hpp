// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/event.hpp>
#include <hadr/ha_adapter.hpp>
#include <hadr/lease.hpp>
#include <hadr/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace hadr::inline v0 {

enum class intent {
    write, ///< On the one member the engine names, of the highest epoch accepted.
    read,  ///< On a standby that may serve, or on the primary; the server refuses to write (E7).
};

/// What a session is wanted for.
struct request {
    std::optional<hadr::intent> intent = {}; ///< Default ApplicationIntent, which is to write.
    deadline until = {};                     ///< Default Acquire_Timeout.
    std::optional<std::uint64_t> lag_bytes_max =
        {};                       ///< read: a standby of unknown lag does not qualify.
    bool primary_fallback = true; ///< read: the primary will do if no standby does.
    std::stop_token stop = {};
    std::optional<duration> hold =
        {}; ///< The session is cut when the lease is held longer (rulings 8).
};

/// Counters since opening; monotonic but for those called _now.
struct metrics {
    std::uint64_t acquired = 0, acquire_waited = 0, acquire_failed = 0;
    std::uint64_t sessions_opened = 0, sessions_closed = 0, logins_failed = 0, logins_abandoned = 0;
    std::uint64_t probes = 0, probes_failed = 0, pushes = 0;
    std::uint64_t failovers = 0, sessions_severed = 0, stale_refused = 0, resets = 0;
    std::uint64_t outcomes_unknown = 0, events = 0, events_coalesced = 0, listener_failures = 0;
    std::uint64_t leases_leaked = 0, log_lines_dropped = 0;
    std::uint64_t sessions_now = 0, sessions_lent_now = 0, sessions_warm_now = 0, waiters_now = 0;
    std::uint64_t logins_stuck_now = 0;
};

/// Why there is or is no session now.
struct explanation {
    struct candidate {
        endpoint at;
        bool eligible = false; ///< It plays the part that is wanted.
        std::string why;       ///< The last cause, e.g. "primary; 10 of 10 sessions lent".
    };
    bool available = false; ///< An eligible one has a session idle, or is thought to give one more.
    std::string summary;
    std::vector<candidate> candidates;
};

struct transaction_options {
    deadline until = {}; ///< Of everything, acquire included.
    int attempts_max =
        3; ///< Runs of the closure; a further one only after not_committed was proven (C5).
    std::string_view begin = "BEGIN";
};

enum class log_level {
    debug,
    info,
    warning,
    error,
};

/// Called on an agent of the library's, at most 100 lines a second for each store. What is more,
/// what a slow sink keeps from being written, and what a throwing one loses is counted.
using log_sink = std::function<void(log_level level, std::string_view line)>;
using listener = std::function<void(const event& what)>;

/// Owns the loop, the login workers and the watchers. One is shared by all stores of the process
/// unless options name another; it ends with its last store.
class HADR_EXPORT runtime_handle;

struct open_options {
    std::vector<std::shared_ptr<driver>> drivers;   ///< E.g. hadr::libpq::make_driver().
    std::shared_ptr<hadr::world> world = {};        ///< Default real_world().
    std::shared_ptr<runtime_handle> runtime = {};   ///< Default: the one shared by the process.
    std::shared_ptr<const ha_adapter> adapter = {}; ///< Default make_adapter().
    password_source password = {};
    /// Subscribed before anything happens. Neither is called after close() has returned in time.
    hadr::listener on_event = {};
    log_sink log = {};
};

/// Keeps an application connected to whichever server may serve it. Thread-safe.
class HADR_EXPORT connection_manager final {
public:
    connection_manager(const connection_manager&) = delete;
    /// As close(), with Close_Timeout. Within a listener of its own it waits for no other call.
    ~connection_manager();

    /// A session fit for the request, waiting through a failover if the deadline allows; waiters
    /// are served in order (P5). Returns by the deadline whatever the network does (P4). A deadline
    /// already past gives a session only if one is idle. Errors: deadline_exceeded,
    /// read_only_degraded (write only), no_quorum, standby_not_provisioned, configuration_invalid,
    /// closed, stopped.
    expected<lease> acquire(const request& wanted = {});

    /// Runs a whole transaction; work gets a lease inside BEGIN and returns success to commit it.
    /// Exactly one outcome (C4); work runs again only after the former run is proven not committed
    /// (C5). Once the transaction has ended in the middle of work (a deadlock in SQL Server, a
    /// definition in MariaDB), no statement of it is sent any more: execute fails.
    commit_result
    transact(const transaction_options& how, const std::function<expected<void>(lease&)>& work);

    /// The latest view. Never null; never changes once obtained.
    std::shared_ptr<const topology> view() const;

    /// Calls to after every event until the returned handle is destroyed. One call at a time, on an
    /// agent of the library's. It may call the manager; what it throws is counted (F44); a slow one
    /// gets coalesced events (F45). Destroying the handle waits for a call under way, for
    /// Close_Timeout at most, and for none within a listener.
    [[nodiscard]] std::shared_ptr<void> subscribe(listener to);

    metrics counters() const;
    explanation explain(intent wanted = intent::write) const;

    /// What the operation would do. Errors: rejected_by_server with the reason (C27, C28).
    expected<operation_plan> plan(const operation& wanted) const;
    /// Passes it to the engine, after a last look whether it may still be done. Blocks until the
    /// engine has answered, not until the failover is over.
    expected<void> execute(const operation_plan& what, deadline until = {});

    /// Gives no more sessions on a member, or again (B11). Errors: configuration_invalid (no such
    /// member).
    expected<void> offline(const endpoint& which);
    expected<void> online(const endpoint& which);
    /// Takes the epoch that a member shows although it is lower or foreign (E2, F17). Logged.
    expected<void> accept_lineage(const endpoint& which);

    /// Another specification of the same database (C12). No I/O. An old lease lives on until it is
    /// returned, or cut because its server is lost or the writer is another reign or server; until
    /// then it counts against Pool_Max and is waited for by drain().
    expected<void> reconfigure(std::string_view connection_string);

    /// Waits until no lease is out, refusing new ones, then closes. Errors: deadline_exceeded, and
    /// then nothing is closed, but no lease given either.
    expected<void> drain(deadline until);

    /// Ends everything: waiters fail with closed, idle sessions are closed, leases stay valid until
    /// returned, and listeners hear the rest before it returns, unless it is one of them. Bounded,
    /// idempotent, callable from any thread (P8). Returns the number of workers still stuck in a
    /// driver; they own all they touch.
    std::size_t close(deadline until = {});

    /// The specification in use; secrets print redacted.
    store_specification specification() const;

private:
    friend struct manager_access;

    struct impl;
    struct unfinished;

    explicit connection_manager(std::shared_ptr<impl> state);

    std::shared_ptr<impl> impl_;
};

/// Validates and returns a manager; does no I/O and waits for nothing, so that a process restarted
/// during an outage comes up. Errors: configuration_invalid; unreachable with local_cause where no
/// thread can be had (F48); closed in the child of a fork (F43).
HADR_EXPORT expected<std::unique_ptr<connection_manager>>
open(std::string_view connection_string, open_options options = {});

/// A runtime apart from the process-wide one.
HADR_EXPORT std::shared_ptr<runtime_handle> make_runtime(std::shared_ptr<world> in = {});

}
