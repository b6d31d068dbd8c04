// SPDX-License-Identifier: Apache-2.0
#include "simulation/workload.hpp"

#include "core/mark.hpp"

namespace hadr::test {

using testing::seeded_chance;
using testing::site;

namespace {

told outcome_of(const commit_result& how) {
    switch (how.ended) {
    case outcome::committed: return told::committed;
    case outcome::committed_local: return told::local;
    case outcome::not_committed: return told::not_committed;
    case outcome::in_doubt: return told::in_doubt;
    }
    return told::nothing;
}

}

// What is definite is on a list; everything else may have happened (C7, C8).
told outcome_of(const expected<void>& how, const answer& brought) {
    if (how)
        return brought.notices().empty() ? told::committed : told::local;
    return how.error().code == errc::outcome_unknown ? told::in_doubt : told::not_committed;
}

workload::workload(parts with) : with_(std::move(with)) {}

void workload::begin(std::string name, void (workload::*turn)(seeded_chance&)) {
    ++running_;
    const auto seed = with_.of.seed * 64 + static_cast<std::uint64_t>(running_);
    with_.world.start(std::move(name), [this, turn, seed] {
        seeded_chance chance(seed);
        while (!stopping_) {
            (this->*turn)(chance);
            rest(with_.of.think, chance);
        }
        --running_;
    });
}

void workload::beside(std::function<void()> what) {
    ++running_;
    with_.world.start("script", [this, what = std::move(what)] {
        what();
        --running_;
    });
}

void workload::pause(duration length) {
    const auto until = with_.world.now() + length;
    while (with_.world.now() < until)
        with_.world.park(with_.world.self(), until);
}

void workload::start() {
    if (with_.of.scripted != nullptr) {
        beside([this] { with_.of.scripted->body(*this); });
        return;
    }
    for (int i = 0; i < with_.of.writers; ++i)
        begin("writer", &workload::write);
    for (int i = 0; i < with_.of.readers; ++i)
        begin("reader", &workload::read);
    if (with_.of.operates)
        begin("operator", &workload::operate);
    if (with_.of.reconfigures || with_.of.reopens)
        begin("owner", &workload::change);
}

void workload::rest(duration about, seeded_chance& chance) {
    const auto length = about / 2 + duration(static_cast<duration::rep>(
                                        chance.below(static_cast<std::uint64_t>(about.count()) + 1)
                                    ));
    const auto until = with_.world.now() + length;
    while (with_.world.now() < until && !stopping_)
        with_.world.park(with_.world.self(), until);
}

time_point workload::until(seeded_chance& chance) const {
    const auto most = static_cast<std::uint64_t>(with_.of.patience.count());
    return with_.world.now() + duration(static_cast<duration::rep>(1 + chance.below(most)));
}

void workload::write(seeded_chance& chance) {
    const auto token = "t" + std::to_string(++token_count_);
    const auto end = until(chance);
    switch (chance.below(16)) {
    case 0: append_by_hand(token, end); break;
    case 1: leave_behind(true, end); break;
    case 2: leave_behind(false, end); break;
    default:
        if (chance.below(2) == 0)
            append_alone(token, end);
        else
            append_in_transaction(token, end);
    }
}

// A session that comes back with what the next one must not find (P6).
void workload::leave_behind(bool transaction, time_point end) {
    const auto manager = manager_;
    auto& judge = with_.judge;
    const auto call = judge.begins(intent::write, end);
    auto held = manager->acquire({.intent = intent::write, .until = deadline::at(end)});
    judge.acquired(call, held);
    if (!held)
        return;
    answer brought;
    const std::string_view text = transaction ? "BEGIN" : "SET search_path = x";
    static_cast<void>(held->execute({text}, brought, deadline::at(end)));
    judge.back_by(end, text);
    judge.returns(*held);
}

told workload::append_alone(const std::string& token, time_point end) {
    const auto manager = manager_;
    auto& judge = with_.judge;
    const auto call = judge.begins(intent::write, end);
    auto held = manager->acquire({.intent = intent::write, .until = deadline::at(end)});
    judge.acquired(call, held);
    if (!held) {
        judge.wrote(token, told::not_committed);
        why_not_ = to_string(held.error());
        return told::not_committed;
    }
    judge.committing(1);
    answer brought;
    const auto text = "INSERT INTO ledger VALUES ('" + token + "')";
    const auto how = held->execute({text}, brought, deadline::at(end));
    judge.committing(-1);
    judge.back_by(end, "execute");
    const auto outcome = outcome_of(how, brought);
    judge.wrote(token, outcome);
    judge.returns(*held);
    if (!how)
        why_not_ = to_string(how.error());
    return outcome;
}

void workload::append_in_transaction(const std::string& token, time_point end) {
    static_cast<void>(transact(token, end));
}

commit_result workload::transact(const std::string& token, time_point end) {
    const auto manager = manager_;
    auto& judge = with_.judge;
    int runs = 0;
    bool committing = false;
    const auto now_commits = [&](bool is) {
        if (committing != is)
            judge.committing(is ? 1 : -1);
        committing = is;
    };
    const auto how =
        manager->transact({.until = deadline::at(end)}, [&](lease& on) -> expected<void> {
            ++runs;
            now_commits(false);
            answer brought;
            const auto text = "append " + token;
            const auto done = on.execute({text}, brought, deadline::at(end));
            now_commits(done.has_value());
            return done;
        });
    now_commits(false);
    if (how.cause)
        why_not_ = to_string(*how.cause);
    judge.back_by(end, "transact");
    judge.wrote(token, outcome_of(how));
    if (runs > 1)
        core::mark<"closure ran again after a proven failure">();
    if (how.ended == outcome::in_doubt)
        core::mark<"transaction in doubt">();
    return how;
}

// BEGIN, an append and COMMIT as an application without transact() would.
void workload::append_by_hand(const std::string& token, time_point end) {
    const auto manager = manager_;
    auto& judge = with_.judge;
    const auto call = judge.begins(intent::write, end);
    auto held = manager->acquire({.intent = intent::write, .until = deadline::at(end)});
    judge.acquired(call, held);
    if (!held) {
        judge.wrote(token, told::not_committed);
        return;
    }
    answer brought;
    const auto text = "append " + token;
    const bool begun = held->execute({"BEGIN"}, brought, deadline::at(end)) &&
                       held->execute({text}, brought, deadline::at(end));
    judge.committing(begun ? 1 : 0);
    judge.wrote(token, begun ? outcome_of(held->commit(deadline::at(end))) : told::not_committed);
    judge.committing(begun ? -1 : 0);
    judge.back_by(end, "a commit");
    judge.returns(*held);
}

void workload::read(seeded_chance& chance) {
    const auto manager = manager_;
    auto& judge = with_.judge;
    const auto end = until(chance);
    const auto call = judge.begins(intent::read, end);
    auto held = manager->acquire(
        {.intent = intent::read,
         .until = deadline::at(end),
         .primary_fallback = chance.below(2) == 0}
    );
    judge.acquired(call, held);
    if (!held)
        return;
    if (chance.below(4) != 0) {
        answer brought;
        static_cast<void>(held->execute({"SELECT token FROM ledger"}, brought, deadline::at(end)));
        judge.back_by(end, "a read");
    } else {
        // A read session gets no write through on a standby: its server says so (E7).
        const auto token = "r" + std::to_string(++token_count_);
        const auto text = "append " + token;
        answer brought;
        const auto how = held->execute({text}, brought, deadline::at(end));
        judge.back_by(end, "a write of a reader");
        judge.wrote(token, outcome_of(how, brought));
        if (!how && how.error().code == errc::wrong_role)
            core::mark<"write refused by a standby">();
    }
    judge.returns(*held);
}

void workload::operate(seeded_chance& chance) {
    const auto manager = manager_;
    const auto end = until(chance);
    const auto at = with_.of.at(chance.below(2) == 0 ? site::one : site::two);
    switch (chance.below(4)) {
    case 0: {
        const auto made = manager->plan({});
        if (made) {
            core::mark<"planned failover asked for through the library">();
            static_cast<void>(manager->execute(*made, deadline::at(end)));
            with_.judge.back_by(end, "an operation");
        }
        break;
    }
    case 1:
        static_cast<void>(manager->offline(at));
        rest(5ms, chance);
        static_cast<void>(manager->online(at));
        break;
    case 2: static_cast<void>(manager->explain(intent::write)); break;
    case 3: static_cast<void>(manager->counters()); break;
    }
    rest(40ms, chance);
}

void workload::change(seeded_chance& chance) {
    rest(150ms, chance);
    if (stopping_)
        return;
    if (with_.of.reconfigures) {
        with_.judge.reconfigured(with_.of.pool_max);
        static_cast<void>(manager_->reconfigure(
            connection_string_of(with_.of) + ";Idle_Limit=" + std::to_string(1 + chance.below(9)) +
            "min"
        ));
        return;
    }
    with_.reopen(false);
    rest(5ms, chance);
    with_.reopen(true);
}

void workload::go_on(duration each) {
    going_on_ = true;
    ++still_going_;
    with_.world.start("steady writer", [this, each] {
        while (going_on_) {
            const auto mine = token();
            const auto end = with_.world.now() + each;
            const auto how =
                went_on_ % 2 == 0 ? append_alone(mine, end) : outcome_of(transact(mine, end));
            went_on_ += how == told::committed ? 1 : 0;
            if (going_on_)
                pause(how == told::committed ? 100ms : 20ms);
        }
        --still_going_;
    });
}

}
