// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/service_level.hpp"
#include "runtime/pool.hpp"
#include "runtime/runtime.hpp"
#include "runtime/state_keeper.hpp"
#include "runtime/waiters.hpp"

#include <hadr/connection_manager.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace hadr::inline v0::runtime {

/// What every agent may read: replaced whole, never changed.
struct snapshot {
    std::shared_ptr<const topology> view;
    belief known;
    std::shared_ptr<const ha_adapter> by;
    std::shared_ptr<const store_specification> spec;
    std::vector<server_pool*> pools;             ///< By member; live as long as the store.
    std::vector<std::optional<failure>> blocked; ///< By member: no session, nor a login for one.
    std::vector<std::optional<failure>> login_failed; ///< By member: the last one, if it did.
    std::vector<server_pool*> replaced; ///< Others that have sessions out; live as long.
};

/// What the child of a fork is told (F43).
failure in_a_child();

/// Counters, bumped from anywhere.
struct counters {
    std::atomic<std::uint64_t> acquire_waited{0}, acquire_failed{0}, sessions_opened{0},
        sessions_closed{0}, logins_failed{0}, logins_abandoned{0}, probes{0}, probes_failed{0},
        pushes{0}, failovers{0}, severed{0}, stale_refused{0}, resets{0}, outcomes_unknown{0},
        events{0}, leaked{0}, acquired_elsewhere{0};
};

/// One store: what is believed of it and its sessions. Decides nothing: asks the adapter and core.
/// "Reactor" marks functions for the reactor's agent alone; the others are for any agent.
class [[gnu::visibility("hidden")]] store : public std::enable_shared_from_this<store> {
public:
    struct parts {
        std::shared_ptr<runtime_handle> shared;
        bool runtime_is_shared = true;
        std::shared_ptr<driver> through;
        std::shared_ptr<const ha_adapter> by;
        std::shared_ptr<const store_specification> spec;
        listener on_event;
        log_sink log;
    };

    explicit store(parts from);
    ~store();

    expected<void> begin();

    // hand_out.hpp
    inline expected<lease> acquire(const request& wanted);
    inline void give_back(slot & held) noexcept;

    // store_acquire.cpp
    void sever_held(slot & held) noexcept;

    // store_execute.cpp
    static expected<void> execute(slot & held, const statement& what, answer& into, deadline until);
    expected<void> request_cancel(const slot& held, deadline until);

    // store_transact.cpp
    commit_result commit(slot & held, deadline until);
    commit_result transact(
        const transaction_options& how, const std::function<expected<void>(lease&)>& work
    );

    // store_explain.cpp
    explanation explain(intent wanted) const;

    // store_admin.cpp
    std::shared_ptr<const snapshot> current() const;
    std::shared_ptr<dispatcher::subscription> subscribe(listener to);
    void unsubscribe(const std::shared_ptr<dispatcher::subscription>& which);
    engine engine_of_store() const noexcept {
        return kind_.load(std::memory_order_relaxed);
    }
    metrics counted() const;
    expected<operation_plan> consider(const operation& wanted) const;
    expected<void> operate(const operation_plan& what, deadline until);
    expected<void> rule(const endpoint& which, ruled::verdict what);
    expected<void> reconfigure(
        std::shared_ptr<const store_specification> spec,
        std::shared_ptr<const ha_adapter> by,
        std::shared_ptr<driver> through
    );
    expected<void> drain(deadline until);
    std::size_t close(deadline until);
    /// Tells nobody anything any more, and waits for the call under way.
    void silence(time_point until);

    /// Logs what the policy only warns of.
    void warn(const std::vector<std::string>& warnings);
    bool current_stamp(const slot& held) const noexcept {
        const auto writes = held.acceptance.load();
        if (writes != 0)
            return writes == acceptance_.load();
        const auto reads = held.reading.load();
        return reads != 0 && reads == held.home->reading.load();
    }
    /// Takes a lent session that must not be used out of circulation; reclaim() ends it.
    void set_aside(slot & unfit) noexcept;
    /// Sets aside what turned out unfit once it was taken.
    void refuse(slot & unfit) noexcept;
    world& through() const noexcept {
        return world_;
    }

    // Reactor.
    void hung_up(slot & which);

private:
    // store_execute.cpp
    expected<void> execute_with_care(
        slot & held, const statement& what, answer& into, deadline until
    );
    expected<void> send(slot & held, const statement& what, answer& into, deadline until);
    static bool ended_by_itself(const slot& held) noexcept;
    static bool definite(std::error_code code) noexcept;
    static void note(slot & held, bool was_inside, const failure* why) noexcept;
    void failed(slot & held, const failure& why);

