// SPDX-License-Identifier: Apache-2.0
#include "testing/auto_failover.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::testing {

namespace {

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

auto_failover::auto_failover(manual_world& in, simulated_settings how) : impl(in, std::move(how)) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto state = i == 0 ? node_state::primary : node_state::secondary;
        agents[i] = {state, world.now()};
        known[i] = {state, state, world.now(), 0};
    }
    try_stream(nodes[1]);
}

std::shared_ptr<simulated_store::impl>
make_auto_failover(manual_world& in, simulated_settings how) {
    return std::make_shared<auto_failover>(in, std::move(how));
}

std::string auto_failover::connection_string() const {
    return "Mode=mirroring;Server=one:5432;Failover_Partner=two:5432;"
           "Witness=pg_auto_failover:witness:5432;Database=d;UID=u;Encrypt=disable";
}

std::string auto_failover::assigned(std::size_t which) const {
    return std::string(to_string(known[which].goal));
}

// Replication.

void auto_failover::pump(node& from) {
    auto& to = other(from);
    if (!to.streaming || from.in_recovery || to.sent >= from.log.size())
        return;
    to.sent = from.log.size();
    between(from.which, message::records, static_cast<std::uint32_t>(to.sent));
}

void auto_failover::take_records(node& at, std::uint32_t upto) {
    if (!at.running || !at.streaming)
        return;
    const auto& from = other(at);
    while (at.log.size() < std::min<std::size_t>(upto, from.log.size()))
        at.log.push_back(from.log[at.log.size()]);
    at.visible = at.log.size();
    between(at.which, message::confirmed, static_cast<std::uint32_t>(at.log.size()));
}

void auto_failover::take_confirmation(node& at, std::uint32_t upto) {
    if (!at.running || at.in_recovery)
        return;
    at.replicated = std::max<std::size_t>(at.replicated, upto);
    release(at);
}

