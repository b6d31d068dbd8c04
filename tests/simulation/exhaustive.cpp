// SPDX-License-Identifier: Apache-2.0
#include "simulation/exhaustive.hpp"

#include "simulation/processes.hpp"
#include "simulation/scenario.hpp"
#include "simulation/scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace hadr::test {

namespace {

constexpr std::uint64_t shown_max = 5;

enum class reach : unsigned char {
    everyone, ///< The primary, the mirror, the witness.
    servers,  ///< The witness has no such thing.
    links,    ///< Between any two, one way and the other.
    pairs,    ///< Between any two, both ways at once.
    primary,
    mirror,
    whole, ///< The store as a whole, or its client.
};

reach reach_of(fault_kind what) {
    switch (what) {
    case fault_kind::kill:
    case fault_kind::freeze:
    case fault_kind::reset:
    case fault_kind::slow:
    case fault_kind::full:
    case fault_kind::starting:
    case fault_kind::locked:
    case fault_kind::names_lost:
    case fault_kind::names_dead: return reach::everyone;
    case fault_kind::suspend:
    case fault_kind::safety_off:
    case fault_kind::witness_off:
    case fault_kind::kill_server: // An agent and a server that it starts again.
    case fault_kind::kill_keeper:
    case fault_kind::stranger: return reach::servers; // The witness proves no lineage of its own.
    case fault_kind::cut:
    case fault_kind::delay:
    case fault_kind::loss: return reach::links;
    case fault_kind::split: return reach::pairs;
    case fault_kind::cancel_waiting: return reach::primary; // None waits on a mirror.
    case fault_kind::promote_apart: return reach::mirror;   // A primary that runs is one.
    case fault_kind::stale:
    case fault_kind::switch_over:
    case fault_kind::pause:
    case fault_kind::rebuild: return reach::whole;
    }
    return reach::whole;
}

void add_between(std::vector<fault>& to, fault one, bool both_ways_at_once) {
    constexpr std::array<std::pair<aim, aim>, 3> servers = {
        {{aim::primary, aim::mirror}, {aim::primary, aim::witness}, {aim::mirror, aim::witness}}};
    const auto add = [&] {
        one.outward = true;
        to.push_back(one);
        if (both_ways_at_once)
            return;
        one.outward = false;
        to.push_back(one);
    };
    one.to_client = true;
    for (const auto at : {aim::primary, aim::mirror, aim::witness}) {
        one.at = at;
        add();
    }
    one.to_client = false;
    for (const auto& [at, other] : servers) {
        one.at = at;
        one.other = other;
        add();
    }
}

void add_kind(std::vector<fault>& to, fault one) {
    const auto add = [&](std::initializer_list<aim> all) {
        for (const auto at : all) {
            one.at = at;
            to.push_back(one);
        }
    };
    switch (reach_of(one.what)) {
    case reach::everyone: add({aim::primary, aim::mirror, aim::witness}); break;
    case reach::servers: add({aim::primary, aim::mirror}); break;
    case reach::links: add_between(to, one, false); break;
    case reach::pairs: add_between(to, one, true); break;
    case reach::primary: add({aim::primary}); break;
    case reach::mirror: add({aim::mirror}); break;
    case reach::whole: add({aim::primary}); break;
    }
}

// Every kind of fault, at each part of the store that it can meet.
std::vector<fault> every_fault(engine of) {
    std::vector<fault> made;
    for (std::size_t i = 0; i < fault_kinds; ++i) {
        const auto kind = static_cast<fault_kind>(i);
        if (known_to(of, kind))
            add_kind(made, {.what = kind, .lasts = 100ms, .amount = 30});
    }
    return made;
}

const std::vector<fault>& every_fault(const plan& of) {
    static const std::array<std::vector<fault>, 2> all = {
        every_fault(engine::postgresql), every_fault(engine::sql_server)};
    return all[of.mirrored() ? 1 : 0];
}

plan plan_of(const script& what, bool mirrored) {
    plan made = draw(mirrored ? sql_server_seeds + 1 : 1);
    made.engine.has_witness = true;
    made.order = testing::manual_world::order::round_robin;
    made.pool_min = 1;
    made.pool_max = 2;
    made.warm = 1;
    made.operates = made.reconfigures = made.reopens = false;
    made.faults.clear();
    made.scripted = &what;
    return made;
}

plan with_fault(plan what, std::uint64_t message, std::size_t number) {
    what.faults = {every_fault(what)[number]};
    what.faults[0].message = message;
    return what;
}

std::string words_of(const plan& of, std::uint64_t message, std::size_t fault) {
    return fmt::format(
        "--script '{}'{} --point {} --fault {}",
        of.scripted->name,
        of.mirrored() ? " --mirrored" : "",
        message,
        fault
    );
}

bool judged(const plan& what, const std::string& words, std::uint64_t shown) {
    const auto how = run(what);
    if (how.broken.empty())
        return true;
    if (shown < shown_max) {
        fmt::print("FAILED hadr_simulation {}: {}\n", words, to_string(what.faults[0]));
        for (const auto& why : how.broken)
            fmt::print("  {}\n", why);
        std::fflush(stdout);
    }
    return false;
}

}

exhausted run_exhaustive(std::uint64_t job, std::uint64_t jobs) {
    exhausted made;
    std::uint64_t number = 0;
    const auto run_points = [&](const plan& what) {
        const auto messages = run(what).messages;
        if (messages == 0) {
            fmt::print(
                "FAILED: script '{}' has no point at which a fault could strike\n",
                what.scripted->name
            );
            ++made.violations;
        }
        for (std::uint64_t point = 1; point <= messages; ++point)
            for (std::size_t i = 0; i < every_fault(what).size(); ++i) {
                if (number++ % jobs != job)
                    continue;
                ++made.points;
                const auto words = words_of(what, point, i);
                about_to_run(words);
                if (!judged(with_fault(what, point, i), words, made.violations))
                    ++made.violations;
            }
    };
    for (const auto& one : all_scripts()) {
        run_points(plan_of(one, false));
        run_points(plan_of(one, true));
    }
    return made;
}

int replay_point(const point& which) {
    const auto all = all_scripts();
    const auto found = std::find_if(all.begin(), all.end(), [&](const script& one) {
        return one.name == which.script;
    });
    const bool there = found != all.end();
    const auto what = plan_of(there ? *found : all.front(), which.mirrored);
    if (!there || which.fault >= every_fault(what).size()) {
        fmt::print(stderr, "there is no script '{}', or no fault {}\n", which.script, which.fault);
        return 2;
    }
    const auto struck = with_fault(what, which.message, which.fault);
    fmt::print("fault: {}\n", to_string(struck.faults[0]));
    return judged(struck, words_of(what, which.message, which.fault), 0) ? 0 : 1;
}

}
