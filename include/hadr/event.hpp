// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/topology.hpp>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::inline v0 {

enum class event_kind {
    opened,
    primary_lost,        ///< There was a writer, and now there is none.
    primary_changed,     ///< The writer is another member, or of a newer epoch.
    primary_returned,    ///< The same writer in the same epoch serves again.
    old_primary_refused, ///< A member of an older epoch claims to be primary (F15).
    two_claimants,       ///< Two members claim it and cannot be ordered (F14, E3).
    foreign_member,      ///< A member or witness of another lineage or formation answered (E9).
    epoch_went_back,     ///< A lower epoch was accepted by an operator's word (E2).
    witness_lost,
    witness_returned, ///< Also the first one after none.
    witness_removed,  ///< The store has none any more: no automatic failover (C6).
    // The view's state has become: each change of it is told by one of these four.
    exposed,         ///< The primary serves without a synchronized standby (C31).
    protected_,      ///< It serves, and a standby would take over.
    failing_over,    ///< There is no primary, and one will come without anybody's action.
    action_required, ///< Nobody will bring a primary back but an operator.
    level_changed,   ///< Service level (B6).
    member_lost,
    member_returned, ///< It answers again, or is refused no longer.
    member_offline,  ///< By an operator's word (B11).
    member_online,   ///< Likewise.
    partner_learned, ///< The engine named a partner that the specification does not (C43).
    login_refused,   ///< A member refuses the credentials (F26, F27); no retry for a while.
    lease_leaked,    ///< A lease has been out longer than Lease_Limit.
    advice,          ///< Text for an operator, e.g. to operate without a witness (C32).
    reconfigured,
    monitor_stalled, ///< The view is older than it may be (F46).
    listener_failed, ///< A listener threw; the count says how often (F44).
    closed,
};

/// One change of a store's state (S2). Several of one kind may arrive as one, with their count and
/// the latest snapshot (rulings 16).
struct event {
    event_kind what = event_kind::opened;
    std::string store = {};
    std::string cause = {}; ///< For people; server text in it is escaped.
    std::optional<std::size_t> member = {};
    std::optional<epoch> reign = {};
    std::uint64_t generation = 0; ///< Of the member's pool.
    std::uint64_t sequence = 0;   ///< Grows by one per event of a store, coalesced ones included.
    std::uint64_t count = 1;
    std::optional<duration> outage =
        {}; ///< primary_changed, primary_returned: how long there was no writer.
    std::shared_ptr<const topology> view = {};
};

HADR_EXPORT std::string_view to_string(event_kind what) noexcept;
/// One line.
HADR_EXPORT std::string to_string(const event& what);
HADR_EXPORT std::ostream& operator<<(std::ostream& out, const event& what);

}
