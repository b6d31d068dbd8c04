// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/endpoint.hpp>
#include <hadr/epoch.hpp>
#include <hadr/error.hpp>
#include <hadr/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0 {

/// The part a server plays now. Moves at failover, unlike the name a server has in the
/// specification.
enum class role {
    unknown,
    primary, ///< Takes writes, by its own word.
    standby, ///< Follows a primary.
    witness, ///< Votes; holds no data.
};

enum class availability {
    serving,         ///< A primary serves, and a standby would take over from it.
    exposed,         ///< A primary serves; its loss would be an outage.
    failing_over,    ///< No primary yet; one is expected without anybody's action.
    action_required, ///< No primary, and none will come by itself.
    unknown,         ///< Nothing has been learned yet, or not enough.
};

/// What callers get (B6, B7).
enum class service_level {
    full,
    riding_out, ///< The primary is away; callers wait for it.
    resiliency, ///< Away for the ride-out time: reads go on, writes are refused at once.
};

enum class failover_form {
    automatic,
    manual_only, ///< Somebody must act when the primary is lost (C6).
    none,
};

enum class witness_state {
    none, ///< None is configured, which is not the same as lost (C32).
    unknown,
    connected,
    lost,
};

enum class synchrony {
    unknown,
    synchronized,    ///< The standby has every acknowledged commit.
    synchronizing,   ///< It is catching up.
    suspended,       ///< It is away or stopped: the primary is exposed.
    not_replicating, ///< There is no standby.
};

/// What is known of one server.
struct member {
    endpoint at;
    std::string name; ///< As the specification calls it: "primary", "mirror", "replica 3".
    role plays = role::unknown;
    bool writable = false;    ///< By its own word, at the last answer.
    bool named = false;       ///< The engine's deciding part calls it the primary.
    bool offline = false;     ///< An operator took it out (B11).
    bool serves_reads = true; ///< As a standby; SQL Server's mirror refuses its database.
    bool refused = false; ///< Answers, but is of an old epoch or a foreign lineage (C34, F15, E9).
    std::optional<epoch> reign;             ///< Of its last own answer.
    std::optional<std::uint64_t> lag_bytes; ///< Behind the primary. Unknown is not zero.
    std::optional<duration> lag;
    std::string engine_state;       ///< In the mode's own words, e.g. "wait_primary"; escaped.
    time_point seen;                ///< When its last good answer had been asked.
    std::optional<failure> trouble; ///< Why it does not answer or is refused.

    friend bool operator==(const member&, const member&) = default;
};

/// Everything known of one store at one moment. A value: replaced, never changed, so that a reader
/// holds a consistent view without a lock.
struct topology {
    std::uint64_t version = 0; ///< Grows with every change but of seen and lag.
    availability state = availability::unknown;
    service_level level = service_level::full;
    failover_form failover = failover_form::none;
    witness_state witness = witness_state::none;
    std::optional<failure> witness_trouble;
    synchrony replication = synchrony::unknown;
    std::optional<std::size_t> writer; ///< The one member that write sessions go to.
    std::optional<epoch> accepted;     ///< The highest epoch accepted; never goes back (E2).
    /// While there is no writer: when one was last known to serve. What is read then is no newer
    /// (H7).
    std::optional<time_point> as_of;
    std::string cause; ///< Why state is what it is, for people.
    /// The connection string's, in the order of their fixed names, then partners learned from the
    /// engine (C43). Grows, and an index never changes its meaning.
    std::vector<member> members;
    std::vector<endpoint> unlisted; ///< Named by the engine and not allowed as members (X3).

    friend bool operator==(const topology&, const topology&) = default;
};

HADR_EXPORT std::string_view to_string(role plays) noexcept;
HADR_EXPORT std::string_view to_string(availability state) noexcept;
HADR_EXPORT std::string_view to_string(service_level level) noexcept;
HADR_EXPORT std::string_view to_string(failover_form form) noexcept;
HADR_EXPORT std::string_view to_string(witness_state state) noexcept;
HADR_EXPORT std::string_view to_string(synchrony state) noexcept;
/// Several lines, for people.
HADR_EXPORT std::string to_string(const topology& view);
HADR_EXPORT std::ostream& operator<<(std::ostream& out, const topology& view);

}
