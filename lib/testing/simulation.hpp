// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "testing/simulated_statement.hpp"
#include "testing/stage.hpp"

#include <hadr/testing/simulated_store.hpp>

#include <array>
#include <deque>
#include <optional>

namespace hadr::inline v0::testing {

class simulated_session;
/// Why a server takes a login or a statement not.
enum class refusal : unsigned char {
    full,
    starting,
    locked,
    failed_transaction,
    read_only,
    duplicate,
    no_failover,
    no_such_table,
};

/// What crosses a link, or happens to a connection later.
enum class message : unsigned char {
    login,
    statement,
    goodbye, ///< Of the client.
    login_answer,
    answer,
    push,
    closed, ///< By the server or its kernel.
    run,    ///< The server runs the statement now.
    show,   ///< The commit becomes visible.
    reply,  ///< The commit is answered.
    admit,  ///< The server decides on a login.
    records,
    confirmed,
    stream_ended,
};

/// One connection, both halves.
struct wire {
    std::uint32_t id = 0;
    site with = site::one;
    purpose why = purpose::lend;
    int held = 0; ///< Messages and steps under way.
    bool free = false;

    simulated_session* client = nullptr;
    agent* dialing = nullptr; ///< Waits for the login.
    std::optional<expected<void>> admitted;
    bool counted = false; ///< In client_sessions.
    bool severed = false;
    bool ended = false; ///< The server's end has arrived.
    bool answered = false;
    std::deque<std::string> pushes;

    std::string database;   ///< Asked for at the login.
    bool in_master = false; ///< SQL Server: in the database that is never closed.
    bool stranger = false;  ///< With what a rebound name leads to.
    bool served = false;
    bool client_gone = false;
    bool last_words = false; ///< The server said 57P01 before it closed.
    std::uint32_t boot = 0;
    transaction_status transaction = transaction_status::idle;
    bool read_only = false; ///< By the session's own setting.
    std::vector<std::string> pending;
    bool touched = false; ///< By SET.
    bool listens = false;

    std::uint32_t number = 0; ///< Of the client's last statement.
    std::uint32_t serving = 0;
    std::string text;
    std::string token; ///< Of the commit under way; empty if it is none.
    std::size_t commit_end = 0;
    bool waiting = false;
    bool local = false; ///< Its wait was cancelled.
    expected<void> how;
    std::string tag;
    transaction_status after = transaction_status::idle;

    time_point to_server;
    time_point to_client;
};

struct record {
    std::uint64_t id = 0;
    std::string token;
};

/// A server and its agent.
struct node {
    site which = site::one;
    bool running = true;
    bool starting = false;
    bool frozen = false;
    bool keeper = true;
    bool apart = false; ///< Promoted without the engine, and not yet taken back by its agent.
    std::uint32_t boot = 1;
    bool in_recovery = false;
    bool read_only = false;
    bool synchronous = true;
    std::size_t synchronous_from = 0; ///< Log at the moment it became so.
    std::uint64_t timeline = 1;
    std::string lineage;
    std::vector<record> log;
    std::size_t visible = 0;
    std::size_t replicated = 0;
    std::vector<std::uint32_t> served;
    std::vector<std::uint64_t> deferred; ///< Messages that came while frozen.
    simulated_store::door door = simulated_store::door::open;
    duration answer_time{};

    bool streaming = false; ///< As a standby.
    std::uint32_t stream = 0;
    std::size_t sent = 0;

    bool busy = false; ///< It is being rewound or promoted.
};

struct link {
    bool cut = false;
    duration delay{};
    int loss = 0;
    std::vector<std::uint64_t> kept; ///< Sent while cut.
};

struct simulated_store::impl {
    static constexpr duration reaction = std::chrono::milliseconds(5);

    impl(manual_world& in, simulated_settings how);
    impl(const impl&) = delete;
    virtual ~impl() = default;

    // simulated_network.cpp
    void send(wire& on, message what, std::uint32_t number);
    void soon(wire& on, message what, duration after);
    void between(site from, message what, std::uint32_t number);
    void schedule(std::uint64_t packed, duration after);
    void arrive(std::uint64_t packed);
    void handle(std::uint64_t packed);
    bool open_between(site a, site b) const noexcept;
    duration transit(site from, site to);
    void mend(site from, site to);
    wire& new_wire(site with, bool stranger, purpose why);
    void drop_count(wire& of) noexcept;
    void recycle(wire& of);
    void lose(wire& on);
    void hang_up(wire& on);

    // simulated_server.cpp
    bool alive(const wire& on) noexcept;
    void admit(wire& on);
    void decide_login(wire& on);
    void receive(wire& on, std::uint32_t number);
    void run(wire& on, std::uint32_t number);
    void execute(wire& on, node& at);
    void read(wire& on, node& at);
    bool ask_test(wire& on, answer& into);
    void take_write(wire& on, node& at, simulated_write what);
    bool key_of_another(const wire& on, const node& at, std::string_view key);
    void append(wire& on, node& at, std::string token);
    void begin_commit(wire& on, node& at, std::vector<std::string> tokens);
    void release(node& at);
    void show(wire& on);
    void answer_commit(wire& on);
    void finish(wire& on, std::string_view tag);
    void refuse(wire& on, refusal what);
    void fail(wire& on, failure why);
    void end_backend(wire& on);
    void step(commit_step passed, site where, std::string_view token);
    void stop_server(node& at, bool with_words);
    void start_server(node& at);
    void set_synchronous(node& at, bool wanted);
    int cancel_waiting(node& at);