    // store_transact.cpp
    commit_result run_once(
        lease & held,
        std::string_view begin,
        const std::function<expected<void>(lease&)>& work,
        deadline until
    );

    // store_monitor.cpp, reactor
    void start();
    void recall(const expected<std::string>& text);
    void set_up();
    void add_pools();
    void happened(const event_seen& what);
    void doubt(const event_seen& what, time_point now);
    void settle(belief was, time_point now);
    void route(const topology& was);
    bool resumes() noexcept;
    void route_writer(bool resumed);
    void route_reads(const topology& was);
    void ask(time_point now);
    void publish(const topology& was);
    void schedule(time_point now);
    void remember();
    std::optional<failure> refusal_of(const server_pool& pool) const;
    std::optional<failure> refused_now(const server_pool& pool) const;
    void fail_the_refused();
    std::optional<failure> refused_everywhere() const;

    // store_events.cpp, reactor
    void announce(const topology& was, time_point now);
    void announce_writer(time_point now);
    void announce_member(std::size_t index);
    void announce_refused(std::size_t index);
    void announce_witness(const topology& was);
    void announce_partners(const topology& was);
    void announce_stall(time_point now);
    std::string against_objectives(std::optional<duration> outage) const;
    void tell(event what);

    // store_sessions.cpp, reactor
    void upkeep(time_point now);
    void upkeep(server_pool & pool, int writes, int reads, time_point now);
    void upkeep_at(time_point when);
    bool open(server_pool & pool, session_use use, time_point now);
    void opened(
        slot & into,
        std::uint64_t generation,
        time_point asked,
        expected<std::unique_ptr<session>> how
    );
    void open_failed(slot & into, time_point asked, const failure& why);
    void block(server_pool & pool, const failure& why);
    void unblock(server_pool & pool) noexcept;
    target target_of(const server_pool& pool, session_use use) const;
    reactor::asked proof_of(const slot& which, time_point until) const;
    bool stays(const slot& which, const session_standing& by) const noexcept;
    void prove(slot & which);
    void proved(slot & which, const answered& with);
    void misfit(slot & which);
    bool mark_reign(slot & which);
    void make_idle(slot & which);
    void retire(slot & which);
    void returned(slot & which);
    void revoke(slot & which);
    bool revoke_idle(slot & which);
    void sweep(time_point now);
    void sweep(server_pool & pool, slot & which, time_point now);
    void watch_lease(const server_pool& pool, slot& which, time_point now);
    std::vector<std::shared_ptr<dispatcher::subscription>> listeners() const;
    void close_down();
    void after_retirement();
    void tear_down();
    expected<void> still_due(
        const operation& wanted, const operation_step& step, const endpoint& at
    ) const;
    void carry_out(
        const operation& wanted,
        const operation_step& step,
        time_point until,
        std::function<void(expected<void>)> then
    );

    // store_replaced.cpp, reactor
    static bool dead(const member& one) noexcept;
    std::optional<std::size_t> member_at(const endpoint& at) const;
    std::unique_ptr<server_pool> make_pool(std::size_t member);
    void cut_replaced();
    void sweep_replaced(time_point now);
    int replaced_sessions(const endpoint& at) const;

    // store_readers.cpp
    expected<void> turn(slot & held, intent to, time_point until);
    void restrain(slot & which); ///< Reactor, as is the next.
    void reset_done(slot & which);

    // store_explain.cpp
    failure none_in_time(const request& wanted) const;

    // store_acquire.cpp
    expected<lease> acquire_at_length(const request& wanted);
    expected<lease> acquire_elsewhere(const request& wanted);
    void give_back_unfit(slot & held) noexcept;
    slot* take(const request& wanted, std::size_t place) noexcept;
    slot* take_write(std::size_t place) noexcept;
    enum class search {
        ready, ///< Only what can be lent as it is.
        all,   ///< Also what turn() makes fit.
    };
    slot* take_read(const request& wanted, std::size_t place, search which) noexcept;
    slot* take_any(const request& wanted) noexcept;
    expected<slot*> wait_for_one(const request& wanted);
    std::optional<failure> stand_in_line(waiter & one, bool again);
    expected<void> check_stale(slot & held, const request& wanted, time_point until);
    void serve();
    void fail(waiter & one, failure why);
    void fail_waiters(const failure& why, bool writes_only);
    void demand();
    bool full() const noexcept;
    void suspect(std::size_t member);
    void report(const slot& held, const failure& why);
    std::optional<failure> refused_at_once(const request& wanted) const;
    void limit(slot & held, duration length);
    void late_return(slot & held);
    void end_returned(slot & held);
    void pass_on(slot & returned) noexcept;
    void returned_to_closed(slot & held);
    void reclaim();
    bool fresh(time_point now) const noexcept {
        return now.time_since_epoch().count() <= fresh_until_.load(std::memory_order_relaxed);
    }
    /// Whether no session is given: closing or draining.
    bool refusing() const noexcept {
        return ahead_.load() >= refusing_flag;
    }
    std::uint64_t waiting() const noexcept {
        return ahead_.load() % refusing_flag;
    }
    bool alive() const noexcept {
        return alive_.load(std::memory_order_relaxed) != 0;
    }

