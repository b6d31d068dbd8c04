// SPDX-License-Identifier: Apache-2.0
#include "runtime/workers.hpp"

#include "core/mark.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace hadr::inline v0::runtime {

namespace {

struct hand {
    std::unique_ptr<started> running;
    bool finished = false;
};

}

/// What the workers share; lives as long as the last of them, stuck ones included.
struct workers::crew {
    explicit crew(std::shared_ptr<world> in) : through(std::move(in)) {}

    const std::shared_ptr<world> through;
    std::mutex mutex; // Guards everything below, and every job_state.
    std::deque<std::shared_ptr<job_state>> urgent;
    std::deque<std::shared_ptr<job_state>> queue;
    std::vector<agent*> idle;
    std::vector<std::shared_ptr<hand>> hands;
    int working = 0; // Started and not ended, stuck ones apart.
    int stuck = 0;
    bool stopping = false;
};

struct workers::job_state {
    enum class phase {
        queued,
        running,
        ended,
    };

    std::shared_ptr<crew> of;
    job what;
    phase at = phase::queued;
    bool abandoned = false;
};

namespace {

using crew = workers::crew;
using job_state = workers::job_state;

std::shared_ptr<job_state> take(crew& of) {
    for (auto* queue : {&of.urgent, &of.queue}) {
        if (queue->empty() || (queue == &of.queue && of.working > workers::cap))
            continue;
        auto first = std::move(queue->front());
        queue->pop_front();
        first->at = job_state::phase::running;
        return first;
    }
    return nullptr;
}

// Takes the place of one more worker if a job waits that may have it.
bool reserve(crew& of) {
    const bool wanted = (!of.urgent.empty() && of.working < workers::cap + workers::urgent_cap) ||
                        (!of.queue.empty() && of.working < workers::cap);
    if (!wanted || of.stuck >= workers::stuck_cap || of.stopping)
        return false;
    ++of.working;
    return true;
}

// The next job, waiting for one; null when the worker may go.
std::shared_ptr<job_state> next_job(crew& of) {
    agent* const self = of.through->self();
    const auto patience = of.through->now() + workers::idle_limit;
    for (bool late = false;; late = of.through->now() >= patience) {
        {
            const std::lock_guard guard(of.mutex);
            std::erase(of.idle, self);
            if (auto first = take(of))
                return first;
            if (late || of.stopping || of.working > workers::cap) {
                --of.working;
                return nullptr;
            }
            of.idle.push_back(self);
        }
        of.through->park(self, patience);
    }
}

// Returns false if the worker was given up meanwhile and must go.
bool run_one(crew& of, const std::shared_ptr<job_state>& one) {
    one->what(workers::ticket(one));
    one->what = nullptr;
    const std::lock_guard guard(of.mutex);
    one->at = job_state::phase::ended;
    if (!one->abandoned)
        return true;
    core::mark<"stuck worker came back">();
    --of.stuck;
    return reserve(of);
}

void work(const std::shared_ptr<crew>& of, const std::shared_ptr<hand>& own) {
    for (bool present = true; present;) {
        const auto one = next_job(*of);
        present = one && run_one(*of, one);
    }
    const std::lock_guard guard(of->mutex);
    own->finished = true;
}

// Starts a worker whose place in `working` is taken already; gives the place back if there is no
// thread.
bool enlist(const std::shared_ptr<crew>& of) {
    auto own = std::make_shared<hand>();
    auto begun = of->through->spawn("hadr-worker", [of, own] { work(of, own); });
    const std::lock_guard guard(of->mutex);
    std::erase_if(of->hands, [](const auto& other) { return other->finished; });
    if (begun) {
        own->running = std::move(*begun);
        of->hands.push_back(own);
        return true;
    }
    return --of->working > 0;
}

}

void workers::ticket::abandon() const {
    if (!state_)
        return;
    auto& of = *state_->of;
    bool start = false;
    job dropped; // It may own whoever holds this ticket: let go of it, and outside the lock.
    {
        const std::lock_guard guard(of.mutex);
        if (state_->abandoned || state_->at == job_state::phase::ended)
            return;
        state_->abandoned = true;
        if (state_->at == job_state::phase::running) {
            core::mark<"running job given up">();
            ++of.stuck;
            --of.working;
            start = reserve(of); // Or what is queued would wait for the stuck one.
        } else {
            std::erase(of.urgent, state_);
            std::erase(of.queue, state_);
            dropped = std::exchange(state_->what, nullptr);
        }
    }
    if (start)
        enlist(state_->of);
}

bool workers::ticket::abandoned() const {
    const std::lock_guard guard(state_->of->mutex);
    return state_->abandoned;
}

workers::workers(std::shared_ptr<world> in) : crew_(std::make_shared<crew>(std::move(in))) {}

workers::~workers() {
    stop(time_point::min());
}

workers::ticket workers::run(job what, bool urgent) {
    auto one = std::make_shared<job_state>();
    one->of = crew_;
    one->what = std::move(what);
    agent* wake = nullptr;
    bool start = false;
    {
        const std::lock_guard guard(crew_->mutex);
        if (crew_->stopping)
            return {};
        (urgent ? crew_->urgent : crew_->queue).push_back(one);
        if (!crew_->idle.empty()) {
            wake = crew_->idle.back();
            crew_->idle.pop_back();
        } else {
            start = reserve(*crew_);
        }
    }
    if (wake != nullptr)
        crew_->through->unpark(wake);
    if (start && !enlist(crew_)) {
        ticket(one).abandon();
        return {};
    }
    return ticket(one);
}

std::size_t workers::stop(time_point until) {
    std::vector<agent*> wake;
    std::vector<std::shared_ptr<hand>> hands;
    std::vector<job> dropped;
    {
        const std::lock_guard guard(crew_->mutex);
        crew_->stopping = true;
        for (const auto& one : crew_->queue)
            dropped.push_back(std::exchange(one->what, nullptr));
        crew_->queue.clear();
        wake.swap(crew_->idle);
        hands.swap(crew_->hands);
    }
    for (auto* one : wake)
        crew_->through->unpark(one);
    std::size_t left = 0;
    for (const auto& one : hands)
        if (!one->running->join(until))
            ++left;
    const std::lock_guard guard(crew_->mutex);
    for (const auto& one : crew_->urgent)
        dropped.push_back(std::exchange(one->what, nullptr));
    crew_->urgent.clear();
    return left;
}

std::size_t workers::stuck() const {
    const std::lock_guard guard(crew_->mutex);
    return static_cast<std::size_t>(crew_->stuck);
}

}