    // Of each engine: what decides about failovers, and what its servers say and take.
    virtual std::string_view driver_name() const noexcept = 0;
    virtual std::string connection_string() const = 0;
    virtual void begin() = 0;
    /// The one server that the engine has decided for.
    virtual std::optional<std::size_t> named() const noexcept = 0;
    virtual bool protected_now() const noexcept = 0;
    virtual bool writable(const node& at) const noexcept = 0;
    virtual std::string assigned(std::size_t which) const = 0;
    virtual bool has_agents() const noexcept = 0;
    virtual bool truthful() const noexcept = 0; ///< The witness says what it knows now.
    virtual void set_stale(bool now) = 0;
    virtual bool perform_failover() = 0;
    virtual void promote_apart(node& at) = 0;
    virtual void rebuilt(node& lead) = 0;
    virtual void healed() = 0;
    virtual void witness_started() = 0;
    virtual void witness_stopped() = 0;
    virtual void restarted(node& at) = 0; ///< Its place, whatever of it had been killed.
    virtual void thawed(node& at) = 0;
    virtual void started(node& at) = 0; ///< The server itself.
    virtual void stopped(node& at) = 0;
    virtual void pump(node& from) = 0;
    virtual void take_records(node& at, std::uint32_t number) = 0;
    virtual void take_confirmation(node& at, std::uint32_t number) = 0;
    virtual void end_stream(node& at, std::uint32_t number) = 0;
    /// Why a login that found the door open gets nothing there.
    virtual std::optional<failure> closed_to(wire& on) = 0;
    virtual void answer_witness(wire& on) = 0;
    /// Takes a statement of the engine's own; false if it is none.
    virtual bool takes(wire& on, node& at) = 0;
    virtual std::optional<refusal> forbids_write(const wire& on, const node& at) const = 0;
    virtual failure failure_of(refusal what) const = 0;
    virtual void mark_lost(const wire& on, failure& why) const = 0;
    virtual transaction_status after_failure(transaction_status was) const noexcept = 0;
    virtual simulated_write written_by(std::string_view text) const = 0;
    virtual std::string_view reported(const wire& on, std::string_view name) const noexcept = 0;
    virtual expected<void> administer(node& at, std::string_view statement) = 0;

    /// Something that a server does for so long, unless it is stopped meanwhile.
    void work(node& at, duration takes, std::function<void()> then);

    node& of(site which) noexcept { return nodes[which == site::one ? 0 : 1]; }
    node& served_by(const wire& on) noexcept {
        const std::size_t place = on.with == site::one ? 0 : 1;
        return on.stranger ? strangers[place] : nodes[place];
    }
    node& other(const node& one) noexcept { return nodes[one.which == site::one ? 1 : 0]; }
    const node& other(const node& one) const noexcept {
        return nodes[one.which == site::one ? 1 : 0];
    }
    link& way(site from, site to) noexcept {
        return links[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
    }
    const link& way(site from, site to) const noexcept {
        return links[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
    }

    manual_world& world;
    const simulated_settings rules;
    seeded_chance chance;
    bool over = false;
    std::array<std::array<link, 4>, 4> links;
    std::array<node, 2> nodes;
    std::array<node, 2> strangers; ///< Primaries of another cluster.

    bool witness_up = true;
    bool witness_frozen = false;
    std::uint32_t witness_boot = 1;
    door witness_door = door::open;
    duration witness_answer_time{};
    std::vector<std::uint32_t> witness_served;
    std::vector<std::uint64_t> witness_deferred;

    std::deque<wire> wires;
    std::vector<std::uint32_t> free_wires;
    std::array<int, 4> client_sessions{};
    std::array<std::vector<time_point>, 4> login_times;
    std::uint64_t record_count = 0;
    std::vector<std::string> local_tokens;
    std::array<std::vector<std::function<void()>>, 7> hooks;
    std::function<void(commit_step, site, std::string_view)> on_step;
    std::function<void()> on_message;
    std::function<expected<void>(std::string_view, answer&)> answers;
    counters count;
};

// A store of each engine.
std::shared_ptr<simulated_store::impl> make_auto_failover(manual_world& in, simulated_settings how);

std::shared_ptr<simulated_store::impl>
make_database_mirroring(manual_world& in, simulated_settings how);

[[noreturn]] void bug_in_test(const std::string& what);

std::shared_ptr<driver> make_simulated_driver(std::shared_ptr<simulated_store::impl> of);
const wire& wire_of(const session& of);
answer* answer_of(const simulated_session& of) noexcept;
void tell_client(simulated_session& of, readiness what);

}
