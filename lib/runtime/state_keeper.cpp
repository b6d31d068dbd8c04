// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_keeper.hpp"

#include <utility>

namespace hadr::inline v0::runtime {

state_keeper::state_keeper(std::shared_ptr<world> in, std::function<void(const failure&)> failed)
    : world_(std::move(in))
    , failed_(std::move(failed)) {}

void state_keeper::keep(content what, workers& by) {
    const auto now = world_->now();
    {
        const std::lock_guard guard(mutex_);
        if (busy_) {
            wanted_ = std::move(what); // Who writes takes it next.
            return;
        }
        if (what == written_ || now < not_before_)
            return;
        wanted_ = std::move(what);
        busy_ = true;
    }
    if (by.run([self = shared_from_this()](const workers::ticket&) { self->write(); }, true))
        return;
    const std::lock_guard guard(mutex_);
    busy_ = false;
    not_before_ = now + retry_time;
}

std::optional<state_keeper::content> state_keeper::next() {
    const std::lock_guard guard(mutex_);
    auto made = std::exchange(wanted_, std::nullopt);
    if (made == written_)
        made.reset();
    busy_ = made.has_value();
    return made;
}

void state_keeper::write() {
    while (auto what = next()) {
        const auto how = world_->save(what->path, what->bytes);
        const auto now = world_->now();
        bool news = false;
        {
            const std::lock_guard guard(mutex_);
            news = !how && !failing_;
            failing_ = !how;
            if (how) {
                written_ = *std::move(what);
                continue;
            }
            busy_ = false;
            not_before_ = now + retry_time;
        }
        if (news)
            failed_(how.error());
        return;
    }
}

}
