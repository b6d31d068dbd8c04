// SPDX-License-Identifier: Apache-2.0
#include "testing/simulation.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::testing {

namespace {

constexpr duration reaction = std::chrono::milliseconds(5);
constexpr int failed_checks_max = 2;

bool takes_writes(node_state goal) noexcept {
    return goal == node_state::primary || goal == node_state::wait_primary;
}

}

std::string_view to_string(node_state state) noexcept {
    constexpr std::array<std::string_view, 9> names = {
        "primary",
        "wait_primary",
        "secondary",
        "catchingup",
        "prepare_promotion",
        "stop_replication",
        "draining",
        "demote_timeout",
        "demoted"};
    return names[static_cast<std::size_t>(state)];
}

// Replication.

void simulated_store::impl::pump(node& from) {
    auto& to = other(from);
    if (!to.streaming || from.in_recovery || to.sent >= from.log.size())
        return;
    to.sent = from.log.size();
    between(from.which, message::records, static_cast<std::uint32_t>(to.sent));
}

void simulated_store::impl::take_records(node& at, std::uint32_t upto) {
    if (!at.running || !at.streaming)
        return;
    const auto& from = other(at);
    while (at.log.size() < std::min<std::size_t>(upto, from.log.size()))
        at.log.push_back(from.log[at.log.size()]);
    at.visible = at.log.size();
    between(at.which, message::confirmed, static_cast<std::uint32_t>(at.log.size()));
}

void simulated_store::impl::take_confirmation(node& at, std::uint32_t upto) {
    if (!at.running || at.in_recovery)
        return;
    at.replicated = std::max<std::size_t>(at.replicated, upto);
    release(at);
}

void simulated_store::impl::try_stream(node& at) {
    auto& from = other(at);
    if (!at.running || !at.in_recovery || at.frozen || at.streaming || !from.running ||
        from.in_recovery || from.frozen || from.apart || !open_between(at.which, from.which))
        return;
    const auto have = at.log.size();
    const bool same_history = at.lineage == from.lineage && at.timeline <= from.timeline &&
                              have <= from.log.size() &&
                              (have == 0 || at.log.back().id == from.log[have - 1].id);
    if (!same_history)
        return;
    at.streaming = true;
    ++at.stream;
    at.timeline = from.timeline;
    at.sent = have;
    from.replicated = have;
    pump(from);
}

void simulated_store::impl::end_stream(node& at) {
    at.streaming = false;
}

// The agents.

void simulated_store::impl::begin_ticking() {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        world.later(rules.keeper_period / 2 * static_cast<int>(i + 1), [this, i] { tick(i); });
    world.later(rules.health_period, [this] { tick_witness(); });
}

void simulated_store::impl::tick(std::size_t which) {
    if (over)
        return;
    world.later(rules.keeper_period, [this, which] { tick(which); });
    keep(nodes[which]);
}

void simulated_store::impl::keep(node& at) {
    if (!at.keeper || at.frozen)
        return;
    const bool down = at.state == node_state::demote_timeout || at.state == node_state::demoted;
    if (!at.running && !at.starting && !down && !at.busy) {
        ++count.restarts;
        start_server(at);
    }
    take_back(at);
    try_stream(at);
    report(at);
    check_partition(at);
}

// What was promoted without the engine is the primary that is wanted, or a standby again.
void simulated_store::impl::take_back(node& at) {
    if (!at.apart || at.busy)
        return;
    const auto goal = known[at.which == site::one ? 0 : 1].goal;
    if (takes_writes(goal)) {
        at.apart = false;
        at.state = node_state::wait_primary; // What it wrote alone is still to be replicated.
    } else if (goal == node_state::secondary || goal == node_state::catchingup)
        rewind(at);
}

void simulated_store::impl::report(node& at) {
    const auto which = static_cast<std::size_t>(at.which == site::one ? 0 : 1);
    if (!witness_up || witness_frozen || !open_between(at.which, site::witness))
        return;
    at.in_touch = world.now();
    auto& mine = known[which];
    mine.last_report = world.now();
    if (mine.reported != at.state) {
        mine.reported = at.state;
        notify(which);
    }
    decide();
    if (mine.goal != at.state && !at.busy)
        pursue(at, mine.goal);
    else if (at.state == node_state::wait_primary && at.synchronous)
        set_synchronous(at, false); // The mirror went before it was one again.
}