void auto_failover::try_stream(node& at) {
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

void auto_failover::end_stream(node& at, std::uint32_t number) {
    if (at.streaming && at.stream == number)
        at.streaming = false;
}

void auto_failover::stopped(node& at) {
    auto& partner = other(at);
    if (partner.streaming)
        between(at.which, message::stream_ended, partner.stream);
    at.streaming = false;
}

// The agents.

void auto_failover::begin() {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        world.later(rules.keeper_period / 2 * static_cast<int>(i + 1), [this, i] { tick(i); });
    world.later(rules.health_period, [this] { tick_witness(); });
}

void auto_failover::tick(std::size_t which) {
    if (over)
        return;
    world.later(rules.keeper_period, [this, which] { tick(which); });
    keep(nodes[which]);
}

void auto_failover::keep(node& at) {
    if (!at.keeper || at.frozen)
        return;
    const bool down = agent_of(at).state == node_state::demote_timeout ||
                      agent_of(at).state == node_state::demoted;
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
void auto_failover::take_back(node& at) {
    if (!at.apart || at.busy)
        return;
    const auto goal = known[at.which == site::one ? 0 : 1].goal;
    if (takes_writes(goal)) {
        at.apart = false;
        agent_of(at).state =
            node_state::wait_primary; // What it wrote alone is still to be replicated.
    } else if (goal == node_state::secondary || goal == node_state::catchingup)
        rewind(at);
}

void auto_failover::report(node& at) {
    const auto which = static_cast<std::size_t>(at.which == site::one ? 0 : 1);
    if (!witness_up || witness_frozen || !open_between(at.which, site::witness))
        return;
    agent_of(at).in_touch = world.now();
    auto& mine = known[which];
    mine.last_report = world.now();
    if (mine.reported != agent_of(at).state) {
        mine.reported = agent_of(at).state;
        notify(which);
    }
    decide();
    if (mine.goal != agent_of(at).state && !at.busy)
        pursue(at, mine.goal);
    else if (agent_of(at).state == node_state::wait_primary && at.synchronous)
        set_synchronous(at, false); // The mirror went before it was one again.
}

// A primary that reaches neither the witness nor its mirror takes itself out.
void auto_failover::check_partition(node& at) {
    const auto& mirror = other(at);
    const bool mirror_there = mirror.streaming && mirror.running && !mirror.frozen &&
                              open_between(at.which, mirror.which);
    if (mirror_there)
        agent_of(at).in_touch = world.now();
    if (agent_of(at).state != node_state::primary || at.busy ||
        world.now() - agent_of(at).in_touch < rules.partition_timeout)
        return;
    ++count.demotions;
    stop_server(at, true);
    agent_of(at).state = node_state::demote_timeout;
}

void auto_failover::reach(node& at, node_state state) {
    at.busy = false;
    agent_of(at).state = state;
    nudge(at);
}

void auto_failover::pursue(node& at, node_state goal) {
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

void auto_failover::pursue_primary(node& at, node_state goal) {
    if (takes_writes(goal)) {
        if (!at.running) {
            start_server(at);
            return;
        }
        if (at.in_recovery)
            return;
        const bool alone = goal == node_state::wait_primary;
        if (alone && agent_of(at).state == node_state::primary)
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

void auto_failover::pursue_standby(node& at, node_state goal) {
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

void auto_failover::rewind(node& at) {
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

void auto_failover::promote(node& at) {
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
        here.streaming = false;
        ++count.promotions;
        reach(here, node_state::stop_replication);
    });
}

// The witness.

void auto_failover::tick_witness() {
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

bool auto_failover::lost(std::size_t which) const noexcept {
    const auto& one = known[which];
    return one.failed_checks >= failed_checks_max &&
           world.now() - one.last_report > rules.unhealthy_after;
}

void auto_failover::assign(std::size_t which, node_state goal) {
    known[which].goal = goal;
    notify(which);
    nudge(nodes[which]);
}

// The agent looks again soon: it listens to the witness.
void auto_failover::nudge(node& at) {
    world.later(reaction, [this, which = &at] {
        if (!over)
            keep(*which);
    });
}

void auto_failover::notify(std::size_t which) {
    if (stale)
        return;
    const auto& one = known[which];
    const auto where = simulated_store::at(nodes[which].which);
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

void auto_failover::decide() {
    while (decide_once()) {
    }
}

// One rule of the engine, from the states reported to a new goal; false if none applies.
bool auto_failover::decide_once() {
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

bool auto_failover::failing_over(std::size_t p, std::size_t s) {
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

bool auto_failover::perform_failover() {
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

std::optional<std::size_t> auto_failover::named() const noexcept {
    for (std::size_t i = 0; i < known.size(); ++i)
        if (takes_writes(known[i].goal))
            return i;
    return std::nullopt;
}

// What a test does to the store.

bool auto_failover::protected_now() const noexcept {
    const auto which = named();
    if (!which)
        return false;
    const auto& lead = nodes[*which];
    const auto& rest = nodes[1 - *which];
    return agents[*which].state == node_state::primary && lead.running && !lead.read_only &&
           lead.synchronous && agents[1 - *which].state == node_state::secondary && rest.running &&
           rest.streaming && known[*which].goal == node_state::primary &&
           known[1 - *which].goal == node_state::secondary;
}

void auto_failover::set_stale(bool now) {
    stale.reset();
    if (now)
        stale = known;
}

void auto_failover::promote_apart(node& at) {
    at.streaming = false;
    at.apart = true;
    at.in_recovery = false;
    at.read_only = false;
    at.synchronous = false;
    at.replicated = 0;
    ++at.timeline;
    start_server(at);
}

void auto_failover::restarted(node& at) {
    auto& mine = agent_of(at);
    mine.in_touch = world.now();
    if (mine.state != node_state::demote_timeout && mine.state != node_state::demoted)
        start_server(at);
    nudge(at);
}

void auto_failover::witness_started() {
    for (auto& one : known)
        one.last_report = world.now(); // Its grace after a start.
}

}
