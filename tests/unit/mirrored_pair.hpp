// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mirroring/postgresql.hpp"
#include "unit/answers.hpp"

#include <hadr/adapters.hpp>

#include <string>
#include <variant>
#include <vector>

namespace hadr::test {

using namespace std::chrono_literals;

/// One answer, or why there was none.
struct news {
    subject of;
    std::variant<answer, failure> what;
};

inline constexpr const char* ours = "7301234567890123456";
inline constexpr const char* foreign = "7999999999999999999";

/// What a member says of itself.
cells primary(int timeline, const char* lineage = ours);
cells promoted_not_yet_writable(int timeline);
cells standby(int timeline, const char* lineage = ours);

/// Why a member or the witness does not answer.
failure down();     ///< Nobody listens there.
failure silent();   ///< No answer within the question's limit.
failure starting(); ///< 57P03.
failure full();     ///< 53300.
failure wrong_password();
failure no_such_name(); ///< This machine's trouble, not the server's.

/// What the monitor of pg_auto_failover says: one row per node.
struct node {
    const char* host;
    const char* state;
    const char* goal;
    const char* lineage = ours;
    const char* formation = "default";
};
std::vector<cells> nodes(const std::vector<node>& all);
std::vector<cells> a_is_primary(); ///< And b is its synchronized standby.
std::vector<cells> b_is_primary();
std::vector<cells> a_is_alone(); ///< b is away: exposed.
std::vector<cells> b_is_alone();
std::vector<cells> nobody_is_named(); ///< The role is being taken from a.
std::vector<cells> b_is_prepared();   ///< The same, seen on the way to b.

news a(const cells& row);
news a(failure why);
news b(const cells& row);
news b(failure why);
news w(const std::vector<cells>& rows);
news w(failure why);

inline constexpr const char* with_witness = "Witness=pg_auto_failover:mon:5000;";
inline constexpr const char* without_witness = "";

/// The mirroring adapter of a pair a (db1) and b (db2), fed with one piece of news at a time; each
/// is asked a millisecond after the one before.
class mirrored_pair {
public:
    explicit mirrored_pair(const std::string& keys = with_witness);

    mirrored_pair& hears(const std::vector<news>& all);
    mirrored_pair& hears(const news& one) { return hears(std::vector<news>{one}); }
    mirrored_pair& happens(const event_seen& what);
    mirrored_pair& rules(ruled::verdict what, std::size_t member);
    mirrored_pair& remembers(std::optional<std::uint64_t> timeline, const char* lineage = ours);

    const topology& is() const { return known.is; }
    plan next() const { return adapter->next(known, now); }
    session_standing session(std::size_t member, const cells& proof) const;
    expected<operation_plan> wants(
        operation_kind what, bool acknowledged = false, std::optional<std::size_t> target = {}
    ) const;

    std::shared_ptr<const ha_adapter> adapter;
    belief known;
    time_point now{24h};
    std::uint64_t sequence = 0;
};

/// Both members well, a writing on timeline 1.
mirrored_pair healthy(const std::string& keys = with_witness);

}
