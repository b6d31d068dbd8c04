// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::runtime {

namespace {

/// The sessions of one member, as far as they answer why there is none now.
struct supply {
    int idle = 0; ///< That may be lent for what is wanted.
    int lent = 0;
    int maximum = 0;
    std::optional<failure> refused; ///< The last login, if it failed.

    bool some() const noexcept { return lent < maximum && (idle > 0 || !refused); }
};

supply supply_of(const snapshot& now, std::size_t member, std::uint64_t acceptance) {
    supply made;
    if (member >= now.pools.size())
        return made;
    auto& pool = *now.pools[member];
    made.maximum = static_cast<int>(pool.slots().size());
    made.lent = pool.count(slot_state::lent);
    for (const auto* old : now.replaced)
        made.lent += old->at == pool.at ? old->count(slot_state::lent) : 0;
    for (const auto& one : pool.slots()) {
        const bool fits = one.reign() != 0 ? one.reign() == acceptance
                                           : one.reading.load() == pool.reading.load();
        made.idle += fits && one.state.load() == slot_state::idle ? 1 : 0;
    }
    made.refused = now.login_failed[member];
    return made;
}

std::string describe_member(const topology& view, std::size_t index) {
    const auto& one = view.members[index];
    if (view.writer == index)
        return "primary";
    if (one.offline)
        return "offline by an operator";
    if (one.trouble)
        return one.trouble->message;
    if (one.refused)
        return "refused: of an older epoch or another lineage";
    if (one.plays == role::unknown)
        return "no answer yet";
    return std::string(to_string(one.plays));
}

std::string describe(const snapshot& now, std::size_t index, const supply& there) {
    if (index < now.blocked.size() && now.blocked[index])
        return to_string(*now.blocked[index]);
    auto made = describe_member(*now.view, index);
    if (there.lent > 0)
        made += fmt::format("; {} of {} sessions lent", there.lent, there.maximum);
    if (there.refused)
        made += "; the last login failed: " + to_string(*there.refused);
    return made;
}

}

failure store::none_in_time(const request& wanted) const {
    const auto now = current();
    const auto& view = *now->view;
    const bool write = wanted.intent == intent::write;
    const auto number = acceptance_.load();
    std::string tried;
    for (std::size_t i = 0; i < view.members.size(); ++i)
        tried += fmt::format(
            "{}{} ({})",
            i == 0 ? "" : ", ",
            to_string(view.members[i].at),
            describe(*now, i, supply_of(*now, i, number))
        );
    const bool have = write ? view.writer.has_value() : !tried.empty();
    return make_failure(
        errc::deadline_exceeded,
        advice::retry,
        have ? fmt::format("no session became free in time among {}", tried)
             : fmt::format(
                   "no primary among {}{}{}", tried, view.cause.empty() ? "" : ": ", view.cause
               )
    );
}

explanation store::explain(intent wanted) const {
    const auto now = current();
    const auto& view = *now->view;
    const bool write = wanted == intent::write;
    const auto number = acceptance_.load();
    explanation made;
    for (std::size_t i = 0; i < view.members.size(); ++i) {
        const auto& one = view.members[i];
        const bool eligible =
            write ? view.writer == i
                  : !one.refused && !one.offline && !one.trouble &&
                        ((one.plays == role::standby && one.serves_reads) || view.writer == i);
        const auto there = supply_of(*now, i, number);
        made.candidates.push_back({one.at, eligible, describe(*now, i, there)});
        made.available = made.available || (eligible && there.some());
    }
    const auto refusal = refused_at_once({.intent = wanted});
    if (refusal)
        made.available = false;
    made.summary = refusal ? to_string(*refusal)
                   : made.available
                       ? fmt::format("a {} session can be had", write ? "write" : "read")
                       : to_string(none_in_time({.intent = wanted}));
    return made;
}

}
