// SPDX-License-Identifier: Apache-2.0
#include "core/allowed_actions.hpp"
#include "core/connection_schedule.hpp"
#include "core/epoch_order.hpp"
#include "core/policy.hpp"
#include "core/service_level.hpp"
#include "support/vector_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace hadr::test {

namespace {

constexpr time_point level_start{std::chrono::hours(24)};

std::string shown_time(duration length) {
    const auto whole = std::chrono::duration_cast<std::chrono::nanoseconds>(length).count();
    return whole % 1'000'000 == 0 ? fmt::format("{} ms", whole / 1'000'000)
                                  : fmt::format("{} ns", whole);
}

void must_contain(
    std::string_view field,
    const std::vector<std::string>& wanted,
    const std::string& in,
    std::vector<std::string>& wrong
) {
    for (const auto& one : wanted)
        if (in.find(one) == std::string::npos)
            wrong.push_back(fmt::format("{}: '{}' is not in '{}'", field, one, in));
}

epoch read_epoch(const entry& of) {
    fields all(of);
    epoch made;
    if (const auto lineage = all.take("lineage"))
        made.lineage = lineage->text();
    if (const auto term = all.take("term"))
        made.term = term->number(0xFFFF'FFFF);
    if (const auto fork = all.take("fork"))
        made.fork = fork->text();
    if (const auto revision = all.take("revision"))
        made.revision = revision->number(0xFFFF'FFFF);
    all.finish();
    return made;
}

/// What a policy vector expects.
struct policy_wish {
    std::vector<std::string> refused; ///< Ids that the refusal names; none: it is allowed.
    std::string overridden_by;        ///< The one override that would allow it.
    std::vector<std::string> warns;
    std::vector<std::string> silent;
};

// Against a refusal stands the override that it names, and the warning stays.
void check_override(
    const store_specification& store, const policy_wish& wish, std::vector<std::string>& wrong
) {
    auto knowingly = store;
    knowingly.policy_overrides.push_back(wish.overridden_by);
    const auto made = core::check_policy(knowingly);
    if (!made)
        wrong.push_back("against the override: " + made.error().message);
    else
        must_contain(
            "warnings of the override",
            wish.refused,
            fmt::format("{}", fmt::join(*made, "; ")),
            wrong
        );
}

std::vector<std::string>
policy_differences(const store_specification& store, const policy_wish& wish) {
    std::vector<std::string> wrong;
    const auto made = core::check_policy(store);
    if (made.has_value() != wish.refused.empty()) {
        wrong.push_back(made ? "is allowed" : made.error().message);
        return wrong;
    }
    if (!made) {
        must_contain("refused", wish.refused, made.error().message, wrong);
        if (!wish.overridden_by.empty()) {
            must_contain("override", {wish.overridden_by}, made.error().message, wrong);
            check_override(store, wish, wrong);
        }
        return wrong;
    }
    const auto warnings = fmt::format("{}", fmt::join(*made, "; "));
    must_contain("warns", wish.warns, warnings, wrong);
    for (const auto& one : wish.silent)
        if (warnings.find(one) != std::string::npos)
            wrong.push_back(fmt::format("silent: '{}' is in '{}'", one, warnings));
    return wrong;
}

struct level_step {
    duration at{};
    bool writable = false;
    std::string level;
    std::optional<std::string> next_change; ///< When time alone changes it, or "never".
};

level_step read_level_step(const entry& of) {
    fields all(of);
    level_step made;
    made.at = all.need("at").time();
    made.writable = all.need("primary").word({"there", "away"}) == "there";
    fields then(all.need("then"));
    all.finish();
    made.level = then.need("level").word({"full", "riding_out", "resiliency"});
    if (const auto next = then.take("next_change"))
        made.next_change = next->null() ? "never" : shown_time(next->time());
    then.finish();
    return made;
}

std::vector<std::string>
level_differences(const core::level_rules& rules, const std::vector<level_step>& story) {
    std::vector<std::string> wrong;
    core::standing is;
    for (const auto& one : story) {
        is = core::next(is, one.writable, level_start + one.at, rules);
        const auto when = shown_time(one.at);
        compare("level at " + when, one.level, to_string(is.level), wrong);
        const auto wake = core::wake_at(is, rules);
        if (one.next_change)
            compare(
                "next_change at " + when,
                *one.next_change,
                wake ? shown_time(*wake - level_start) : "never",
                wrong
            );
    }
    return wrong;
}

core::mirroring_situation read_situation(fields& of) {
    core::mirroring_situation made;
    made.synchronous = of.need("safety").word({"full", "off"}) == "full";
    const auto replication =
        of.need("replication").word({"unknown", "synchronized", "synchronizing", "suspended"});
    made.replication = replication == "synchronized"    ? synchrony::synchronized
                       : replication == "synchronizing" ? synchrony::synchronizing
                       : replication == "suspended"     ? synchrony::suspended
                                                        : synchrony::unknown;
    const auto witness = of.need("witness").word({"none", "unknown", "connected", "lost"});
    made.witness = witness == "none"        ? witness_state::none
                   : witness == "connected" ? witness_state::connected
                   : witness == "lost"      ? witness_state::lost
                                            : witness_state::unknown;
    made.primary_connected = of.need("primary").word({"connected", "lost"}) == "connected";
    return made;
}

void check_action(
    std::string_view field,
    const std::string& wanted,
    const std::optional<std::string>& refusal,
    std::vector<std::string>& wrong
) {
    if (wanted == "allowed" || !refusal)
        compare(field, wanted, refusal.value_or("allowed"), wrong);
    else
        must_contain(field, {wanted}, *refusal, wrong);
}

struct wanted_attempt {
    int n = 0;
    std::string is;
};

std::string shown_attempt(int round, std::string_view partner, duration slice, duration pause) {
    return fmt::format(
        "round {}, {} partner, {}, pause {}", round, partner, shown_time(slice), shown_time(pause)
    );
}

wanted_attempt read_attempt(const entry& of) {
    fields all(of);
    const auto n = static_cast<int>(all.need("n").number(1'000'000));
    const auto round = static_cast<int>(all.need("round").number(1'000'000));
    const auto partner = all.need("partner").word({"initial", "failover"});
    const auto slice = all.need("slice").time();
    const auto pause = all.need("pause").time();
    all.finish();
    return {n, shown_attempt(round, partner, slice, pause)};
}

}

void compare(
    std::string_view field,
    std::string_view wanted,
    std::string_view is,
    std::vector<std::string>& into
) {
    if (wanted != is)
        into.push_back(fmt::format("{}: expected '{}', is '{}'", field, wanted, is));
}

vector_check read_epoch_vector(fields& of, const shared_part& /*with*/) {
    auto a = read_epoch(of.need("this"));
    auto b = read_epoch(of.need("against"));
    auto order = of.need("is").word({"same", "older", "newer", "unordered", "foreign"});
    return [a = std::move(a), b = std::move(b), order = std::move(order)] {
        std::vector<std::string> wrong;
        compare("is", order, to_string(core::compare(a, b)), wrong);
        return wrong;
    };
}

vector_check read_policy_vector(fields& of, const shared_part& with) {
    const auto string = of.need("store");
    auto store = parsed(string, with.string + string.text());
    policy_wish wish;
    fields then(of.need("then"));
    if (const auto refused = then.take("refused")) {
        wish.refused = refused->texts();
        if (wish.refused.empty())
            refused->wrong("names no rule");
        if (const auto by = then.take("overridden_by"))
            wish.overridden_by = by->text();
    } else {
        static_cast<void>(then.need("allowed").word({"yes"}));
        if (const auto warns = then.take("warns"))
            wish.warns = warns->texts();
        if (const auto silent = then.take("silent"))
            wish.silent = silent->texts();
    }
    then.finish();
    return [store = std::move(store), wish = std::move(wish)] {
        return policy_differences(store, wish);
    };
}

vector_check read_level_vector(fields& of, const shared_part& with) {
    const auto keys = of.take("keys");
    const auto store = parsed(of.all(), with.string + (keys ? keys->text() : ""));
    const core::level_rules rules{store.ride_out, store.recovery_hold};
    std::vector<level_step> story;
    const auto steps = of.need("story");
    for (const auto& one : steps.items()) {
        story.push_back(read_level_step(one));
        if (story.size() > 1 && story.back().at < story[story.size() - 2].at)
            one.wrong("is earlier than the step before");
    }
    if (story.empty())
        steps.wrong("has no step");
    return [rules, story = std::move(story)] { return level_differences(rules, story); };
}

vector_check read_action_vector(fields& of, const shared_part& /*with*/) {
    const auto at = read_situation(of);
    fields then(of.need("then"));
    auto planned = then.need("planned").text();
    auto forced = then.need("forced").text();
    then.finish();
    return [at, planned = std::move(planned), forced = std::move(forced)] {
        std::vector<std::string> wrong;
        const auto refusal = [&](operation_kind what) { return core::refusal(at, what); };
        check_action("planned", planned, refusal(operation_kind::planned_failover), wrong);
        check_action("forced", forced, refusal(operation_kind::forced_failover), wrong);
        return wrong;
    };
}

vector_check read_schedule_vector(fields& of, const shared_part& /*with*/) {
    const auto timeout = of.need("login_timeout").time();
    std::vector<wanted_attempt> attempts;
    const auto all = of.need("attempts");
    for (const auto& one : all.items())
        attempts.push_back(read_attempt(one));
    if (attempts.empty())
        all.wrong("has no attempt");
    return [timeout, attempts = std::move(attempts)] {
        std::vector<std::string> wrong;
        for (const auto& one : attempts) {
            const auto made = core::nth_attempt(one.n, timeout);
            const auto* partner = made.partner == 0 ? "initial" : "failover";
            compare(
                fmt::format("attempt {}", one.n),
                one.is,
                shown_attempt(made.round, partner, made.slice, made.pause_before),
                wrong
            );
        }
        return wrong;
    };
}

}
