// SPDX-License-Identifier: Apache-2.0
#include <hadr/epoch.hpp>
#include <hadr/event.hpp>
#include <hadr/lease.hpp>
#include <hadr/store.hpp>
#include <hadr/topology.hpp>

#include <fmt/format.h>

#include <ostream>

namespace hadr::inline v0 {

std::string_view to_string(mode how) noexcept {
    switch (how) {
    case mode::standalone: return "standalone";
    case mode::mirroring: return "mirroring";
    case mode::availability_group: return "availability_group";
    case mode::failover_cluster_instance: return "failover_cluster_instance";
    case mode::failover_cluster: return "failover_cluster";
    }
    return "unknown";
}

std::string_view to_string(role plays) noexcept {
    switch (plays) {
    case role::unknown: return "unknown";
    case role::primary: return "primary";
    case role::standby: return "standby";
    case role::witness: return "witness";
    }
    return "unknown";
}

std::string_view to_string(availability state) noexcept {
    switch (state) {
    case availability::serving: return "serving";
    case availability::exposed: return "exposed";
    case availability::failing_over: return "failing_over";
    case availability::action_required: return "action_required";
    case availability::unknown: return "unknown";
    }
    return "unknown";
}

std::string_view to_string(service_level level) noexcept {
    switch (level) {
    case service_level::full: return "full";
    case service_level::riding_out: return "riding_out";
    case service_level::resiliency: return "resiliency";
    }
    return "unknown";
}

std::string_view to_string(failover_form form) noexcept {
    switch (form) {
    case failover_form::automatic: return "automatic";
    case failover_form::manual_only: return "manual_only";
    case failover_form::none: return "none";
    }
    return "unknown";
}

std::string_view to_string(witness_state state) noexcept {
    switch (state) {
    case witness_state::none: return "none";
    case witness_state::unknown: return "unknown";
    case witness_state::connected: return "connected";
    case witness_state::lost: return "lost";
    }
    return "unknown";
}

std::string_view to_string(synchrony state) noexcept {
    switch (state) {
    case synchrony::unknown: return "unknown";
    case synchrony::synchronized: return "synchronized";
    case synchrony::synchronizing: return "synchronizing";
    case synchrony::suspended: return "suspended";
    case synchrony::not_replicating: return "not_replicating";
    }
    return "unknown";
}

std::string_view to_string(epoch_order order) noexcept {
    switch (order) {
    case epoch_order::same: return "same";
    case epoch_order::older: return "older";
    case epoch_order::newer: return "newer";
    case epoch_order::unordered: return "unordered";
    case epoch_order::foreign: return "foreign";
    }
    return "unknown";
}

std::string_view to_string(proof strength) noexcept {
    switch (strength) {
    case proof::none: return "none";
    case proof::own_word: return "own_word";
    case proof::both_members: return "both_members";
    case proof::engine_named: return "engine_named";
    case proof::fork_row: return "fork_row";
    }
    return "unknown";
}

std::string_view to_string(outcome ended) noexcept {
    switch (ended) {
    case outcome::committed: return "committed";
    case outcome::committed_local: return "committed_local";
    case outcome::not_committed: return "not_committed";
    case outcome::in_doubt: return "in_doubt";
    }
    return "unknown";
}

std::string_view to_string(event_kind what) noexcept {
    switch (what) {
    case event_kind::opened: return "opened";
    case event_kind::primary_lost: return "primary_lost";
    case event_kind::primary_changed: return "primary_changed";
    case event_kind::primary_returned: return "primary_returned";
    case event_kind::old_primary_refused: return "old_primary_refused";
    case event_kind::two_claimants: return "two_claimants";
    case event_kind::foreign_member: return "foreign_member";
    case event_kind::epoch_went_back: return "epoch_went_back";
    case event_kind::witness_lost: return "witness_lost";
    case event_kind::witness_returned: return "witness_returned";
    case event_kind::witness_removed: return "witness_removed";
    case event_kind::exposed: return "exposed";
    case event_kind::protected_: return "protected";
    case event_kind::failing_over: return "failing_over";
    case event_kind::action_required: return "action_required";
    case event_kind::level_changed: return "level_changed";
    case event_kind::member_lost: return "member_lost";
    case event_kind::member_returned: return "member_returned";
    case event_kind::member_offline: return "member_offline";
    case event_kind::member_online: return "member_online";
    case event_kind::partner_learned: return "partner_learned";
    case event_kind::login_refused: return "login_refused";
    case event_kind::lease_leaked: return "lease_leaked";
    case event_kind::advice: return "advice";
    case event_kind::reconfigured: return "reconfigured";
    case event_kind::monitor_stalled: return "monitor_stalled";
    case event_kind::listener_failed: return "listener_failed";
    case event_kind::closed: return "closed";
    }
    return "unknown";
}

std::string to_string(const endpoint& at) {
    const bool address6 = !at.local_socket() && at.host.find(':') != std::string::npos;
    std::string text = address6 ? "[" + at.host + "]" : at.host;
    if (!at.instance.empty())
        text += "\\" + at.instance;
    if (at.port != 0)
        text += fmt::format(":{}", at.port);
    return text;
}

std::ostream& operator<<(std::ostream& out, const endpoint& at) {
    return out << to_string(at);
}

std::string to_string(const epoch& which) {
    std::string text = which.lineage.empty() ? "?" : which.lineage;
    text += which.term ? fmt::format("/{}", *which.term) : "/?";
    if (which.fork)
        text += "/fork " + *which.fork;
    if (which.revision)
        text += fmt::format("/revision {}", *which.revision);
    return text + fmt::format(" ({})", to_string(which.strength));
}

std::ostream& operator<<(std::ostream& out, const epoch& which) {
    return out << to_string(which);
}

std::string to_string(const topology& view) {
    auto text = fmt::format(
        "version {}: {}, {}, failover {}, witness {}, {}{}{}\n",
        view.version,
        to_string(view.state),
        to_string(view.level),
        to_string(view.failover),
        to_string(view.witness),
        to_string(view.replication),
        view.accepted ? ", epoch " + to_string(*view.accepted) : "",
        view.cause.empty() ? "" : " (" + view.cause + ")"
    );
    for (std::size_t i = 0; i < view.members.size(); ++i) {
        const auto& one = view.members[i];
        text += fmt::format(
            "  {} {}: {}{}{}{}{}{}{}\n",
            one.name,
            to_string(one.at),
            to_string(one.plays),
            view.writer == i ? ", writer" : "",
            one.named ? ", named" : "",
            one.refused ? ", refused" : "",
            one.offline ? ", offline" : "",
            one.engine_state.empty() ? "" : ", " + one.engine_state,
            one.trouble ? ", " + to_string(*one.trouble) : ""
        );
    }
    return text;
}

std::ostream& operator<<(std::ostream& out, const topology& view) {
    return out << to_string(view);
}

std::string to_string(const event& what) {
    std::string text = fmt::format("{} {}", what.store, to_string(what.what));
    if (what.count > 1)
        text += fmt::format(" x{}", what.count);
    if (what.member && what.view && *what.member < what.view->members.size())
        text += " " + to_string(what.view->members[*what.member].at);
    if (what.reign)
        text += ", epoch " + to_string(*what.reign);
    if (what.outage)
        text += fmt::format(
            ", outage {} ms",
            std::chrono::duration_cast<std::chrono::milliseconds>(*what.outage).count()
        );
    return what.cause.empty() ? text : text + ": " + what.cause;
}

std::ostream& operator<<(std::ostream& out, const event& what) {
    return out << to_string(what);
}

}
