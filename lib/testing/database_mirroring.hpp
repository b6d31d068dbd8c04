// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "testing/simulation.hpp"

namespace hadr::inline v0::testing {

/// As in mirroring_state_desc.
enum class mirroring_state : unsigned char {
    suspended,
    disconnected,
    synchronizing,
    pending_failover,
    synchronized,
};

std::string_view to_string(mirroring_state state) noexcept;

/// SQL Server database mirroring: two partners and a witness that see each other or not (C29). A
/// principal acknowledges alone only after the witness has noted so, and a mirror takes over only
/// if the witness has noted no such thing: whatever is lost, no two decide differently.
struct database_mirroring final : simulated_store::impl {
    database_mirroring(manual_world& in, simulated_settings how);

    std::string_view driver_name() const noexcept override { return "odbc"; }
    std::string connection_string() const override;
    void begin() override;
    std::optional<std::size_t> named() const noexcept override;
    bool protected_now() const noexcept override;
    bool writable(const node& at) const noexcept override;
    std::string assigned(std::size_t which) const override;
    bool has_agents() const noexcept override { return false; }
    bool truthful() const noexcept override { return true; }
    void set_stale(bool) override {}
    bool perform_failover() override;
    void promote_apart(node& at) override;
    void rebuilt(node& lead) override;
    void healed() override;
    void witness_started() override { nudge(witness); }
    void witness_stopped() override;
    void restarted(node& at) override { start_server(at); }
    void thawed(node& at) override { nudge(place(at)); }
    void started(node& at) override;
    void stopped(node& at) override;
    void pump(node& from) override;
    void take_records(node& at, std::uint32_t number) override;
    void take_confirmation(node& at, std::uint32_t number) override;
    void end_stream(node&, std::uint32_t) override {}

    // sql_server_statements.cpp
    std::optional<failure> closed_to(wire& on) override;
    void answer_witness(wire& on) override;
    bool takes(wire& on, node& at) override;
    std::optional<refusal> forbids_write(const wire& on, const node& at) const override;
    failure failure_of(refusal what) const override;
    void mark_lost(const wire& on, failure& why) const override;
    transaction_status after_failure(transaction_status was) const noexcept override {
        return was; // An error ends its statement, and the transaction goes on.
    }
    simulated_write written_by(std::string_view text) const override;
    std::string_view reported(const wire& on, std::string_view name) const noexcept override;

    // mirroring_operations.cpp
    expected<void> administer(node& at, std::string_view statement) override;

private:
    static constexpr std::size_t witness = 2;

    /// What one of the three knows of its connection with another.
    struct contact {
        bool connected = true;
        time_point heard;
    };

    struct partner {
        mirroring_state state = mirroring_state::synchronized;
        bool full = true;
        bool serves = false;     ///< A principal that has quorum, and whose redo is over.
        bool recovering = false; ///< Redo is under way.
        bool suspended = false;  ///< By an administrator, or since service was forced.
        bool eligible = false;   ///< A mirror that has all that its principal acknowledged.
        time_point started;
        std::size_t failover_lsn = 0;
    };

    /// What the witness keeps on its disk.
    struct note {
        std::uint64_t sequence = 1;
        bool synchronized = true; ///< The principal acknowledges nothing alone.
    };

    static std::size_t place(const node& at) noexcept { return at.which == site::one ? 0 : 1; }
    static site site_of(std::size_t party) noexcept {
        return party == 0 ? site::one : party == 1 ? site::two : site::witness;
    }

    bool present(std::size_t party) const noexcept;
    bool awake(std::size_t party) const noexcept;
    bool heard_by(std::size_t party, std::size_t by) const noexcept;
    bool talk(std::size_t one, std::size_t two) const noexcept;
    bool connected(std::size_t one, std::size_t two) const noexcept;

    void tick(std::size_t party);
    void nudge(std::size_t party);
    void look(std::size_t party);
    void listen(std::size_t party, std::size_t to);
    void drop(std::size_t party, std::size_t to);
    void lose_partner(std::size_t which);
    void settle_principal(std::size_t which);
    void settle_mirror(std::size_t which);
    bool note_down(std::size_t which);
    bool go_alone(std::size_t which);
    void serve(std::size_t which);
    void lose_quorum(std::size_t which);
    void step_down(std::size_t which);
    void promote(std::size_t which);
    void follow(std::size_t which);
    void undo(std::size_t which);
    void stream(std::size_t which);
    void end_streams() noexcept;
    void check_synchronized(std::size_t which);
    void kill_sessions(node& at);
    bool unprotect(std::size_t which);

    expected<void> fail_over(std::size_t which);
    void hand_over(std::size_t which);
    void swap_roles(std::size_t which);
    expected<void> force_service(std::size_t which);
    expected<void> suspend(std::size_t which);
    expected<void> resume(std::size_t which);
    expected<void> set_safety(std::size_t which, bool full);
    expected<void> set_witness(bool there);
    expected<void> set_timeout(std::string_view seconds);

    int closed(const node& at) const noexcept;
    bool shown(const node& at) const noexcept;
    void describe(wire& on, const node& at);
    void describe_mirroring(answer& into, const node& at, bool stranger) const;
    expected<void> move_session(wire& on, const node& at, std::string_view name);

    std::array<std::array<contact, 3>, 3> contacts;
    std::array<partner, 2> partners;
    note noted;
    bool has_witness = true;
    duration partner_timeout{};
};

}
