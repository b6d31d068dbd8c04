// SPDX-License-Identifier: Apache-2.0
#include "simulation/scenario.hpp"

#include "core/mark.hpp"
#include "simulation/checks.hpp"
#include "simulation/events.hpp"
#include "simulation/faults.hpp"
#include "simulation/marks.hpp"
#include "simulation/workload.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::test {

using testing::site;

namespace {

constexpr duration longest_faults = 5s;
constexpr duration afterwards = 20ms;
constexpr duration sane_deadline = 2s;
constexpr std::uint64_t events_in_a_second_max = 15'000; // T3: thrice the busiest ever seen.

void mark_step(testing::commit_step at) {
    switch (at) {
    case testing::commit_step::sent: core::mark<"primary killed as a commit was sent">(); break;
    case testing::commit_step::received: core::mark<"primary killed as a commit came">(); break;
    case testing::commit_step::logged:
        core::mark<"primary killed: logged, not replicated">();
        break;
    case testing::commit_step::replicated:
        core::mark<"primary killed: replicated, not visible">();
        break;
    case testing::commit_step::visible:
        core::mark<"primary killed: visible, not answered">();
        break;
    case testing::commit_step::answered: core::mark<"primary killed: answered, not heard">(); break;
    case testing::commit_step::answer_received:
        core::mark<"primary killed after the answer">();
        break;
    }
}

class scenario {
public:
    explicit scenario(const plan& what)
        : plan_(what)
        , store_(*world_, what.engine)
        , judge_(*world_, store_, plan_)
        , chaos_(std::make_shared<chaos>(
              *world_,
              store_,
              plan_,
              [this](const fault& one, bool at_step) { struck(one, at_step); }
          ))
        , work_({*world_, store_, judge_, plan_, [this](bool open) { reopen(open); }}) {
        chaos_->before_force([this](site at) { judge_.forced(at); });
        switch_in(plan_.switches ? world_.get() : nullptr);
        world_->keep(chaos_);
        world_->set_order(what.order);
        store_.watch_messages([this] { chaos_->message_arrives(); });
        store_.watch_commits([this](testing::commit_step at, site where, std::string_view token) {
            judge_.passes(at, where, std::string(token));
        });
    }
    scenario(const scenario&) = delete;
    ~scenario() { switch_in(nullptr); }

    verdict run() {
        open();
        if (plan_.begins_served())
            step_until([this] { return served(); }, longest_faults);
        work_.start();
        chaos_->begin();
        step_until([this] { return chaos_->over(); }, longest_faults);
        if (plan_.scripted != nullptr)
            run_script();
        step_until([] { return false; }, afterwards);
        chaos_->heal();
        judge_.unnamed(false);
        work_.go_on(sane_deadline);
        recover();
        if (!step_until([this] { return work_.over(); }, plan_.patience + 1s))
            judge_.broke("P4", "an application's call never came back");
        // A planned failover that an operator began may still have been under way.
        write_again("once nobody disturbed the store any more");
        work_.go_on_no_more();
        if (!step_until([this] { return work_.quiet(); }, sane_deadline + 1s))
            judge_.broke("P4", "a write with a sane deadline never came back");
        finish();
        return made_;
    }

private:
    void open() {
        heard_ = std::make_shared<told_state>();
        open_options options{
            .drivers = {store_.through()},
            .world = world_,
            .on_event = [heard = heard_](const event& what) { heard->hear(what); }};
        auto made = hadr::open(connection_string_of(plan_), std::move(options));
        if (!made) {
            judge_.broke("open", hadr::to_string(made.error()));
            return;
        }
        manager_ = std::move(*made);
        work_.use(manager_);
        judge_.watch(manager_.get());
    }

    void reopen(bool opens) {
        if (opens) {
            former_.push_back(manager_);
            open();
            return;
        }
        const auto end = world_->now() + 300ms;
        static_cast<void>(manager_->close(deadline::at(end)));
        judge_.back_by(end, "close");
        core::mark<"closed in the middle of faults">();
    }

