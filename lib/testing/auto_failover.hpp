// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "testing/simulation.hpp"

namespace hadr::inline v0::testing {

/// States of a node of pg_auto_failover, reported by its agent or assigned by the witness.
enum class node_state : unsigned char {
    primary,
    wait_primary,
    secondary,
    catchingup,
    prepare_promotion,
    stop_replication,
    draining,
    demote_timeout,
    demoted,
};

std::string_view to_string(node_state state) noexcept;

/// What the witness knows and wants of a node.
struct registration {
    node_state reported = node_state::primary;
    node_state goal = node_state::primary;
    time_point last_report;
    int failed_checks = 0;

    bool healthy() const noexcept { return failed_checks == 0; }
};

/// PostgreSQL under pg_auto_failover: an agent on each server, and a witness that decides.
struct auto_failover final : simulated_store::impl {
    auto_failover(manual_world& in, simulated_settings how);

    std::string_view driver_name() const noexcept override { return "libpq"; }
    std::string connection_string() const override;
    void begin() override;
    std::optional<std::size_t> named() const noexcept override;
    bool protected_now() const noexcept override;
    bool writable(const node& at) const noexcept override {
        return at.running && !at.in_recovery && !at.read_only;
    }
    std::string assigned(std::size_t which) const override;
    bool has_agents() const noexcept override { return true; }
    bool truthful() const noexcept override { return !stale; }
    void set_stale(bool now) override;
    bool perform_failover() override;
    void promote_apart(node& at) override;
    void rebuilt(node&) override {}
    void healed() override {}
    void witness_started() override;
    void witness_stopped() override {}
    void restarted(node& at) override;
    void thawed(node& at) override { agent_of(at).in_touch = world.now(); }
    void started(node& at) override { try_stream(at); }
    void stopped(node& at) override;
    void pump(node& from) override;
    void take_records(node& at, std::uint32_t upto) override;
    void take_confirmation(node& at, std::uint32_t upto) override;
    void end_stream(node& at, std::uint32_t number) override;

    // auto_failover_answers.cpp
    std::optional<failure> closed_to(wire&) override { return std::nullopt; }
    void answer_witness(wire& on) override;
    bool takes(wire& on, node& at) override;
    std::optional<refusal> forbids_write(const wire& on, const node& at) const override;
    failure failure_of(refusal what) const override;
    void mark_lost(const wire& on, failure& why) const override;
    transaction_status after_failure(transaction_status was) const noexcept override;
    simulated_write written_by(std::string_view text) const override;
    std::string_view reported(const wire&, std::string_view) const noexcept override { return {}; }
    expected<void> administer(node& at, std::string_view statement) override;
    void describe(wire& on, const node& at);

private:
    struct keeper_state {
        node_state state = node_state::primary;
        time_point in_touch;
    };

    static std::size_t place(const node& at) noexcept { return at.which == site::one ? 0 : 1; }
    keeper_state& agent_of(const node& at) noexcept { return agents[place(at)]; }

    void try_stream(node& at);
    void tick(std::size_t which);
    void tick_witness();
    void keep(node& at);
    void take_back(node& at);
    void report(node& at);
    void pursue(node& at, node_state goal);
    void pursue_primary(node& at, node_state goal);
    void pursue_standby(node& at, node_state goal);
    void rewind(node& at);
    void promote(node& at);
    void reach(node& at, node_state state);
    void check_partition(node& at);
    void nudge(node& at);
    void decide();
    bool decide_once();
    bool failing_over(std::size_t primary, std::size_t standby);
    void assign(std::size_t which, node_state goal);
    void notify(std::size_t which);
    bool lost(std::size_t which) const noexcept;

    std::array<keeper_state, 2> agents;
    std::array<registration, 2> known;
    std::optional<std::array<registration, 2>> stale;
    time_point demoting_since;
};

}
