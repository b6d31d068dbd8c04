// SPDX-License-Identifier: Apache-2.0
#include "testing/simulation.hpp"

#include <algorithm>

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
            errc::unreachable,
            advice::retry,
            to_string(simulated_store::at(on.with, rules.kind)) + " refused the connection"
        );
        send(on, message::login_answer, 0);
        return;
    }
    soon(on, message::admit, rules.login_time);
}

void simulated_store::impl::decide_login(wire& on) {
    const bool witness = on.with == site::witness;
    const auto where = to_string(simulated_store::at(on.with, rules.kind));
    auto how = witness ? witness_door : served_by(on).door;
    auto& present = witness ? witness_served : served_by(on).served;
    if (how == door::open && !witness && served_by(on).starting)
        how = door::starting;
    if (how == door::open && present.size() >= static_cast<std::size_t>(rules.sessions_max))
        how = door::full;
    const auto rejected = [&](refusal what) {
        auto why = failure_of(what);
        why.message = where + " refused the login";
        return why;
    };
    if (witness ? !witness_up : !served_by(on).running && !served_by(on).starting) {
        on.admitted = make_failure(
            errc::unreachable, advice::retry, where + " closed the connection during the login"
        );
    } else if (how == door::full) {
        on.admitted = rejected(refusal::full);
    } else if (how == door::starting) {
        on.admitted = rejected(refusal::starting);
    } else if (how == door::locked) {
        on.admitted = rejected(refusal::locked);
    } else if (on.client_gone) {
        return;
    } else if (auto closed = closed_to(on)) {
        on.admitted = std::move(*closed);
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
        refuse(on, refusal::failed_transaction);
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
    } else if (takes(on, at)) {
        return;
    } else if (auto write = written_by(text); !write.token.empty()) {
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
    if (!on.how)
        on.transaction = after_failure(on.transaction);
    return on.how.has_value();
}

void simulated_store::impl::take_write(wire& on, node& at, simulated_write what) {
    if (const auto why = forbids_write(on, at)) {
        refuse(on, *why);
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
        refuse(on, refusal::duplicate);
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

void simulated_store::impl::refuse(wire& on, refusal what) {
    fail(on, failure_of(what));
}

void simulated_store::impl::fail(wire& on, failure why) {
    on.how = std::move(why);
    on.transaction = after_failure(on.transaction);
    finish(on, {});
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
    stopped(at);
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
        started(*which);
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

}