    void struck(const fault& one, bool at_step) {
        if (one.what == fault_kind::pause)
            judge_.paused_until(world_->now() + one.lasts);
        const bool misnamed = one.what == fault_kind::names_lost ||
                              one.what == fault_kind::names_dead ||
                              (plan_.mirrored() && one.what == fault_kind::stranger);
        if (misnamed && (one.at == aim::witness || plan_.mirrored()))
            judge_.unnamed(true);
        if (one.what == fault_kind::reset && (one.at == aim::witness || plan_.mirrored()))
            judge_.cut_off();
        if (judge_.inside_call())
            made_.faulted = true;
        if (one.what == fault_kind::kill && one.at == aim::primary && at_step)
            mark_step(*one.step);
        world_->note(static_cast<std::uint64_t>(one.what));
    }

    bool step_until(const std::function<bool()>& done, duration within) {
        return world_->eventually(
            [&] {
                judge_.step();
                return done();
            },
            within
        );
    }

    // As far as it gets with its fault, which may be the only one that could end it.
    void run_script() {
        const duration patience = plan_.faults.empty() ? longest_faults : plan_.faults[0].lasts;
        step_until([this] { return work_.over(); }, patience);
        made_.messages = chaos_->messages();
    }

    bool served() const {
        const auto view = manager_->view();
        return view->writer && view->level == service_level::full &&
               static_cast<int>(manager_->counters().sessions_now) >= plan_.pool_min;
    }

    // By an agent of its own, so that all that happens meanwhile is judged.
    void apart(std::function<void()> what) {
        bool done = false;
        world_->start("owner", [&] {
            what();
            done = true;
        });
        step_until([&] { return done; }, 1min);
    }

    // P9: the engine is whole again, and the library finds so and serves. A writer with sane
    // deadlines goes on all the while.
    void recover() {
        if (!step_until([this] { return store_.protected_now(); }, 5s))
            judge_.broke("engine", "the simulated store did not recover: " + told_of(store_));
        work_.stop(); // Its short deadlines cut sessions faster than F56 lets new ones in.
        if (chaos_->needs_ruling())
            accept();
        if (!step_until([this] { return served(); }, plan_.recovery()))
            judge_.broke(
                "P9", "not served in time: " + told_of(manager_->explain(), manager_->counters())
            );
        write_again("after all faults");
    }

    void write_again(std::string_view when) {
        const auto before = work_.went_on();
        if (!step_until([&] { return work_.went_on() > before; }, plan_.recovery()))
            judge_.broke(
                "P9",
                fmt::format(
                    "no write succeeded {}: {}; {}",
                    when,
                    work_.why_not(),
                    told_of(manager_->explain(), manager_->counters())
                )
            );
    }

    static std::string told_of(const testing::simulated_store& of) {
        std::string text;
        for (const auto where : {site::one, site::two}) {
            const auto is = of.state(where);
            text += fmt::format(
                "{}{}{}{}{}{} in {}, {}; ",
                to_string(where),
                is.running ? "" : " down",
                is.frozen ? " frozen" : "",
                is.in_recovery ? " standby" : " primary",
                is.writable ? " writable" : "",
                is.synchronous ? " synchronous" : "",
                is.timeline,
                is.assigned
            );
        }
        return text;
    }

    static std::string told_of(const explanation& what, const metrics& counted) {
        auto text = fmt::format(
            "{}; {} sessions, {} lent, {} warm, {} waiters, {} stuck logins",
            what.summary,
            counted.sessions_now,
            counted.sessions_lent_now,
            counted.sessions_warm_now,
            counted.waiters_now,
            counted.logins_stuck_now
        );
        for (const auto& one : what.candidates)
            text += fmt::format("; {}: {}", hadr::to_string(one.at), one.why);
        return text;
    }

    // Another lineage, or a history that was cut, is refused until an operator rules (E2, E9, F16,
    // F17).
    void accept() {
        // A paused process learns nothing meanwhile.
        step_until([this] { return world_->now() >= judge_.paused_until(); }, 10s);
        for (int i = 0; i < 10; ++i) {
            step_until([] { return false; }, 300ms);
            const auto named = store_.named();
            const auto view = manager_->view();
            if (named == site::client)
                continue;
            const auto lead = store_.state(named);
            const bool kin = view->accepted && view->accepted->lineage == lead.lineage;
            if (kin && view->accepted->term <= lead.timeline)
                break;
            if (view->writer && !kin)
                judge_.broke("E9", "a store of another lineage is written to");
            if (!shows(*view, named, lead.lineage))
                continue; // He rules for what a member shows, not for its name (F10).
            judge_.ruling(true);
            apart([&] {
                if (!manager_->accept_lineage(plan_.at(named)))
                    judge_.ruling(false);
            });
        }
        judge_.ruling(false);
    }

