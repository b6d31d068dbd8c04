// SPDX-License-Identifier: Apache-2.0
#include "simulation/plan.hpp"

#include "testing/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::test {

namespace {

using testing::commit_step;
using testing::seeded_chance;

constexpr std::array<std::string_view, fault_kinds> names = {
    "kill",           "kill_server", "kill_keeper", "freeze",     "cut",
    "split",          "reset",       "delay",       "loss",       "slow",
    "full",           "starting",    "locked",      "stale",      "switch_over",
    "cancel_waiting", "names_lost",  "names_dead",  "pause",      "rebuild",
    "promote_apart",  "stranger",    "suspend",     "safety_off", "witness_off"};

constexpr std::array<std::string_view, 3> aims = {"primary", "mirror", "witness"};

duration between(seeded_chance& chance, duration least, duration most) {
    const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + duration(static_cast<duration::rep>(chance.below(span)));
}

bool percent(seeded_chance& chance, std::uint64_t of_hundred) {
    return chance.below(100) < of_hundred;
}

constexpr std::size_t drawn_by_rate = static_cast<std::size_t>(fault_kind::promote_apart);

// How likely each kind is in this scenario: swarm, so that some never come and others often.
std::array<std::uint64_t, fault_kinds> swarm(seeded_chance& chance) {
    std::array<std::uint64_t, fault_kinds> rates{};
    for (std::size_t i = 0; i < drawn_by_rate; ++i)
        rates[i] = percent(chance, 40) ? 0 : 1 + chance.below(8);
    const auto rare = [&](fault_kind what, std::uint64_t of_thousand) {
        rates[static_cast<std::size_t>(what)] = chance.below(1000) < of_thousand ? 2 : 0;
    };
    rare(fault_kind::locked, 5);
    rare(fault_kind::rebuild, 40);
    rare(fault_kind::names_lost, 100);
    rare(fault_kind::names_dead, 100);
    rare(fault_kind::pause, 100);
    rates[static_cast<std::size_t>(fault_kind::kill)] += 1;
    return rates;
}

fault_kind pick(seeded_chance& chance, const std::array<std::uint64_t, fault_kinds>& rates) {
    std::uint64_t sum = 0;
    for (const auto one : rates)
        sum += one;
    auto at = chance.below(sum);
    for (std::size_t i = 0; i < rates.size(); ++i) {
        if (at < rates[i])
            return static_cast<fault_kind>(i);
        at -= rates[i];
    }
    return fault_kind::kill;
}

void place_step(seeded_chance& chance, fault& one) {
    if (percent(chance, 60))
        one.step = static_cast<commit_step>(chance.below(7));
}

fault any_fault(seeded_chance& chance, fault_kind what) {
    fault made{.what = what};
    made.at = percent(chance, 55) ? aim::primary : percent(chance, 60) ? aim::mirror : aim::witness;
    made.other = made.at == aim::primary ? (percent(chance, 50) ? aim::mirror : aim::witness)
                                         : (made.at == aim::mirror ? aim::witness : aim::primary);
    made.to_client = percent(chance, 60);
    made.outward = percent(chance, 50);
    made.after = between(chance, 1ms, 40ms);
    made.when_protected = percent(chance, 50);
    made.lasts = between(chance, 5ms, 120ms);
    made.amount = static_cast<int>(1 + chance.below(30));
    if (what == fault_kind::pause)
        made.lasts = between(chance, 10ms, 900ms);
    place_step(chance, made);
    return made;
}

// What makes the engine fail over, again and again.
void add_storm(seeded_chance& chance, plan& to, int rounds) {
    constexpr std::array<fault_kind, 4> killers = {
        fault_kind::kill, fault_kind::freeze, fault_kind::switch_over, fault_kind::kill};
    for (int i = 0; i < rounds; ++i) {
        fault one{.what = killers[chance.below(killers.size())]};
        one.when_protected = true;
        one.after = between(chance, 1ms, 25ms);
        one.lasts = between(chance, 60ms, 110ms);
        place_step(chance, one);
        to.faults.push_back(one);
    }
}

// Links go one after another and come back in another order.
void add_swizzle(seeded_chance& chance, plan& to) {
    for (const auto at : {aim::primary, aim::mirror, aim::witness}) {
        fault one{.what = percent(chance, 50) ? fault_kind::cut : fault_kind::split, .at = at};
        one.outward = percent(chance, 50);
        one.after = between(chance, 1ms, 15ms);
        one.lasts = between(chance, 20ms, 150ms);
        to.faults.push_back(one);
    }
}

void add_slow_drain(seeded_chance& chance, plan& to) {
    for (int i = 1; i <= 3; ++i) {
        fault one{.what = fault_kind::slow};
        one.after = between(chance, 5ms, 20ms);
        one.lasts = 100ms;
        one.amount = i * 10;
        to.faults.push_back(one);
    }
    to.faults.push_back({.what = fault_kind::kill, .after = 20ms, .lasts = 90ms});
}

void add_split(seeded_chance& chance, plan& to) {
    fault one{.what = fault_kind::split, .other = aim::mirror, .to_client = false};
    one.when_protected = true;
    one.after = between(chance, 1ms, 20ms);
    one.lasts = between(chance, 50ms, 150ms);
    to.faults.push_back(one);
    one.other = aim::witness;
    one.when_protected = false;
    one.after = between(chance, 0ms, 5ms);
    to.faults.push_back(one);
}

testing::simulated_store::settings draw_engine(seeded_chance& chance) {
    testing::simulated_store::settings made;
    made.link_delay = between(chance, 1500us, 6ms);
    made.login_time = between(chance, 500us, 3ms);
    made.answer_time = between(chance, 50us, 1ms);
    made.keeper_period = between(chance, 12ms, 30ms);
    made.health_period = between(chance, 8ms, 15ms);
    made.unhealthy_after = between(chance, 20ms, 45ms);
    made.demote_timeout = between(chance, 10ms, 40ms);
    made.partition_timeout = between(chance, 40ms, 120ms);
    made.promotion_time = between(chance, 1ms, 5ms);
    made.start_time = between(chance, 3ms, 15ms);
    made.rewind_time = between(chance, 3ms, 15ms);
    return made;
}

// What an administrator or a name service does wrong. From a stream of chance of its own, so that
// the other seeds stay what they were.
void add_mistakes(plan& to) {
    seeded_chance chance(to.seed ^ 0x5851'F42D'4C95'7F2DULL);
    const auto add = [&](fault_kind what, duration least, duration most) {
        auto one = any_fault(chance, what);
        if (one.at == aim::witness)
            one.at = aim::mirror;
        one.when_protected = false;
        one.step.reset();
        one.lasts = between(chance, least, most);
        const auto place = 1 + chance.below(to.faults.size());
        to.faults.insert(to.faults.begin() + static_cast<std::ptrdiff_t>(place), one);
    };
    if (percent(chance, 5)) {
        add(fault_kind::promote_apart, 20ms, 200ms);
        if (percent(chance, 50)) { // While the client cannot hear what the engine says of it.
            fault blind{.what = fault_kind::split, .at = aim::witness};
            blind.after = between(chance, 1ms, 20ms);
            blind.lasts = between(chance, 200ms, 500ms);
            to.faults.insert(to.faults.begin(), blind);
        }
    }
    if (percent(chance, 5))
        add(fault_kind::stranger, 50ms, 400ms);
}

// The same of SQL Server: what only the other engine knows becomes what only this one does.
void make_mirrored(plan& to) {
    seeded_chance chance(to.seed ^ 0x2545'F491'4F6C'DD1DULL);
    to.engine.kind = engine::sql_server;
    to.engine.ping_period = between(chance, 4ms, 20ms);
    to.engine.partner_timeout = 2 * to.engine.ping_period + between(chance, 10ms, 60ms);
    to.engine.has_witness = !percent(chance, 10);
    to.engine.sysadmin = percent(chance, 20);
    to.engine.mirror_refusal = percent(chance, 30) ? 4060 : 954;
    to.stale_partner = to.engine.has_witness && percent(chance, 10);
    to.reopens = to.reopens && !to.begins_served();
    to.reconfigures = to.reconfigures && !to.stale_partner;
    constexpr std::array<fault_kind, 4> own = {
        fault_kind::suspend, fault_kind::safety_off, fault_kind::witness_off, fault_kind::suspend};
    for (auto& one : to.faults)
        if (!known_to(engine::sql_server, one.what))
            one.what = own[chance.below(own.size())];
}

std::string_view servers_of(const plan& what) {
    if (what.stale_partner) // C47
        return "Driver=FreeTDS;Server=one,1433;Failover_Partner=gone,1433;Partner_Allowed=two;PWD="
               "p";
    if (what.mirrored())
        return "Driver=FreeTDS;Server=one,1433;Failover_Partner=two,1433;PWD=p";
    return "Server=one:5432;Failover_Partner=two:5432;Witness=pg_auto_failover:witness:5432";
}

}

std::string to_string(const fault& what) {
    return fmt::format(
        "{} {}{}{} after {} us{}{}{} for {} us, {}",
        names[static_cast<std::size_t>(what.what)],
        aims[static_cast<std::size_t>(what.at)],
        what.to_client ? "" : fmt::format("-{}", aims[static_cast<std::size_t>(what.other)]),
        what.outward ? "" : " inward",
        std::chrono::duration_cast<std::chrono::microseconds>(what.after).count(),
        what.when_protected ? " once whole" : "",
        what.step ? fmt::format(" at {}", testing::to_string(*what.step)) : "",
        what.message != 0 ? fmt::format(" at message {}", what.message) : "",
        std::chrono::duration_cast<std::chrono::microseconds>(what.lasts).count(),
        what.amount
    );
}

duration plan::recovery() const {
    const bool locked = std::any_of(faults.begin(), faults.end(), [](const fault& one) {
        return one.what == fault_kind::locked;
    });
    // Refused credentials are not tried again for a minute (F26): what is open serves on, but a
    // server that dies meanwhile, and its sessions with it, gets no other before.
    return locked ? 65s : 4s;
}

bool plan::begins_served() const noexcept {
    const bool misled = std::any_of(faults.begin(), faults.end(), [](const fault& one) {
        return one.what == fault_kind::stranger;
    });
    return scripted != nullptr || stale_partner || (mirrored() && misled);
}

std::string connection_string_of(const plan& what) {
    return fmt::format(
        "Mode=mirroring;{};"
        "Database=d;UID=u;Encrypt=disable;Pool_Min={};Pool_Max={};Pool_Warm={};"
        "Connect_Timeout=500ms;Watch_Interval=100ms;Watch_Timeout=200ms{}",
        servers_of(what),
        what.pool_min,
        what.pool_max,
        what.warm,
        what.remembers ? ";State_File=/state" : ""
    );
}

bool known_to(engine kind, fault_kind what) noexcept {
    constexpr std::array<fault_kind, 3> of_agents = {
        fault_kind::kill_keeper, fault_kind::stale, fault_kind::cancel_waiting};
    constexpr std::array<fault_kind, 3> of_partners = {
        fault_kind::suspend, fault_kind::safety_off, fault_kind::witness_off};
    const auto& others = kind == engine::sql_server ? of_agents : of_partners;
    return std::find(others.begin(), others.end(), what) == others.end();
}

plan draw(std::uint64_t seed) {
    seeded_chance chance(seed);
    plan made;
    made.seed = seed;
    made.order = static_cast<testing::manual_world::order>(chance.below(3));
    made.engine = draw_engine(chance);
    made.pool_max = static_cast<int>(1 + chance.below(5));
    made.pool_min = static_cast<int>(chance.below(static_cast<std::uint64_t>(made.pool_max) + 1));
    made.warm = static_cast<int>(chance.below(static_cast<std::uint64_t>(made.pool_max) + 1));
    made.writers = static_cast<int>(1 + chance.below(3));
    made.readers = static_cast<int>(chance.below(2));
    made.think = between(chance, 4ms, 30ms);
    made.patience = between(chance, 30ms, 250ms) + 12 * made.engine.link_delay;
    made.operates = percent(chance, 15);
    made.reconfigures = percent(chance, 6);
    made.reopens = percent(chance, 6);
    made.remembers = percent(chance, 20);
    const auto rates = swarm(chance);
    switch (chance.below(8)) {
    case 0: add_swizzle(chance, made); break;
    case 1: add_slow_drain(chance, made); break;
    case 2: add_split(chance, made); break;
    default: break;
    }
    add_storm(chance, made, static_cast<int>(2 + chance.below(3)));
    for (auto more = 1 + chance.below(3); more > 0; --more) {
        const auto place = chance.below(made.faults.size() + 1);
        made.faults.insert(
            made.faults.begin() + static_cast<std::ptrdiff_t>(place),
            any_fault(chance, pick(chance, rates))
        );
    }
    add_mistakes(made);
    if (seed >= sql_server_seeds)
        make_mirrored(made);
    return made;
}

}
