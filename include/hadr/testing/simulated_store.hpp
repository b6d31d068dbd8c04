// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>
#include <hadr/testing/manual_world.hpp>
#include <hadr/testing/simulated_settings.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::testing {

/// A mirrored store, simulated: two servers, a witness, and links between all of them and the
/// client, on a manual_world's virtual time. The engine decides its failovers itself: faults go in,
/// and what comes of them is seen through the library. Besides the library's own questions a server
/// takes these statements: BEGIN, COMMIT, ROLLBACK, "append TOKEN" (or "INSERT INTO ledger VALUES
/// ('TOKEN')") which writes to its ledger, "append once TOKEN" likewise under a unique key (23505,
/// 2627), "contains TOKEN" which answers t or f, "ledger" (or "SELECT token FROM ledger") which
/// answers a row for each token. Your own statements that write by their first word (INSERT,
/// UPDATE, ...) stand in the ledger by their text: their commits pass all steps, a standby refuses
/// them (25006). A request that no store could meet throws std::logic_error: "bug in test: ...".
/// Not thread-safe; must outlive the sessions with it.
///
/// PostgreSQL under pg_auto_failover, as it was measured to be, has an agent on each server. SQL
/// Server database mirroring is modelled by its documentation, not measured. It has no agents, and
/// a witness that the client never asks. A mirror refuses its database; "master" is open to every
/// login, has no ledger (208), and is left and entered by USE. Its ALTER DATABASE statements for
/// partner and witness work from any session. Sessions in the database end where its role changes
/// (596). An error leaves a transaction open; COMMIT and ROLLBACK without one succeed, as through
/// ODBC. A session reports "failover_partner" as the server sent it at the login.
class HADR_EXPORT simulated_store {
public:
    using settings = simulated_settings;

    /// Registers the names one, two and witness in the world.
    explicit simulated_store(manual_world& in) : simulated_store(in, settings()) {}
    simulated_store(manual_world& in, settings how);
    simulated_store(const simulated_store&) = delete;
    ~simulated_store();

    /// The driver named libpq, or odbc; may outlive the store, and then finds no server.
    std::shared_ptr<driver> through() const;
    /// Opens on this store; more keys can be appended.
    std::string connection_string() const;
    static endpoint at(site which, engine kind = engine::postgresql);
    /// What SQL Server calls that partner: mirroring_partner_instance of the other one.
    static std::string server_name(site which);

    /// As kill -9 of all processes at the place; the kernel there still closes their sockets.
    void kill(site which);
    /// The server alone: its agent, or its machine, starts it again in place, as it was.
    void kill_server(site which);
    /// The agent alone: nothing happens, but nobody demotes this server any more.
    void kill_keeper(site which);
    /// Starts what was killed.
    void restart(site which);
    /// As SIGSTOP and SIGCONT of all processes at the place.
    void freeze(site which);
    void thaw(site which);

    /// What is sent that way is lost until the link is mended, and then sent again.
    void cut(site from, site to);
    void mend(site from, site to);
    /// Ends all sessions between the two at once, on both sides (F4). Returns how many.
    int reset(site a, site b);
    void set_delay(site from, site to, duration by);
    void set_loss(site from, site to, int percent);