// A primary that reaches neither the witness nor its mirror takes itself out.
void simulated_store::impl::check_partition(node& at) {
    const auto& mirror = other(at);
    const bool mirror_there = mirror.streaming && mirror.running && !mirror.frozen &&
                              open_between(at.which, mirror.which);
    if (mirror_there)
        at.in_touch = world.now();
    if (at.state != node_state::primary || at.busy ||
        world.now() - at.in_touch < rules.partition_timeout)
        return;
    ++count.demotions;
    stop_server(at, true);
    at.state = node_state::demote_timeout;
}

void simulated_store::impl::reach(node& at, node_state state) {
    at.busy = false;
    at.state = state;
    nudge(at);
}

void simulated_store::impl::pursue(node& at, node_state goal) {
    switch (goal) {
    case node_state::primary:
    case node_state::wait_primary:
    case node_state::draining:
    case node_state::demote_timeout:
    case node_state::demoted: pursue_primary(at, goal); break;
    case node_state::secondary:
    case node_state::catchingup:
    case node_state::prepare_promotion:
    case node_state::stop_replication: pursue_standby(at, goal); break;
    }
}

void simulated_store::impl::pursue_primary(node& at, node_state goal) {
    if (takes_writes(goal)) {
        if (!at.running) {
            start_server(at);
            return;
        }
        if (at.in_recovery)
            return;
        const bool alone = goal == node_state::wait_primary;
        if (alone && at.state == node_state::primary)
            ++count.exposures;
        at.read_only = false;
        if (alone == at.synchronous)
            set_synchronous(at, !alone);
        if (!alone && at.replicated < at.synchronous_from) {
            nudge(at); // Not before the mirror has all that was acknowledged without it.
            return;
        }
    } else if (goal != node_state::draining) {
        if (at.running || at.starting)
            ++count.demotions;
        stop_server(at, true);
    }
    reach(at, goal);
}

void simulated_store::impl::pursue_standby(node& at, node_state goal) {
    if (goal == node_state::stop_replication) {
        if (at.running)
            promote(at);
    } else if (goal == node_state::catchingup && (!at.in_recovery || !at.running || !at.streaming)) {
        rewind(at);
    } else if (goal == node_state::secondary) {
        try_stream(at);
        if (at.running && at.streaming)
            reach(at, goal);
    } else if (at.running) {
        reach(at, goal);
    }
}

void simulated_store::impl::rewind(node& at) {
    const auto& from = other(at);
    if (!from.running || from.in_recovery || from.frozen || !open_between(at.which, from.which))
        return;
    stop_server(at, true);
    at.busy = true;
    work(at, rules.rewind_time, [this, which = &at] {
        auto& here = *which;
        const auto& source = other(here);
        here.busy = false;
        if (!source.running || source.in_recovery)
            return; // Its agent tries again.
        std::size_t same = 0;
        while (same < here.log.size() && same < source.log.size() &&
               here.log[same].id == source.log[same].id)
            ++same;
        here.log.resize(same);
        here.visible = same;
        here.in_recovery = true;
        here.apart = false;
        here.read_only = false;
        here.synchronous = false;
        here.lineage = source.lineage;
        here.timeline = std::min(here.timeline, source.timeline);
        start_server(here);
        reach(here, node_state::catchingup);
    });
}

void simulated_store::impl::promote(node& at) {
    if (!at.in_recovery) {
        reach(at, node_state::stop_replication);
        return;
    }
    at.busy = true;
    work(at, rules.promotion_time, [this, which = &at] {
        auto& here = *which;
        here.in_recovery = false;
        here.read_only = true; // Until wait_primary.
        here.synchronous = false;
        here.replicated = 0;
        ++here.timeline;
        end_stream(here);
        ++count.promotions;
        reach(here, node_state::stop_replication);
    });
}

// Something that a node does for so long, unless it is stopped meanwhile.
void simulated_store::impl::work(node& at, duration takes, std::function<void()> then) {
    world.later(takes, [this, which = &at, boot = at.boot, then = std::move(then)]() mutable {
        if (over || which->boot != boot)
            return;
        if (which->frozen)
            work(*which, reaction, std::move(then));
        else
            then();
    });
}

// The witness.

void simulated_store::impl::tick_witness() {
    if (over)
        return;
    world.later(rules.health_period, [this] { tick_witness(); });
    if (!witness_up || witness_frozen)
        return;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto& one = nodes[i];
        const bool answers_now =
            one.running && !one.frozen && open_between(one.which, site::witness);
        known[i].failed_checks = answers_now ? 0 : known[i].failed_checks + 1;
    }
    decide();
}

