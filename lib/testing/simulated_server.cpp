// SPDX-License-Identifier: Apache-2.0
#include "testing/read_only.hpp"
#include "testing/simulated_statement.hpp"
#include "testing/simulation.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hadr::inline v0::testing {

namespace {

constexpr duration commit_pause = std::chrono::microseconds(10);
constexpr duration key_look = std::chrono::milliseconds(1);
constexpr std::string_view contains_word = "contains ";

bool starts(std::string_view text, std::string_view with) noexcept {
    return text.starts_with(with);
}

}

bool simulated_store::impl::alive(const wire& on) noexcept {
    if (!on.served)
        return false;
    if (on.with == site::witness)
        return witness_up && on.boot == witness_boot;
    const auto& at = served_by(on);
    return at.running && on.boot == at.boot;
}

void simulated_store::impl::admit(wire& on) {
    const bool witness = on.with == site::witness;
    if (witness ? !witness_up : !served_by(on).running && !served_by(on).starting) {
        on.admitted = make_failure(
            errc::unreachable, advice::retry, to_string(at(on.with)) + " refused the connection"
        );
        send(on, message::login_answer, 0);
        return;
    }
    soon(on, message::admit, rules.login_time);
}

void simulated_store::impl::decide_login(wire& on) {
    const bool witness = on.with == site::witness;
    const auto where = to_string(at(on.with));
    auto how = witness ? witness_door : served_by(on).door;
    auto& present = witness ? witness_served : served_by(on).served;
    if (how == door::open && !witness && served_by(on).starting)
        how = door::starting;
    if (how == door::open && present.size() >= static_cast<std::size_t>(rules.sessions_max))
        how = door::full;
    const auto rejected = [&](errc code, advice next, const char* sqlstate) {
        auto why = make_failure(code, next, where + " refused the login");
        why.sqlstate = sqlstate;
        return why;
    };
    if (witness ? !witness_up : !served_by(on).running && !served_by(on).starting) {
        on.admitted = make_failure(
            errc::unreachable, advice::retry, where + " closed the connection during the login"
        );
    } else if (how == door::full) {
        on.admitted = rejected(errc::rejected_by_server, advice::retry, "53300");
    } else if (how == door::starting) {
        on.admitted = rejected(errc::unreachable, advice::retry, "57P03");
    } else if (how == door::locked) {
        on.admitted = rejected(errc::rejected_by_server, advice::give_up, "28P01");
    } else if (on.client_gone) {
        return;
    } else {
        on.served = true;
        on.boot = witness ? witness_boot : served_by(on).boot;
        present.push_back(on.id);
        on.admitted = expected<void>();
    }
    send(on, message::login_answer, 0);
}

void simulated_store::impl::receive(wire& on, std::uint32_t number) {
    if (!alive(on)) {
        send(on, message::closed, 0);
        return;
    }
    on.serving = number;
    ++count.statements;
    if (!on.token.empty())
        step(commit_step::received, on.with, on.token);
    const auto takes = on.with == site::witness ? witness_answer_time : served_by(on).answer_time;
    soon(on, message::run, takes);
}

void simulated_store::impl::run(wire& on, std::uint32_t number) {
    if (!alive(on) || on.serving != number)
        return;
    on.how = expected<void>();
    if (on.with == site::witness)
        answer_witness(on);
    else
        execute(on, served_by(on));
}

void simulated_store::impl::execute(wire& on, node& at) {
    const std::string_view text = on.text;
    const bool ends = text == "ROLLBACK" || text == "reset";
    if (on.transaction == transaction_status::failed && !ends && text != "COMMIT") {
        refuse(on, errc::rejected_by_server, advice::retry, "25P02");
    } else if (starts(text, "BEGIN")) {
        on.transaction = transaction_status::open;
        finish(on, "BEGIN");
    } else if (text == "COMMIT") {
        const bool failed =
            std::exchange(on.transaction, transaction_status::idle) == transaction_status::failed;
        auto tokens = std::exchange(on.pending, {});
        if (failed || tokens.empty()) {
            on.token.clear(); // Nothing is committed.
            finish(on, failed ? "ROLLBACK" : "COMMIT");
        } else {
            begin_commit(on, at, std::move(tokens));
        }
    } else if (ends) {
        on.transaction = transaction_status::idle;
        on.pending.clear();
        on.read_only = on.read_only && text != "reset";
        on.touched = on.touched && text != "reset";
        finish(on, text == "reset" ? "DISCARD ALL" : "ROLLBACK");
    } else if (text == read_only_on || text == read_only_off) {
        on.read_only = text == read_only_on;
        finish(on, "SET");
    } else if (text.find("pg_is_in_recovery()") != std::string_view::npos) {
        describe(on, at);
    } else if (auto write = write_of(text); !write.token.empty()) {
        take_write(on, at, std::move(write));
    } else {
        on.touched = on.touched || starts(text, "SET ");
        read(on, at);
    }
}

