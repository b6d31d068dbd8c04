// SPDX-License-Identifier: Apache-2.0
#include "simulation/scripts.hpp"

#include "simulation/workload.hpp"

#include <array>

namespace hadr::test {

namespace {

using testing::site;

time_point soon(workload& by, duration within = 80ms) {
    return by.world().now() + within;
}

expected<lease> take(workload& by, intent wanted, duration within = 80ms, bool fallback = true) {
    const auto end = soon(by, within);
    const auto call = by.judge().begins(wanted, end);
    auto held = by.manager().acquire(
        {.intent = wanted, .until = deadline::at(end), .primary_fallback = fallback}
    );
    by.judge().acquired(call, held);
    return held;
}

void ask(workload& by, lease& on, std::string_view text) {
    const auto end = soon(by);
    answer brought;
    static_cast<void>(on.execute({text}, brought, deadline::at(end)));
    by.judge().back_by(end, text);
}

void with_session(workload& by, intent wanted, std::string_view text, bool fallback = true) {
    if (auto held = take(by, wanted, 80ms, fallback)) {
        if (!text.empty())
            ask(by, *held, text);
        by.judge().returns(*held);
    }
}

void append_repeatedly(workload& by, int times) {
    for (int i = 0; i < times; ++i)
        by.append_alone(by.token(), soon(by));
}

void many_in_one_transaction(workload& by) {
    const auto end = soon(by);
    std::array<std::string, 3> tokens = {by.token(), by.token(), by.token()};
    const auto how =
        by.manager().transact({.until = deadline::at(end)}, [&](lease& on) -> expected<void> {
            for (const auto& one : tokens) {
                answer brought;
                const auto text = "append " + one;
                if (auto ran = on.execute({text}, brought, deadline::at(end)); !ran)
                    return ran;
            }
            return {};
        });
    by.judge().back_by(end, "transact");
    for (const auto& one : tokens)
        by.judge().wrote(
            one,
            how.ended == outcome::committed         ? told::committed
            : how.ended == outcome::committed_local ? told::local
            : how.ended == outcome::in_doubt        ? told::in_doubt
                                                    : told::not_committed
        );
}

void rolled_back(workload& by) {
    const auto token = by.token();
    const auto end = soon(by);
    static_cast<void>(by.manager().transact(
        {.until = deadline::at(end)},
        [&](lease& on) -> expected<void> {
            answer brought;
            const auto text = "append " + token;
            static_cast<void>(on.execute({text}, brought, deadline::at(end)));
            return make_failure(errc::stopped, advice::give_up, "the application changed its mind");
        }
    ));
    by.judge().back_by(end, "transact");
    by.judge().wrote(token, told::not_committed);
}

void left_open(workload& by) {
    const auto token = by.token();
    if (auto held = take(by, intent::write)) {
        ask(by, *held, "BEGIN");
        ask(by, *held, "append " + token);
        by.judge().returns(*held); // Its transaction goes with it (P6).
    }
    by.judge().wrote(token, told::not_committed);
    append_repeatedly(by, 1);
}

void taken_at_once(workload& by) {
    if (auto one = take(by, intent::write)) { // It was idle; another one needs a login.
        with_session(by, intent::write, {});
        by.judge().returns(*one);
    }
}

void held_idle(workload& by) {
    if (auto held = take(by, intent::write)) {
        by.pause(20ms);
        ask(by, *held, "contains t1");
        by.pause(20ms);
        by.judge().returns(*held);
    }
}

void severed(workload& by) {
    auto held = take(by, intent::write);
    if (!held)
        return;
    by.beside([&by, &on = *held] {
        by.pause(500us);
        on.sever();
    });
    ask(by, *held, "ledger");
    by.pause(1ms);
    by.judge().returns(*held);
}

// C6: a cancel beside a commit is refused, since it could make that commit a local one.
void cancelled(workload& by) {
    const auto token = by.token();
    auto held = take(by, intent::write);
    if (!held) {
        by.judge().wrote(token, told::not_committed);
        return;
    }
    bool over = false;
    by.beside([&by, &over, &on = *held] {
        by.pause(6ms);
        static_cast<void>(on.request_cancel(deadline::at(soon(by))));
        over = true;
    });
    const auto end = soon(by);
    answer brought;
    const auto text = "append " + token;
    const auto how = held->execute({text}, brought, deadline::at(end));
    by.judge().back_by(end, text);
    by.judge().wrote(token, outcome_of(how, brought));
    while (!over)
        by.pause(1ms);
    by.judge().returns(*held);
}

void queued_writers(workload& by) {
    for (int i = 0; i < 4; ++i)
        by.beside([&by] { append_repeatedly(by, 2); });
}

void planned(workload& by) {
    const auto end = soon(by);
    if (const auto made = by.manager().plan({}))
        static_cast<void>(by.manager().execute(*made, deadline::at(end)));
    by.judge().back_by(end, "an operation");
    append_repeatedly(by, 1);
}

void taken_out(workload& by) {
    static_cast<void>(by.manager().offline(by.of().at(site::one)));
    by.append_alone(by.token(), soon(by, 20ms));
    static_cast<void>(by.manager().online(by.of().at(site::one)));
    append_repeatedly(by, 1);
}

void reconfigured(workload& by) {
    plan wider;
    wider.engine = by.of().engine;
    wider.pool_max = 4;
    by.judge().reconfigured(wider.pool_max);
    static_cast<void>(by.manager().reconfigure(connection_string_of(wider) + ";Idle_Limit=9min"));
    append_repeatedly(by, 2);
}

void reads_and_writes(workload& by) {
    by.beside([&by] { with_session(by, intent::read, "ledger"); });
    append_repeatedly(by, 1);
    with_session(by, intent::read, "contains t1");
}

void stopped(workload& by) {
    std::stop_source stop;
    by.beside([&by, stop]() mutable {
        by.pause(1ms);
        stop.request_stop();
    });
    auto all = std::array<expected<lease>, 3>{
        take(by, intent::write), take(by, intent::write), take(by, intent::write)};
    static_cast<void>(
        by.manager().acquire({.until = deadline::at(soon(by)), .stop = stop.get_token()})
    );
    for (auto& one : all)
        if (one)
            by.judge().returns(*one);
}

// clang-format off
constexpr std::array<script, 23> scripts = {{
    {"one append", [](workload& by) { append_repeatedly(by, 1); }},
    {"three appends", [](workload& by) { append_repeatedly(by, 3); }},
    {"one transaction", [](workload& by) { by.append_in_transaction(by.token(), soon(by)); }},
    {"two transactions", [](workload& by) { for (int i = 0; i < 2; ++i) by.append_in_transaction(by.token(), soon(by)); }},
    {"three appends in one transaction", many_in_one_transaction},
    {"a commit by hand", [](workload& by) { by.append_by_hand(by.token(), soon(by)); }},
    {"a transaction given up", rolled_back},
    {"a transaction left open", left_open},
    {"two sessions taken and returned", taken_at_once},
    {"a session held idle", held_idle},
    {"a session cut by its owner", severed},
    {"a write cancelled under way", cancelled},
    {"a dirty session", [](workload& by) { with_session(by, intent::write, "SET search_path = x"); append_repeatedly(by, 1); }},
    {"a read", [](workload& by) { with_session(by, intent::read, "contains t1"); }},
    {"a read on the mirror alone", [](workload& by) { with_session(by, intent::read, "ledger", false); }},
    {"reads beside writes", reads_and_writes},
    {"more writers than sessions", queued_writers},
    {"a deadline too short", [](workload& by) { by.append_alone(by.token(), soon(by, 1ms)); append_repeatedly(by, 1); }},
    {"a planned failover", planned},
    {"the primary taken offline", taken_out},
    {"another configuration", reconfigured},
    {"closed and opened again", [](workload& by) { by.reopen(); append_repeatedly(by, 1); }},
    {"a caller who is stopped", stopped},
}};
// clang-format on

}

std::span<const script> all_scripts() {
    return scripts;
}

}
