// SPDX-License-Identifier: Apache-2.0
#include "runtime/calls.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace hadr::inline v0::runtime {

namespace {

using job_pointer = std::shared_ptr<executor::job>;

/// One agent, and what it has to do.
struct hand {
    job_pointer own;                ///< Set while the agent is idle, or by the agent itself.
    std::atomic<bool> given{false}; ///< Taken by the agent when it begins, or back before that.
    agent* who = nullptr;           ///< Known once it has been idle.
    bool stuck = false;
    bool finished = false;
    std::unique_ptr<started> running;
};

}

/// What the agents share; lives as long as the last of them, stuck ones included.
struct calls::crew {
    crew(std::shared_ptr<world> in, limits most_of) : through(std::move(in)), most(most_of) {}

    const std::shared_ptr<world> through;
    const limits most;
    std::mutex mutex; // Guards everything below, and every hand but for the job it runs.
    std::deque<job_pointer> queue;
    std::vector<hand*> idle;
    std::vector<std::shared_ptr<hand>> hands;
    int working = 0; // Started and not ended, stuck ones apart.
    int stuck = 0;
    bool stopping = false;
};

namespace {

using crew = calls::crew;

bool room(const crew& of) noexcept {
    return of.working < of.most.working && of.stuck < of.most.stuck && !of.stopping;
}

job_pointer first_of(std::deque<job_pointer>& queue) {
    auto first = std::move(queue.front());
    queue.pop_front();
    return first;
}

// The next job is the hand's own, after a wait if need be; false when the agent may go.
bool wait_for_job(crew& of, hand& self) {
    const auto patience = of.through->coarse_now() + calls::idle_limit;
    for (;;) {
        of.through->park(self.who, patience);
        if (self.given.exchange(false))
            return true;
        const bool late = of.through->now() >= patience;
        const std::lock_guard guard(of.mutex);
        if ((!late && !of.stopping) || self.given.load())
            continue;
        std::erase(of.idle, &self);
        --of.working;
        return false;
    }
}

enum class after {
    job,  ///< The hand has another one.
    idle, ///< It waits for one.
    leave,
};

// Precondition: the lock is held.
after next_of(crew& of, hand& self) {
    if (self.stuck) {
        self.stuck = false;
        --of.stuck;
        if (of.queue.empty() || !room(of))
            return after::leave;
        ++of.working;
    }
    if (!of.queue.empty()) {
        self.own = first_of(of.queue);
        return after::job;
    }
    if (of.stopping) {
        --of.working;
        return after::leave;
    }
    of.idle.push_back(&self);
    return after::idle;
}

// One job, and what comes after it. Only a job that was given up may end its life here: it still
// counts as stuck as long as that takes.
after run_one(crew& of, hand& self) {
    self.own->run();
    job_pointer over;
    {
        const std::lock_guard guard(of.mutex);
        over = std::move(self.own);
        if (!self.stuck)
            return next_of(of, self);
    }
    over.reset();
    const std::lock_guard guard(of.mutex);
    return next_of(of, self);
}

void work(const std::shared_ptr<crew>& of, const std::shared_ptr<hand>& own) {
    own->who = of->through->self();
    for (bool present = true; present;) {
        const auto then = run_one(*of, *own);
        present = then == after::job || (then == after::idle && wait_for_job(*of, *own));
    }
    const std::lock_guard guard(of->mutex);
    own->finished = true;
}

// Starts an agent whose place in `working` is taken already; if there is none to be had, the job
// waits for another agent, if there is any. False if it will not run.
bool enlist(const std::shared_ptr<crew>& of, job_pointer first) {
    auto own = std::make_shared<hand>();
    own->own = std::move(first);
    {
        const std::lock_guard guard(of->mutex);
        std::erase_if(of->hands, [](const auto& other) { return other->finished; });
        of->hands.push_back(own);
    }
    auto begun = of->through->spawn("hadr-call", [of, own] { work(of, own); });
    const std::lock_guard guard(of->mutex);
    if (begun) {
        own->running = std::move(*begun);
        return true;
    }
    std::erase(of->hands, own);
    if (--of->working <= 0)
        return false;
    of->queue.push_back(std::move(own->own));
    return true;
}

}

calls::calls(std::shared_ptr<world> in, limits most)
    : crew_(std::make_shared<crew>(std::move(in), most)) {}

calls::~calls() {
    if (crew_->through->alive().load() != 0)
        stop(time_point::min());
}

bool calls::run(job_pointer what) {
    auto& of = *crew_;
    agent* wake = nullptr;
    {
        const std::lock_guard guard(of.mutex);
        if (of.stopping)
            return false;
        if (!of.idle.empty()) {
            auto& next = *of.idle.back();
            of.idle.pop_back();
            next.own = std::move(what);
            next.given.store(true);
            wake = next.who;
        } else if (room(of)) {
            ++of.working;
        } else {
            if (of.working == 0)
                return false;
            of.queue.push_back(std::move(what));
            return true;
        }
    }
    if (wake == nullptr)
        return enlist(crew_, std::move(what));
    of.through->unpark(wake);
    return true;
}

void calls::abandon(const job_pointer& which) noexcept {
    auto& of = *crew_;
    job_pointer next;
    std::vector<job_pointer> dropped; // What they own is let go of outside the lock.
    {
        const std::lock_guard guard(of.mutex);
        for (auto& one : of.queue)
            if (one == which)
                dropped.push_back(std::exchange(one, nullptr));
        std::erase(of.queue, nullptr);
        for (const auto& one : of.hands) {
            if (one->own != which || one->stuck)
                continue;
            if (one->given.exchange(false)) {
                dropped.push_back(std::exchange(one->own, nullptr));
                of.idle.push_back(one.get());
                continue;
            }
            one->stuck = true;
            ++of.stuck;
            --of.working;
        }
        if (!of.queue.empty() && room(of)) { // It would wait for the stuck one.
            ++of.working;
            next = first_of(of.queue);
        }
    }
    if (next)
        enlist(crew_, std::move(next));
}

std::size_t calls::stop(time_point until) {
    std::vector<agent*> wake;
    std::vector<std::shared_ptr<hand>> hands;
    std::deque<job_pointer> dropped;
    {
        const std::lock_guard guard(crew_->mutex);
        crew_->stopping = true;
        dropped.swap(crew_->queue);
        for (const auto* one : crew_->idle)
            wake.push_back(one->who);
        hands.swap(crew_->hands);
    }
    for (auto* one : wake)
        crew_->through->unpark(one);
    std::size_t left = 0;
    for (const auto& one : hands)
        if (one->running && !one->running->join(until))
            ++left;
    return left;
}

std::size_t calls::stuck() const {
    const std::lock_guard guard(crew_->mutex);
    return static_cast<std::size_t>(crew_->stuck);
}

}

namespace hadr::inline v0 {

std::shared_ptr<executor> make_executor(std::shared_ptr<world> in) {
    return std::make_shared<runtime::calls>(std::move(in));
}

}
