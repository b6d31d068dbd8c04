// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/allow_list.hpp"
#include "core/epoch_order.hpp"
#include "core/mark.hpp"
#include "mirroring/vigilance.hpp"

#include <hadr/ha_adapter.hpp>
#include <hadr/store.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

// What a mirrored pair of any engine needs to be followed, over what its servers say of themselves.
namespace hadr::inline v0::mirroring {

/// Learned partners beyond it are left out: an engine must not be able to exhaust us (X7).
inline constexpr std::size_t places_max = 16;

/// Member: a member_watch with the facts that its server's last answer gave, if any.
template <class Member>
struct pair_evidence : belief::memory, vigilance {
    /// Where the members are: those of the specification, then partners learned from the engine or
    /// remembered (C43, C47). An index never changes its meaning.
    std::vector<endpoint> places;
    std::vector<Member> members;          ///< By place.
    std::optional<std::size_t> overruled; ///< Member whose epoch an operator accepts.
    std::optional<std::size_t>
        proven;             ///< The last writer, while its facts have not been lost since.
    bool forgetful = false; ///< What a former process accepted cannot be read.
    bool recalled = false;  ///< The epoch accepted was remembered by an earlier process.
};

/// "primary", "mirror", "partner 3".
std::string fixed_name(std::size_t place);

/// A partner that the engine names, as far as it is allowed (X3).
template <class Member>
void learn(pair_evidence<Member>& into, const endpoint& at, const store_specification& store) {
    const auto found = std::find(into.places.begin(), into.places.end(), at);
    if (found != into.places.end()) {
        into.members[static_cast<std::size_t>(found - into.places.begin())].dropped = false;
        return;
    }
    if (into.places.size() >= places_max || !core::allowed(at, store.partners_allowed))
        return;
    core::mark<"partner learned">();
    into.places.push_back(at);
    into.members.emplace_back();
}

template <class Member>
void take_memory(
    pair_evidence<Member>& into,
    const remembered& event,
    topology& was,
    const store_specification& store
) {
    into.forgetful = event.highest.lineage.empty();
    const bool higher =
        !was.accepted || core::compare(event.highest, *was.accepted) == epoch_order::newer;
    if (!into.forgetful && higher) {
        core::mark<"epoch recalled">();
        was.accepted = event.highest;
        was.accepted->strength = proof::none;
        into.recalled = true;
    }
    for (const auto& at : event.members)
        learn(into, at, store);
}

template <class Member>
void take_ruling(pair_evidence<Member>& into, const ruled& event) {
    if (event.member >= into.members.size())
        return;
    switch (event.what) {
    case ruled::verdict::offline: into.members[event.member].offline = true; return;
    case ruled::verdict::online: into.members[event.member].offline = false; return;
    case ruled::verdict::accept_lineage:
        into.overruled = event.member;
        for (auto& one : into.members)
            one.outruled = one.facts && one.facts->claims()
                               ? std::optional(reign_of(*one.facts, proof::none))
                               : std::nullopt;
        into.members[event.member].outruled.reset();
        return;
    }
}

/// Suspects whoever is in trouble since the event; partners may have been learned by it.
template <class Member>
void suspect_troubled(
    pair_evidence<Member>& into, const std::vector<Member>& before, time_point now
) {
    for (std::size_t i = 0; i < before.size(); ++i)
        if (into.members[i].trouble && !before[i].trouble)
            trouble_begins(into, i, now);
}

/// E10, F14: the writer's proof outlives an hour offline or read-only, but neither a death nor a
/// claimant that is not of an older epoch.
template <class Member>
void keep_proof(pair_evidence<Member>& into, const topology& is) {
    if (is.writer) {
        into.proven = is.writer;
        into.forgetful = false;
        into.recalled = false; // The memory of a former process has served.
        return;
    }
    for (std::size_t i = 0; i < is.members.size(); ++i) {
        const auto& one = is.members[i];
        if (into.proven != i && one.plays == role::primary && is.accepted && one.reign &&
            core::compare(*one.reign, *is.accepted) != epoch_order::older)
            into.proven.reset();
    }
}

/// What a decision leaves behind for the next one.
template <class Member>
void settle(pair_evidence<Member>& into, const topology& is, time_point now) {
    if (is.writer && into.overruled == is.writer)
        into.overruled.reset(); // Its epoch is the accepted one now.
    const bool served = is.writer && !is.members[*is.writer].trouble;
    into.without = served ? std::nullopt : std::optional(into.without.value_or(now));
    keep_proof(into, is);
}

}