void simulated_store::impl::read(wire& on, node& at) {
    const std::string_view text = on.text;
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    if (into != nullptr) {
        const auto seen = at.in_recovery ? at.log.size() : at.visible;
        const auto end = at.log.begin() + static_cast<std::ptrdiff_t>(seen);
        if (starts(text, contains_word)) {
            const bool there = std::any_of(at.log.begin(), end, [&](const record& one) {
                return one.token == text.substr(contains_word.size());
            });
            into->add_column("contains");
            into->add_value(there ? "t" : "f");
        } else if (text == "ledger") {
            into->add_column("token");
            std::for_each(at.log.begin(), end, [&](const record& one) {
                into->add_value(one.token);
            });
        } else {
            ask_test(on, *into);
        }
    }
    finish(on, "SELECT");
}

bool simulated_store::impl::ask_test(wire& on, answer& into) {
    if (answers)
        on.how = answers(on.text, into);
    if (!on.how && on.transaction == transaction_status::open)
        on.transaction = transaction_status::failed;
    return on.how.has_value();
}

void simulated_store::impl::take_write(wire& on, node& at, simulated_write what) {
    if (at.in_recovery || at.read_only || on.read_only) {
        refuse(on, errc::wrong_role, advice::retry, "25006");
        return;
    }
    if (what.once && key_of_another(on, at, what.token)) {
        // Until it is known what becomes of the other's.
        on.client_gone ? end_backend(on) : soon(on, message::run, key_look);
        return;
    }
    const auto there = [&](const record& one) { return one.token == what.token; };
    const auto again = [&](const std::string& one) { return one == what.token; };
    if (what.once && (std::any_of(at.log.begin(), at.log.end(), there) ||
                      std::any_of(on.pending.begin(), on.pending.end(), again))) {
        refuse(on, errc::rejected_by_server, advice::give_up, "23505");
        return;
    }
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    const bool own_word = starts(on.text, "append ");
    if (into != nullptr && !own_word && !ask_test(on, *into)) {
        finish(on, {});
        return;
    }
    append(on, at, std::move(what.token));
}

// An insert of the same key waits for a transaction that has it and is not over.
bool simulated_store::impl::key_of_another(const wire& on, const node& at, std::string_view key) {
    for (auto i = at.visible; i < at.log.size(); ++i)
        if (at.log[i].token == key)
            return true;
    return std::any_of(at.served.begin(), at.served.end(), [&](std::uint32_t id) {
        const auto& other = wires[id];
        return id != on.id &&
               std::find(other.pending.begin(), other.pending.end(), key) != other.pending.end();
    });
}

void simulated_store::impl::append(wire& on, node& at, std::string token) {
    if (on.transaction == transaction_status::open) {
        on.pending.push_back(std::move(token));
        finish(on, tag_of(on.text));
        return;
    }
    begin_commit(on, at, {std::move(token)});
}

void simulated_store::impl::begin_commit(wire& on, node& at, std::vector<std::string> tokens) {
    for (auto& one : tokens)
        at.log.push_back({++record_count, std::move(one)});
    on.commit_end = at.log.size();
    on.waiting = true;
    on.local = false;
    ++count.commits;
    step(commit_step::logged, at.which, on.token);
    if (!alive(on))
        return;
    if (!on.stranger)
        pump(at);
    release(at);
}

// Lets go on the commits that wait for nobody any more.
void simulated_store::impl::release(node& at) {
    for (const auto id : std::vector<std::uint32_t>(at.served)) {
        auto& on = wires[id];
        if (!on.waiting || !alive(on))
            continue;
        const bool replicated = at.replicated >= on.commit_end;
        if (at.synchronous && !replicated)
            continue;
        on.waiting = false;
        if (replicated)
            step(commit_step::replicated, at.which, on.token);
        if (alive(on))
            soon(on, message::show, commit_pause);
    }
}

void simulated_store::impl::show(wire& on) {
    if (!alive(on))
        return;
    auto& at = served_by(on);
    at.visible = std::max(at.visible, on.commit_end);
    step(commit_step::visible, at.which, on.token);
    if (alive(on))
        soon(on, message::reply, commit_pause);
}

void simulated_store::impl::answer_commit(wire& on) {
    if (!alive(on))
        return;
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    if (on.local && into != nullptr)
        into->add_notice(
            {"01000",
             "canceling wait for synchronous replication due to user request; the transaction has "
             "already committed locally, but might not have been replicated to the standby"}
        );
    finish(on, tag_of(on.text));
}

void simulated_store::impl::finish(wire& on, std::string_view tag) {
    on.tag = tag;
    on.after = on.transaction;
    const auto number = std::exchange(on.serving, 0);
    if (on.client_gone) {
        end_backend(on);
        return;
    }
    send(on, message::answer, number);
    if (!on.token.empty() && on.how && on.transaction == transaction_status::idle)
        step(commit_step::answered, on.with, on.token);
}

void simulated_store::impl::refuse(wire& on, errc code, advice next, std::string_view sqlstate) {
    auto why = make_failure(
        code,
        next,
        code == errc::wrong_role ? "the session is read-only" : "the server refused the statement"
    );
    why.sqlstate = sqlstate;
    on.how = std::move(why);
    if (on.transaction == transaction_status::open)
        on.transaction = transaction_status::failed;
    finish(on, {});
}