bool simulated_store::impl::lost(std::size_t which) const noexcept {
    const auto& one = known[which];
    return one.failed_checks >= failed_checks_max &&
           world.now() - one.last_report > rules.unhealthy_after;
}

void simulated_store::impl::assign(std::size_t which, node_state goal) {
    known[which].goal = goal;
    notify(which);
    nudge(nodes[which]);
}

// The agent looks again soon: it listens to the witness.
void simulated_store::impl::nudge(node& at) {
    world.later(reaction, [this, which = &at] {
        if (!over)
            keep(*which);
    });
}

void simulated_store::impl::notify(std::size_t which) {
    if (stale)
        return;
    const auto& one = known[which];
    const auto where = at(nodes[which].which);
    std::string text;
    for (const auto id : std::vector<std::uint32_t>(witness_served)) {
        auto& on = wires[id];
        if (!on.listens || on.client_gone)
            continue;
        if (text.empty())
            text = R"({"type": "state", "formation": "default", "groupId": 0, "nodeId": )" +
                   std::to_string(which + 1) + R"(, "host": ")" + where.host + R"(", "port": )" +
                   std::to_string(where.port) + R"(, "reportedState": ")" +
                   std::string(to_string(one.reported)) + R"(", "goalState": ")" +
                   std::string(to_string(one.goal)) + R"("})";
        on.pushes.push_back(text);
        send(on, message::push, 0);
    }
}

void simulated_store::impl::decide() {
    while (decide_once()) {
    }
}

// One rule of the engine, from the states reported to a new goal; false if none applies.
bool simulated_store::impl::decide_once() {
    using enum node_state;
    for (std::size_t i = 0; i < known.size(); ++i)
        if (known[i].goal == prepare_promotion || known[i].goal == stop_replication)
            return failing_over(1 - i, i);
    const auto leads = named();
    if (!leads)
        return false;
    const auto p = *leads;
    auto& lead = known[p];
    auto& rest = known[1 - p];
    if (rest.goal == demoted) {
        if (rest.reported != demoted || lead.reported != wait_primary)
            return false;
        assign(1 - p, catchingup);
        return true;
    }
    if (rest.goal == secondary && lost(1 - p) && lead.healthy()) {
        if (lead.goal != wait_primary)
            assign(p, wait_primary);
        assign(1 - p, catchingup);
        return true;
    }
    if (rest.goal == catchingup && rest.reported == catchingup && rest.healthy() &&
        lead.reported == wait_primary && nodes[1 - p].streaming &&
        nodes[1 - p].log.size() == nodes[p].log.size()) {
        assign(1 - p, secondary);
        return true;
    }
    if (rest.reported == secondary && rest.goal == secondary && lead.goal == wait_primary &&
        lead.reported == wait_primary) {
        assign(p, primary);
        return true;
    }
    if (lost(p) && rest.healthy() && lead.reported == primary && lead.goal == primary &&
        rest.reported == secondary && rest.goal == secondary) {
        assign(1 - p, prepare_promotion);
        assign(p, draining);
        return true;
    }
    return false;
}

bool simulated_store::impl::failing_over(std::size_t p, std::size_t s) {
    using enum node_state;
    auto& lead = known[p];
    auto& next = known[s];
    if (next.goal == prepare_promotion && next.reported == prepare_promotion) {
        demoting_since = world.now();
        assign(s, stop_replication);
        assign(p, demote_timeout);
        return true;
    }
    const bool down = lead.reported == demote_timeout || lead.reported == demoted ||
                      world.now() - demoting_since > rules.demote_timeout;
    if (next.goal == stop_replication && next.reported == stop_replication && down) {
        assign(s, wait_primary);
        assign(p, demoted);
        return true;
    }
    return false;
}

bool simulated_store::impl::perform_failover() {
    const auto p = named();
    if (!p)
        return false;
    auto& lead = known[*p];
    auto& rest = known[1 - *p];
    if (lead.goal != node_state::primary || lead.reported != node_state::primary ||
        rest.goal != node_state::secondary || rest.reported != node_state::secondary ||
        !rest.healthy() || !lead.healthy())
        return false;
    assign(1 - *p, node_state::prepare_promotion);
    assign(*p, node_state::draining);
    return true;
}

std::optional<std::size_t> simulated_store::impl::named() const noexcept {
    for (std::size_t i = 0; i < known.size(); ++i)
        if (takes_writes(known[i].goal))
            return i;
    return std::nullopt;
}

}
