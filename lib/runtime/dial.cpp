// SPDX-License-Identifier: Apache-2.0
#include "runtime/dial.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::runtime {

namespace {

// A refusal of who we are or what we ask for: another address of the same server would only repeat
// it, and count towards a lockout (F26, F27).
bool final_refusal(const failure& why) noexcept {
    return why.next == advice::give_up;
}

}

std::shared_ptr<dial> dial::begin(const place& at, target to, time_point until, ended then) {
    std::shared_ptr<dial> made(new dial(at, std::move(to), until, std::move(then)));
    made->deadline_ = at.on.at(until, [made] { made->late(); });
    made->resolve();
    return made;
}

dial::dial(const place& at, target to, time_point until, ended then)
    : at_(at)
    , to_(std::move(to))
    , limit_(until - at.on.now())
    , until_(until)
    , then_(std::move(then)) {}

void dial::abandon() {
    then_ = nullptr;
    release_jobs();
}

bool dial::may_queue() const noexcept {
    return to_.why == purpose::lend || to_.why == purpose::warm;
}

bool dial::queued() const noexcept {
    return may_queue() && begun_ != 0 && !taken_;
}

void dial::late() {
    if (!queued())
        fail_all();
}

void dial::taken() {
    if (!then_ || taken_ || !may_queue())
        return;
    taken_ = true;
    at_.on.cancel(deadline_);
    until_ = at_.on.now() + limit_;
    deadline_ = at_.on.at(until_, [self = shared_from_this()] { self->late(); });
    if (begun_ < attempts_.size())
        stagger_next();
}

void dial::stagger_next() {
    next_ = at_.on.at(at_.on.now() + stagger, [self = shared_from_this()] { self->try_next(); });
}

void dial::resolve() {
    if (to_.at.local_socket() || to_.at.host.empty()) {
        resolved(std::vector<std::string>{std::string()});
        return;
    }
    // An answer may come after everything here has ended, or never: it keeps nothing alive.
    const auto answered = [kept = weak_from_this(),
                           on = at_.on.weak_from_this()](world::addresses found) {
        const auto home = on.lock();
        auto self = kept.lock();
        if (!home || !self)
            return;
        home->post([self = std::move(self), found = std::move(found)]() mutable {
            self->resolved(std::move(found));
        });
    };
    at_.on.through().resolve(to_.at.host, until_, answered);
}

void dial::resolved(world::addresses found) {
    if (!then_)
        return;
    if (!found || found->empty()) {
        failures_.push_back(
            found ? make_failure(
                        errc::unreachable,
                        advice::retry,
                        fmt::format("{} has no address", to_.at.host)
                    )
                  : found.error()
        );
        fail_all();
        return;
    }
    for (auto& address : *found) {
        if (attempts_.size() == addresses_max)
            break;
        attempts_.push_back({std::move(address), {}});
    }
    try_next();
}

void dial::try_next() {
    at_.on.cancel(next_);
    if (!then_ || begun_ == attempts_.size())
        return;
    const auto which = begun_++;
    auto to = to_;
    to.address = attempts_[which].address;
    const auto job = [self = shared_from_this(),
                      which,
                      to = std::move(to),
                      home = at_.on.shared_from_this(),
                      by = at_.through,
                      calls = at_.calls,
                      until = until_,
                      limit = limit_,
                      queued = queued()](const workers::ticket& own) {
        if (queued)
            home->post([self] { self->taken(); });
        const auto end = queued ? home->through().now() + limit : until;
        auto how = by->connect(to, end, home->through(), calls);
        if (own.abandoned())
            return; // Nobody waits: the session ends here, on this worker.
        auto shared = std::make_shared<expected<std::unique_ptr<session>>>(std::move(how));
        home->post([self, which, shared] { self->tried(which, std::move(*shared)); });
    };
    attempts_[which].job =
        at_.by.run(job, to_.why == purpose::watch || to_.why == purpose::witness);
    if (!attempts_[which].job) {
        auto why = make_failure(errc::unreachable, advice::retry, "no thread for a login (F48)");
        why.native = local_cause;
        // Not at once: whoever began this dial has yet to hear of it.
        at_.on.post([self = shared_from_this(), which, why = std::move(why)] {
            self->tried(which, why);
        });
        return;
    }
    if (begun_ < attempts_.size() && !queued())
        stagger_next();
}

void dial::tried(std::size_t which, expected<std::unique_ptr<session>> how) {
    attempts_[which].over = true;
    if (!then_) {
        if (how)
            dispose(at_.by, std::move(*how));
        return;
    }
    if (how) {
        finish(std::move(how));
        return;
    }
    failures_.push_back(how.error());
    const bool over = std::all_of(attempts_.begin(), attempts_.end(), [](const attempt& one) {
        return one.over;
    });
    if (over || final_refusal(how.error()))
        fail_all();
    else
        try_next();
}

void dial::fail_all() {
    if (!then_)
        return;
    // The most telling one: a server's own word before a silence.
    const auto told = std::find_if(failures_.begin(), failures_.end(), [](const failure& one) {
        return !one.sqlstate.empty() || one.next == advice::give_up;
    });
    if (told != failures_.end()) {
        finish(*told);
        return;
    }
    if (failures_.empty() || at_.on.now() >= until_)
        finish(make_failure(
            errc::deadline_exceeded,
            advice::retry,
            fmt::format(
                "no login to {} in time{}",
                to_string(to_.at),
                failures_.empty() ? "" : "; " + failures_.back().message
            )
        ));
    else
        finish(failures_.back());
}

void dial::finish(expected<std::unique_ptr<session>> how) {
    auto then = std::move(then_);
    then_ = nullptr;
    release_jobs();
    then(std::move(how));
}

void dial::release_jobs() {
    at_.on.cancel(deadline_);
    at_.on.cancel(next_);
    for (auto& one : attempts_)
        if (one.job && !one.over) {
            one.job.abandon();
            ++given_up_;
        }
}

void dispose(workers& by, std::shared_ptr<session> old) {
    if (old && old.use_count() > 1)
        old->sever(); // A cancel request holds it for a while yet.
    if (!old || !old->closes_slowly())
        return;
    old->sever();
    auto kept = std::make_shared<std::shared_ptr<session>>(std::move(old));
    by.run([kept](const workers::ticket&) { kept->reset(); }, false);
}

}