    bool shows(const topology& view, site where, std::string_view lineage) const {
        return std::any_of(view.members.begin(), view.members.end(), [&](const member& one) {
            return one.at == plan_.at(where) && one.reign && one.reign->lineage == lineage;
        });
    }

    void finish() {
        step_until([] { return false; }, afterwards); // The last answers arrive.
        const auto lead = store_.named();
        judge_.judge_ledger(store_.ledger(lead == site::client ? site::one : lead));
        judge_.judge_logins();
        if (store_.strays() != 0)
            judge_.broke("E9", fmt::format("{} commits went to another cluster", store_.strays()));
        judge_events();
        apart([this] {
            const auto end = world_->now() + 1s;
            static_cast<void>(manager_->close(deadline::at(end)));
            judge_.back_by(end, "close");
        });
        if (plan_.mirrored() && store_.counted().witness_logins != 0)
            judge_.broke("C9", "the witness was contacted");
        const auto counted = world_->counted();
        if (counted.busiest_second > events_in_a_second_max)
            judge_.broke("T3", fmt::format("{} events in a second", counted.busiest_second));
        work_.use(nullptr);
        judge_.watch(nullptr);
        former_.clear();
        manager_.reset();
        step_until([] { return false; }, 1s); // A login under way ends by its own time.
        if (world_->agents() != 0)
            judge_.broke("P8", fmt::format("{} agents are left behind", world_->agents()));
        for (const auto where : {site::one, site::two})
            if (store_.client_sessions(where) != 0)
                judge_.broke("P8", "sessions are left behind");
        made_.broken = judge_.broken();
        made_.trace = counted.trace;
        made_.events = counted.events;
        made_.busiest_second = counted.busiest_second;
        made_.failovers = store_.counted().promotions;
        made_.unknown = judge_.unknown();
        made_.lost_apart = judge_.lost_apart();
    }

    // S2: who heard the events alone knows what the view says.
    void judge_events() {
        if (!heard_->disorder().empty())
            judge_.broke("S2", heard_->disorder());
        // Those of this moment are still on their way.
        if (!step_until([&] { return heard_->differs_from(*manager_->view()).empty(); }, 100ms))
            judge_.broke("S2", heard_->differs_from(*manager_->view()));
        core::mark<"events told what the view says">();
    }

    const plan plan_;
    std::shared_ptr<testing::manual_world> world_ =
        std::make_shared<testing::manual_world>(plan_.seed);
    testing::simulated_store store_;
    checks judge_;
    std::shared_ptr<chaos> chaos_;
    workload work_;
    std::shared_ptr<connection_manager> manager_;
    std::shared_ptr<told_state> heard_;
    std::vector<std::shared_ptr<connection_manager>> former_;
    verdict made_;
};

}

verdict run(const plan& what) {
    return scenario(what).run();
}

plan without(const plan& of, const std::vector<std::size_t>& dropped) {
    auto made = of;
    made.faults.clear();
    for (std::size_t i = 0; i < of.faults.size(); ++i)
        if (std::find(dropped.begin(), dropped.end(), i) == dropped.end())
            made.faults.push_back(of.faults[i]);
    return made;
}

plan shrink(const plan& failing) {
    auto best = failing;
    for (std::size_t i = 0; i < best.faults.size();) {
        auto fewer = without(best, {i});
        if (run(fewer).broken.empty())
            ++i;
        else
            best = std::move(fewer);
    }
    return best;
}

std::string replay_command(const plan& original, const plan& shrunk) {
    std::string dropped;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < original.faults.size(); ++i) {
        if (kept < shrunk.faults.size() &&
            to_string(original.faults[i]) == to_string(shrunk.faults[kept])) {
            ++kept;
            continue;
        }
        dropped += (dropped.empty() ? "" : ",") + std::to_string(i);
    }
    return fmt::format(
        "hadr_simulation --seed {}{}{}", original.seed, dropped.empty() ? "" : " --drop ", dropped
    );
}

}
