// SPDX-License-Identifier: Apache-2.0
#include "runtime/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace hadr::inline v0::runtime {

class dispatcher::subscription {
public:
    struct line {
        log_level level = log_level::info;
        std::string text;
    };
    using item = std::variant<event, line>;

    void call(const item& what) {
        try {
            std::holds_alternative<event>(what) ? to(std::get<event>(what)) : write(what);
        } catch (...) {
            ++(sink ? counted->lines_dropped : counted->failed);
        }
    }

    listener to;
    log_sink sink;
    std::shared_ptr<tally> counted;
    std::deque<item> pending;
    time_point second{}; ///< When the last second of lines began.
    int lines_in_second = 0;
    std::uint64_t dropped = 0; ///< Lines, and not yet said so.
    bool active = true;
    bool queued = false;
    bool running = false;
    std::vector<agent*> awaiting_end;

private:
    void write(const item& what) const {
        const auto& [level, text] = std::get<line>(what);
        sink(level, text);
    }
};

dispatcher::dispatcher(std::shared_ptr<world> in) : through_(std::move(in)) {}

std::shared_ptr<dispatcher::subscription>
dispatcher::subscribe(listener to, std::shared_ptr<tally> counted) {
    auto made = std::make_shared<subscription>();
    made->to = std::move(to);
    made->counted = std::move(counted);
    return made;
}

std::shared_ptr<dispatcher::subscription>
dispatcher::subscribe(log_sink to, std::shared_ptr<tally> counted) {
    auto made = std::make_shared<subscription>();
    made->sink = std::move(to);
    made->counted = std::move(counted);
    return made;
}

void dispatcher::unsubscribe(const std::shared_ptr<subscription>& which, time_point until) {
    {
        const std::lock_guard guard(mutex_);
        which->active = false;
        which->pending.clear();
    }
    finish(which, until);
}

void dispatcher::finish(const std::shared_ptr<subscription>& which, time_point until) {
    agent* const self = through_->self();
    for (;;) {
        const bool late = through_->now() >= until;
        {
            const std::lock_guard guard(mutex_);
            std::erase(which->awaiting_end, self);
            const bool told = which->pending.empty() && !which->running;
            const bool nobody_tells = agent_ == nullptr && !starting_;
            if (told || nobody_tells || late || self == agent_) {
                which->active = false;
                which->pending.clear();
                return;
            }
            which->awaiting_end.push_back(self);
        }
        through_->park(self, until);
    }
}

bool dispatcher::here() const {
    agent* const self = through_->self();
    const std::lock_guard guard(mutex_);
    return self == agent_;
}

void dispatcher::tell(const std::vector<std::shared_ptr<subscription>>& whom, const event& what) {
    {
        const std::lock_guard guard(mutex_);
        if (stopping_)
            return;
        for (const auto& one : whom) {
            if (!one->active)
                continue;
            auto& pending = one->pending;
            // The newest of the same kind takes up the others once the listener lags (rulings 16).
            const auto same =
                pending.size() < pending_max
                    ? pending.end()
                    : std::find_if(pending.begin(), pending.end(), [&](const auto& other) {
                          return std::get<event>(other).what == what.what;
                      });
            auto kept = what;
            if (same != pending.end()) {
                kept.count += std::get<event>(*same).count;
                pending.erase(same);
                ++one->counted->coalesced;
            }
            pending.emplace_back(std::move(kept));
            queue(one);
        }
    }
    wake_up();
}

void dispatcher::log(const std::shared_ptr<subscription>& to, log_level level, std::string text) {
    if (!to)
        return;
    const auto now = through_->now();
    {
        const std::lock_guard guard(mutex_);
        if (stopping_ || !to->active)
            return;
        if (now - to->second >= std::chrono::seconds(1)) {
            to->second = now;
            to->lines_in_second = 0;
        }
        const bool room = to->pending.size() < pending_max;
        if (to->dropped != 0 && to->lines_in_second == 0 && room)
            to->pending.emplace_back(subscription::line{
                log_level::warning,
                fmt::format("{} log lines were dropped", std::exchange(to->dropped, 0))});
        if (!room || to->lines_in_second >= lines_per_second) {
            ++to->dropped;
            ++to->counted->lines_dropped;
            return;
        }
        ++to->lines_in_second;
        to->pending.emplace_back(subscription::line{level, std::move(text)});
        queue(to);
    }
    wake_up();
}

// Precondition: the lock.
void dispatcher::queue(const std::shared_ptr<subscription>& which) {
    if (!which->queued)
        ready_.push_back(which);
    which->queued = true;
}

void dispatcher::wake_up() {
    agent* wake = nullptr;
    {
        const std::lock_guard guard(mutex_);
        wake = agent_;
        if (wake == nullptr) {
            if (starting_)
                return;
            starting_ = true;
        }
    }
    if (wake != nullptr) {
        through_->unpark(wake);
        return;
    }
    auto begun = through_->spawn("hadr-events", [self = shared_from_this()] { self->turn(); });
    const std::lock_guard guard(mutex_);
    if (begun)
        running_ = std::move(*begun);
    else
        starting_ = false; // The next event tries again.
}

void dispatcher::turn() {
    agent* const self = through_->self();
    {
        const std::lock_guard guard(mutex_);
        agent_ = self;
    }
    for (;;) {
        while (deliver_one()) {
        }
        {
            const std::lock_guard guard(mutex_);
            if (!ready_.empty())
                continue;
            if (stopping_)
                return;
        }
        through_->park(self, time_point::max());
    }
}

bool dispatcher::deliver_one() {
    std::shared_ptr<subscription> to;
    subscription::item what;
    {
        const std::lock_guard guard(mutex_);
        if (ready_.empty())
            return false;
        to = std::move(ready_.front());
        ready_.pop_front();
        to->queued = false;
        if (!to->active || to->pending.empty())
            return true;
        what = std::move(to->pending.front());
        to->pending.pop_front();
        if (!to->pending.empty())
            queue(to);
        to->running = true;
    }
    to->call(what);
    std::vector<agent*> wake;
    {
        const std::lock_guard guard(mutex_);
        to->running = false;
        wake.swap(to->awaiting_end);
    }
    for (auto* one : wake)
        through_->unpark(one);
    return true;
}

bool dispatcher::stop(time_point until) {
    agent* wake = nullptr;
    std::unique_ptr<started> running;
    {
        const std::lock_guard guard(mutex_);
        stopping_ = true;
        wake = agent_;
        running = std::move(running_);
    }
    if (!running)
        return true;
    if (wake != nullptr)
        through_->unpark(wake);
    // From within a listener there is nobody to wait for: the agent ends after this call.
    if (wake != nullptr && wake == through_->self())
        return true;
    return running->join(until);
}

}