    /// What listeners know of a member.
    struct told_member {
        bool offline = false;
        bool refused = false;
        bool lost = false;
        bool login_refused = false;
    };

    static constexpr auto refusing_flag = std::uint64_t{1} << 32U;

    const std::shared_ptr<runtime_handle> shared_;
    const bool runtime_is_shared_;
    const std::shared_ptr<dispatcher::tally> tally_;
    const std::shared_ptr<dispatcher::subscription> log_;

    // Hot: read by every hand-out.
    alignas(64) world& world_;
    const std::atomic<std::uint32_t>& alive_; // The world's; not asked for at every hand-out.
    std::atomic<std::uint64_t> acceptance_{0};
    std::atomic<server_pool*> writer_pool_{nullptr};
    /// How many wait, and refusing_flag: whatever keeps a caller from taking a session at once.
    std::atomic<std::uint64_t> ahead_{0};
    std::atomic<time_point::rep> fresh_until_{0};
    std::atomic<bool> closing_{false};
    std::atomic<bool> draining_{false};
    std::atomic<bool> demanded_{false};
    std::atomic<slot*> aside_{nullptr}; ///< A list: out of circulation, to be ended.
    std::atomic<duration> statement_timeout_{};
    std::atomic<bool> reads_by_default_{false};
    std::atomic<engine> kind_{engine::postgresql};

    alignas(64) mutable std::mutex publish_mutex_; // Guards published_.
    std::shared_ptr<const snapshot> published_;

    std::mutex wait_mutex_; // Guards waiters_. Order: wait_mutex_, then publish_mutex_.
    waiter_queue waiters_;

    mutable std::mutex listeners_mutex_; // Guards listeners_.
    std::vector<std::shared_ptr<dispatcher::subscription>> listeners_;
    const std::shared_ptr<state_keeper> state_;

    std::mutex end_mutex_; // Guards self_ and, once closing, the pools against late_return().
    std::shared_ptr<store> self_; // Keeps the store while leases outlive the manager.

    counters count_;

    // Reactor's agent only.
    std::shared_ptr<driver> driver_;
    std::shared_ptr<const ha_adapter> adapter_;
    std::shared_ptr<const store_specification> spec_;
    belief belief_;
    core::standing standing_;
    std::vector<std::unique_ptr<server_pool>> pools_;
    std::vector<std::unique_ptr<server_pool>> retired_;
    std::shared_ptr<watcher> witness_;
    watcher::subscriber witness_subscription_;
    std::optional<std::size_t> routed_;
    std::optional<epoch> routed_epoch_;
    std::optional<std::size_t> resumable_; ///< The last writer, while it claims the same reign.
    std::uint64_t routed_since_ = 0;       ///< Questions numbered below were asked before.
    std::optional<std::size_t> told_writer_;
    std::optional<epoch> told_reign_;
    std::optional<std::size_t> told_member_;
    bool torn_down_ = false;
    std::uint64_t acceptance_count_ = 0;
    std::uint64_t event_count_ = 0;
    std::optional<time_point> away_since_;
    std::optional<time_point> witness_lost_since_;
    bool witness_advice_given_ = false;
    std::vector<told_member> told_members_;
    std::optional<witness_state> witness_told_; ///< Not unknown; none only after another.
    std::uint64_t marked_ = 0;   ///< Acceptance number whose reign a session has tried to mark.
    bool was_protected_ = false; ///< The replication was synchronized when a writer was last seen.
    std::optional<time_point> swept_;
    std::uint64_t failures_told_ = 0;
    time_point failures_told_at_ = time_point::min();
    std::string recalled_from_; ///< The State_File that was read.
    std::uint64_t starts_ = 0;
    std::optional<time_point> served_at_; ///< A writer's latest answer was asked then.
    reactor::timer wake_{};
    reactor::timer upkeep_{};
    std::optional<std::list<runtime_handle::sweep>::iterator> sweep_;
};

}