    /// How a place meets logins.
    enum class door {
        open,
        full,     ///< 53300
        starting, ///< 57P03
        locked,   ///< 28P01: wrong password.
    };
    void set_door(site which, door how);
    void set_answer_time(site which, duration how_long);
    /// The witness answers what it knew at this moment, whatever it decides meanwhile (F19).
    void set_stale(bool stale);
    /// The engine is asked for a planned failover, as by the library's plan() and execute(); false
    /// if it refuses. SQL Server: SET PARTNER FAILOVER on the principal.
    bool switch_over();
    /// SQL Server: an administrator's ALTER DATABASE ... SET PARTNER or WITNESS there, in master.
    expected<void> administer(site which, std::string_view statement);
    /// An administrator cancels the commits that wait for the mirror there: each succeeds locally,
    /// with a warning (F40). Returns how many.
    int cancel_waiting(site which);
    /// An administrator promotes a server whose agent is dead, beside whatever the engine decides:
    /// it takes writes on the next timeline of its own history, which may be the label of another's
    /// (F14) and may lack commits of another's (F16). Its agent, once restarted, takes it back. SQL
    /// Server: FORCE_SERVICE_ALLOW_DATA_LOSS on a mirror that has lost its principal (C37).
    void promote_apart(site which);
    /// The name of the server leads to a primary of another cluster, and back (F10).
    /// Sessions that there are stay as they are.
    void rebind(site which, bool to_stranger);
    /// Restores the whole store from a backup that misses nothing: another lineage, timeline or
    /// role sequence 1 (F17).
    void rebuild(std::string lineage);
    /// Ends every fault: all is started, thawed, mended, open and resumed. Lost sessions stay lost.
    void heal();

    /// Runs once, the next time a commit passes the step.
    void when(commit_step step, std::function<void()> then);
    /// Of when(), not run yet: if one is left at the end of a test, it tested nothing.
    std::size_t hooks_left() const noexcept;
    /// Called at every step of every commit; the token is the last one of the transaction.
    void watch_commits(std::function<void(commit_step, site where, std::string_view token)> by);
    /// Called for each message from or to the client as it arrives, before it has any effect.
    void watch_messages(std::function<void()> by);
    /// Answers all statements but those named above; without it they succeed without rows.
    void answer_others(std::function<expected<void>(std::string_view text, answer& into)> by);

    /// The one server that the witness names, by what it has decided, or SQL Server's principal of
    /// the last reign while it serves; client if there is none now.
    site named() const noexcept;
    /// All is well: the named server is writable and the other replicates synchronously.
    bool protected_now() const noexcept;
    /// The client can log in there and gets what is true: up, awake, open, not stale, links whole.
    bool reachable(site which) const noexcept;

    struct server_state {
        bool running = false, frozen = false, in_recovery = false;
        bool writable = false;
        bool synchronous = false;
        bool apart = false;         ///< By promote_apart, and not yet taken back.
        std::uint64_t timeline = 0; ///< Or role sequence.
        std::string lineage;
        std::string assigned; ///< The witness's goal for it, e.g. "wait_primary"; or the state of
                              ///< mirroring, e.g. "SYNCHRONIZED".
        std::size_t sessions = 0;
    };
    server_state state(site which) const;
    /// Tokens that a session there would see, in order.
    std::vector<std::string> ledger(site which) const;
    /// Tokens whose commit waited for the mirror until that was cancelled (F40).
    const std::vector<std::string>& local_commits() const noexcept;
    /// Commits that went to another cluster.
    std::size_t strays() const noexcept;

    /// What a session is with; none of it can be asked over the wire.
    struct session_state {
        site with = site::client;
        bool alive = false; ///< The server still has it.
        bool primary = false;
        std::uint64_t timeline = 0;
        std::string lineage;
        bool clean = true; ///< No transaction is open, and no SET since the last reset.
    };
    /// Precondition: a session of this store's driver.
    session_state state(const session& of) const;

    struct counters {
        std::uint64_t promotions = 0; ///< Failovers carried out, planned ones included.
        std::uint64_t restarts = 0;   ///< In place.
        std::uint64_t exposures = 0;  ///< Times that the primary went on without its mirror.
        std::uint64_t logins = 0;
        std::uint64_t statements = 0;
        std::uint64_t commits = 0; ///< Logged.
        std::uint64_t demotions = 0;
        std::uint64_t commits_cancelled = 0; ///< By the client, so that they became local (C6).
        std::uint64_t witness_logins = 0;    ///< SQL Server's witness is never contacted (C9).
    };
    const counters& counted() const noexcept;
    /// Sessions for applications, lent or warm, that the client holds and has not cut, and logins
    /// for such under way.
    int client_sessions(site with) const noexcept;
    /// When logins for such sessions began, in order.
    const std::vector<time_point>& login_times(site at) const noexcept;

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

}
