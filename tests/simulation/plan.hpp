// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/testing/simulated_store.hpp>

#include <optional>
#include <string>
#include <vector>

namespace hadr::test {

using namespace std::chrono_literals;

enum class fault_kind : unsigned char {
    kill,           // F1, F35
    kill_server,    // F34, F35
    kill_keeper,    // F13, F15
    freeze,         // F2
    cut,            // F6: one way
    split,          // F3, F5: both ways
    reset,          // F4
    delay,          // F7
    loss,           // F8
    slow,           // F7
    full,           // F25
    starting,       // F33
    locked,         // F26
    stale,          // F19
    switch_over,    // a planned failover
    cancel_waiting, // F40
    names_lost,     // F9
    names_dead,     // F9: a dead first address
    pause,          // F12
    rebuild,        // F17
    promote_apart,  // F14, F16
    stranger,       // F10
    suspend,        // SQL Server, as the following: C25
    safety_off,     // C27
    witness_off,    // C32
};

inline constexpr std::size_t fault_kinds = 25;

/// Seeds from here on are of SQL Server's mirroring, and draw what those before them do.
inline constexpr std::uint64_t sql_server_seeds = 1'000'000'000'000;

enum class aim : unsigned char {
    primary,
    mirror,
    witness,
};

/// One fault, on whoever plays the part at its moment.
struct fault {
    fault_kind what = fault_kind::kill;
    aim at = aim::primary;
    aim other = aim::mirror;     ///< Far end of a link between servers, else the client.
    bool to_client = true;       ///< The link is with the client.
    bool outward = true;         ///< Which way of it.
    duration after{};            ///< Since the fault before.
    bool when_protected = false; ///< Waits until the store is whole, within reason.
    std::optional<testing::commit_step> step{}; ///< At that step of the next commit.
    std::uint64_t message = 0; ///< If not 0: when that message of a script arrives.
    duration lasts{};
    int amount = 0;
};

std::string to_string(const fault& what);

class workload;

/// A short piece of an application, run once by an agent of its own instead of the usual workload.
struct script {
    std::string_view name;
    void (*body)(workload& by) = nullptr;
};

/// Everything that a seed decides, but for the order of agents.
struct plan {
    std::uint64_t seed = 1;
    testing::manual_world::order order = testing::manual_world::order::random;
    testing::simulated_store::settings engine;
    int pool_min = 1;
    int pool_max = 4;
    int warm = 1;
    int writers = 3;
    int readers = 1;
    duration think{};
    duration patience{};   ///< Longest deadline of an application's call.
    bool operates = false; ///< An operator uses the library's verbs.
    bool reconfigures = false;
    bool remembers = false;     ///< The highest epoch, in a State_File.
    bool switches = true;       ///< Agents at the library's schedule points.
    bool stale_partner = false; ///< The partner configured is gone: the one there is is learned.
    bool reopens = false;       ///< Closes and opens the store in between.
    std::vector<fault> faults;
    const script* scripted = nullptr;

    bool mirrored() const noexcept { return engine.kind == hadr::engine::sql_server; }
    endpoint at(testing::site which) const {
        return testing::simulated_store::at(which, engine.kind);
    }
    /// Without an earlier word nothing tells the store's principal from another session's: F10 is
    /// for a client that knows its own.
    bool begins_served() const noexcept;
    duration recovery() const; ///< Within which everything works again, faults over (P9).
};

plan draw(std::uint64_t seed);
/// True if the engine knows such a fault.
bool known_to(engine kind, fault_kind what) noexcept;

/// With what the plan says of the pool.
std::string connection_string_of(const plan& what);

}
