// SPDX-License-Identifier: Apache-2.0
#include "runtime/reactor.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hadr::inline v0::runtime {

/// One statement on one session, from its start to its end.
class reactor::exchange final : public completion, public descriptor_handler {
public:
    exchange(reactor& home, session& on, std::string text, ended then)
        : home_(home)
        , on_(on)
        , text_(std::move(text))
        , then_(std::move(then)) {}

    void begin(const asked& what) {
        home_.under_way_.push_back(this);
        deadline_ = home_.at(what.until, [this] { cut(); });
        on_.start({text_, {}, what.kind, what.prepare}, into_, *this);
        move();
    }

    void cut() {
        on_.sever();
        move();
    }

    void completed(expected<void> how) noexcept override { how_ = std::move(how); }

    void ready(readiness /*what*/) override { move(); }

private:
    void move() {
        on_.advance();
        if (how_) {
            finish();
            return;
        }
        const auto wanted = on_.waits_for();
        if (wanted.descriptor >= 0) {
            descriptor_ = wanted.descriptor;
            home_.watch(wanted.descriptor, wanted.wanted, *this);
        } else if (!polled_) {
            polled_ = true;
            home_.poll(*this);
        }
    }

    void finish() {
        std::erase(home_.under_way_, this);
        home_.cancel(deadline_);
        if (descriptor_ >= 0)
            home_.forget(descriptor_);
        if (polled_)
            home_.unpoll(*this);
        const std::unique_ptr<exchange> self(this);
        then_(std::move(*how_), into_);
    }

    reactor& home_;
    session& on_;
    std::string text_;
    ended then_;
    answer into_;
    std::optional<expected<void>> how_;
    timer deadline_{};
    int descriptor_ = -1;
    bool polled_ = false;
};

reactor::reactor(std::shared_ptr<world> in)
    : world_(std::move(in))
    , descriptors_(world_->descriptors()) {}

reactor::~reactor() = default;

bool reactor::post(std::function<void()> what) {
    agent* wake = nullptr;
    bool start = false;
    {
        const std::lock_guard guard(mutex_);
        if (stopping_)
            return false;
        start = posted_.empty() && !started_ && agent_known_ == nullptr;
        posted_.push_back(std::move(what));
        wake = agent_known_;
    }
    if (wake != nullptr)
        world_->unpark(wake);
    else if (start) {
        auto begun = world_->spawn("hadr-reactor", [self = shared_from_this()] { self->turn(); });
        const std::lock_guard guard(mutex_);
        if (begun)
            started_ = std::move(*begun);
        else
            posted_.clear();
        return begun.has_value();
    }
    return true;
}

bool reactor::stop(time_point until) {
    agent* wake = nullptr;
    std::unique_ptr<started> running;
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
        wake = agent_known_;
        running = std::move(started_);
    }
    if (!running)
        return true;
    if (wake != nullptr)
        world_->unpark(wake);
    if (wake == world_->self())
        return true;
    if (running->join(until))
        return true;
    const std::lock_guard guard(mutex_);
    started_ = std::move(running);
    return false;
}

reactor::timer reactor::at(time_point when, std::function<void()> what) {
    const timer key{when, ++timer_count_};
    timers_.emplace(key, std::move(what));
    return key;
}

void reactor::cancel(const timer& which) noexcept {
    timers_.erase(which);
}

void reactor::watch(int descriptor, readiness wanted, descriptor_handler& by) {
    auto& token = tokens_[descriptor];
    if (token == 0)
        token = ++token_count_;
    handlers_[token] = &by;
    descriptors_->watch(descriptor, wanted, token);
}

void reactor::forget(int descriptor) noexcept {
    const auto found = tokens_.find(descriptor);
    if (found == tokens_.end())
        return;
    descriptors_->forget(descriptor);
    handlers_.erase(found->second);
    tokens_.erase(found);
}

void reactor::run(session& on, asked what, ended then) {
    auto one = std::make_unique<exchange>(*this, on, std::move(what.text), std::move(then));
    one.release()->begin(what); // Deletes itself when the statement has ended.
}

void reactor::turn() {
    agent_ = world_->self();
    {
        const std::lock_guard guard(mutex_);
        agent_known_ = agent_;
    }
    for (;;) {
        take_posted();
        {
            const std::lock_guard guard(mutex_);
            if (stopping_ && posted_.empty())
                break;
        }
        run_due_timers();
        poll_workers();
        wait();
    }
    end_exchanges();
    forget_timers();
}

// What they would have called keeps its owners, and those keep this reactor.
void reactor::forget_timers() {
    while (!timers_.empty()) {
        const auto old = std::exchange(timers_, {});
    }
}

// Their owners get their sessions back, so that nothing is left behind.
void reactor::end_exchanges() {
    while (!under_way_.empty()) {
        auto* const one = under_way_.back();
        under_way_.pop_back();
        one->cut();
    }
}

void reactor::take_posted() {
    std::vector<std::function<void()>> work;
    {
        const std::lock_guard guard(mutex_);
        work.swap(posted_);
    }
    for (const auto& one : work)
        one();
}

void reactor::run_due_timers() {
    // Those that are due now, not those that they add: a timer for this very moment waits a turn.
    const timer last{world_->now(), timer_count_};
    while (!timers_.empty() && timers_.begin()->first <= last) {
        auto due = timers_.extract(timers_.begin());
        due.mapped()();
    }
}

void reactor::poll_workers() {
    const auto present = polled_;
    for (auto* one : present)
        if (std::find(polled_.begin(), polled_.end(), one) != polled_.end())
            one->ready(readiness::none);
}

void reactor::wait() {
    {
        const std::lock_guard guard(mutex_);
        if (!posted_.empty() || stopping_)
            return;
    }
    std::array<descriptor_set::event, 64> events;
    const auto until = timers_.empty() ? time_point::max() : timers_.begin()->first.first;
    const auto count = descriptors_->wait(events, until);
    for (std::size_t i = 0; i < count; ++i) {
        const auto found = handlers_.find(events[i].token);
        if (found != handlers_.end())
            found->second->ready(events[i].what);
    }
    poll_workers();
}

}
