// SPDX-License-Identifier: Apache-2.0
#include "runtime/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::runtime {

class dispatcher::subscription {
public:
    listener to;
    std::shared_ptr<tally> counted;
    std::deque<event> pending;
    bool active = true;
    bool queued = false;
    bool running = false;
    std::vector<agent*> awaiting_end;
};

dispatcher::dispatcher(std::shared_ptr<world> in) : through_(std::move(in)) {}

std::shared_ptr<dispatcher::subscription>
dispatcher::subscribe(listener to, std::shared_ptr<tally> counted) {
    auto made = std::make_shared<subscription>();
    made->to = std::move(to);
    made->counted = std::move(counted);
    return made;
}

void dispatcher::unsubscribe(const std::shared_ptr<subscription>& which) {
    agent* const self = through_->self();
    for (;;) {
        {
            const std::lock_guard guard(mutex_);
            which->active = false;
            which->pending.clear();
            std::erase(which->awaiting_end, self);
            if (!which->running || self == agent_)
                return;
            which->awaiting_end.push_back(self);
        }
        through_->park(self, time_point::max());
    }
}

void dispatcher::tell(const std::vector<std::shared_ptr<subscription>>& whom, const event& what) {
    {
        const std::lock_guard guard(mutex_);
        if (stopping_)
            return;
        for (const auto& one : whom) {
            if (!one->active)
                continue;
            // The newest of the same kind takes up the others once the listener lags (rulings 16).
            const auto same = one->pending.size() < pending_max
                                  ? one->pending.end()
                                  : std::find_if(
                                        one->pending.begin(),
                                        one->pending.end(),
                                        [&](const event& other) { return other.what == what.what; }
                                    );
            auto kept = what;
            if (same != one->pending.end()) {
                kept.count += same->count;
                one->pending.erase(same);
                ++one->counted->coalesced;
            }
            one->pending.push_back(std::move(kept));
            if (!one->queued) {
                one->queued = true;
                ready_.push_back(one);
            }
        }
    }
    wake_up();
}

void dispatcher::log(const log_sink& to, log_level level, std::string text) {
    if (!to)
        return;
    const auto now = through_->now();
    {
        const std::lock_guard guard(mutex_);
        if (stopping_)
            return;
        if (now - second_ >= std::chrono::seconds(1)) {
            if (lines_dropped_ != 0)
                lines_.push_back(
                    {to,
                     log_level::warning,
                     fmt::format("{} log lines were dropped", lines_dropped_)}
                );
            second_ = now;
            lines_in_second_ = 0;
            lines_dropped_ = 0;
        }
        if (lines_in_second_ >= lines_per_second) {
            ++lines_dropped_;
            return;
        }
        ++lines_in_second_;
        lines_.push_back({to, level, std::move(text)});
    }
    wake_up();
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
            if (!ready_.empty() || !lines_.empty())
                continue;
            if (stopping_)
                return;
        }
        through_->park(self, time_point::max());
    }
}

bool dispatcher::deliver_one() {
    std::shared_ptr<subscription> to;
    event what;
    std::optional<line> text;
    {
        const std::lock_guard guard(mutex_);
        if (!lines_.empty()) {
            text = std::move(lines_.front());
            lines_.pop_front();
        } else if (!ready_.empty()) {
            to = std::move(ready_.front());
            ready_.pop_front();
            to->queued = false;
            if (!to->active || to->pending.empty())
                return true;
            what = std::move(to->pending.front());
            to->pending.pop_front();
            if (!to->pending.empty()) {
                to->queued = true;
                ready_.push_back(to);
            }
            to->running = true;
        } else {
            return false;
        }
    }
    if (text)
        write(*text);
    else
        call(to, what);
    return true;
}

void dispatcher::call(const std::shared_ptr<subscription>& to, const event& what) {
    try {
        to->to(what);
    } catch (...) {
        ++to->counted->failed;
    }
    std::vector<agent*> wake;
    {
        const std::lock_guard guard(mutex_);
        to->running = false;
        wake.swap(to->awaiting_end);
    }
    for (auto* one : wake)
        through_->unpark(one);
}

void dispatcher::write(const line& what) {
    try {
        what.to(what.level, what.text);
    } catch (...) {
        const std::lock_guard guard(mutex_);
        ++lines_dropped_;
    }
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