// The row of core's member_question.
void simulated_store::impl::describe(wire& on, const node& at) {
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    if (into != nullptr) {
        constexpr std::array<std::string_view, 10> names = {
            "recovery",
            "read_only",
            "system",
            "timeline",
            "replayed",
            "position",
            "waits",
            "standbys",
            "visible",
            "synchronous"};
        for (const auto name : names)
            into->add_column(name);
        char timeline[9] = {};
        std::snprintf(timeline, sizeof timeline, "%08X", static_cast<unsigned>(at.timeline));
        const bool primary = !at.in_recovery;
        const auto& standby = other(const_cast<node&>(at)); // NOLINT: of this store, not changed.
        const std::string_view standbys = standby.streaming && !on.stranger ? "1" : "0";
        const auto replayed = std::to_string(at.timeline);
        const auto position = std::to_string(50'000'000 + at.log.size() * 120);
        const auto only_primary = [&](std::string_view text) {
            return primary ? std::optional(text) : std::nullopt;
        };
        into->add_value(primary ? "f" : "t");
        into->add_value(!primary || at.read_only || on.read_only ? "on" : "off");
        into->add_value(at.lineage);
        into->add_value(only_primary(timeline));
        into->add_value(replayed);
        into->add_value(position);
        into->add_value(at.synchronous ? "t" : "f");
        into->add_value(only_primary(standbys));
        into->add_value(only_primary(standbys));
        into->add_value(only_primary(at.synchronous ? standbys : "0"));
    }
    finish(on, "SELECT 1");
}

void simulated_store::impl::answer_witness(wire& on) {
    auto* const into = on.client == nullptr ? nullptr : answer_of(*on.client);
    const std::string_view text = on.text;
    if (starts(text, "LISTEN"))
        on.listens = true;
    if (text.find("perform_failover(") != std::string_view::npos && !perform_failover()) {
        refuse(on, errc::rejected_by_server, advice::give_up, "55000");
        return;
    }
    if (into != nullptr &&
        text.find("pgautofailover.current_state('default', 0)") != std::string_view::npos) {
        constexpr std::array<std::string_view, 8> names = {
            "nodehost",
            "nodeport",
            "nodename",
            "current_group_state",
            "assigned_group_state",
            "health",
            "sysidentifier",
            "formationid"};
        for (const auto name : names)
            into->add_column(name);
        const auto& rows = stale ? *stale : known;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto where = at(nodes[i].which);
            into->add_value(where.host);
            into->add_value(std::to_string(where.port));
            into->add_value(to_string(nodes[i].which));
            into->add_value(to_string(rows[i].reported));
            into->add_value(to_string(rows[i].goal));
            into->add_value(rows[i].healthy() ? "1" : "0");
            into->add_value(nodes[i].lineage);
            into->add_value("default");
        }
    }
    finish(on, "SELECT");
}

void simulated_store::impl::end_backend(wire& on) {
    on.served = false;
    on.waiting = false;
    on.pending.clear();
    auto& present = on.with == site::witness ? witness_served : served_by(on).served;
    std::erase(present, on.id);
    recycle(on);
}

void simulated_store::impl::step(commit_step passed, site where, std::string_view token) {
    if (token.empty())
        return;
    const std::string kept(token); // What follows may end the session it is of.
    world.note(static_cast<std::uint64_t>(passed) * 8 + static_cast<std::uint64_t>(where));
    if (on_step)
        on_step(passed, where, kept);
    for (const auto& one : std::exchange(hooks[static_cast<std::size_t>(passed)], {}))
        one();
}

void simulated_store::impl::stop_server(node& at, bool with_words) {
    if (!at.running && !at.starting)
        return;
    at.running = at.starting = false;
    ++at.boot;
    for (const auto id : std::exchange(at.served, {})) {
        auto& on = wires[id];
        on.served = on.waiting = false;
        on.pending.clear();
        on.last_words = with_words;
        if (on.client_gone)
            recycle(on);
        else
            send(on, message::closed, 0);
    }
    auto& partner = other(at);
    if (partner.streaming)
        between(at.which, message::stream_ended, partner.stream);
    end_stream(at);
}

void simulated_store::impl::start_server(node& at) {
    if (at.running || at.starting)
        return;
    at.starting = true;
    work(at, rules.start_time, [this, which = &at] {
        if (!which->starting)
            return;
        which->starting = false;
        which->running = true;
        which->visible = which->log.size(); // Recovery shows all that was logged.
        try_stream(*which);
    });
}

void simulated_store::impl::set_synchronous(node& at, bool wanted) {
    at.synchronous = wanted;
    at.synchronous_from = at.log.size();
    if (!wanted && at.running)
        release(at);
}

int simulated_store::impl::cancel_waiting(node& at) {
    int cancelled = 0;
    for (const auto id : std::vector<std::uint32_t>(at.served)) {
        auto& on = wires[id];
        if (!on.waiting || !alive(on))
            continue;
        on.waiting = false;
        on.local = true;
        local_tokens.push_back(on.token);
        ++cancelled;
        soon(on, message::show, commit_pause);
    }
    return cancelled;
}

}
