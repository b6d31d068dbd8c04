// SPDX-License-Identifier: Apache-2.0
#include "runtime/watcher.hpp"

#include "core/backoff.hpp"
#include "core/mark.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace hadr::inline v0::runtime {

namespace {

constexpr std::string_view no_such_database = "3D000";

// Who may connect to a database is said of that database; a watcher may as well use another's.
bool of_one_database(const failure& why) noexcept {
    return why.sqlstate == no_such_database || why.sqlstate == "28000" || why.sqlstate == "42501";
}

}

watcher::watcher(const dial::place& at, endpoint where, purpose why)
    : at_(at)
    , where_(std::move(where))
    , why_(why) {}

watcher::~watcher() {
    close();
}

watcher::subscriber watcher::subscribe(subscription what) {
    if (!with_)
        with_ = what.with;
    const auto before = databases().size();
    subscribers_.push_back(std::move(what));
    const auto now = databases().size();
    if (now != before && blocked_ && of_one_database(*blocked_)) {
        database_ = refusals_ = before; // The new one, and the last to be refused.
        unblock();
    }
    return std::prev(subscribers_.end());
}

void watcher::unsubscribe(subscriber which) {
    subscribers_.erase(which);
}

void watcher::want(subscriber which, inquiry what) {
    which->wanted = std::move(what);
    schedule();
}

void watcher::rest(subscriber which) {
    if (!which->wanted || asking_ || dialing_)
        return;
    which->wanted.reset();
    schedule();
}

void watcher::block(const failure& why) {
    blocked_ = why;
    at_.on.cancel(unblock_);
    unblock_ = at_.on.at(at_.on.now() + block_time, [this] { unblock(); });
}

void watcher::unblock() {
    at_.on.cancel(unblock_);
    if (!blocked_)
        return;
    blocked_.reset();
    schedule();
}

std::vector<std::string_view> watcher::databases() const {
    std::vector<std::string_view> all;
    for (const auto& one : subscribers_) {
        const std::string_view its = one.database.empty() ? one.with->database : one.database;
        if (std::find(all.begin(), all.end(), its) == all.end())
            all.push_back(its);
    }
    return all;
}

// All databases of its subscribers, once each, before it gives up for a while (F26).
bool watcher::ends_logins(const failure& why) {
    if (why.next != advice::give_up)
        return false;
    if (!of_one_database(why))
        return true;
    ++database_;
    if (why.sqlstate == no_such_database || ++refusals_ < databases().size())
        return false;
    refusals_ = 0;
    return true;
}

bool watcher::redial() {
    const auto now = at_.on.now();
    if (closed_ || asking_ || !wire_ || now < redial_after_)
        return false;
    core::mark<"name that led to another cluster tried again">();
    redial_after_ = now + redial_time;
    drop();
    schedule();
    return true;
}

void watcher::close() {
    if (closed_)
        return;
    closed_ = true;
    at_.on.cancel(wake_);
    at_.on.cancel(unblock_);
    if (dialing_)
        dialing_->abandon();
    subscribers_.clear();
    if (asking_)
        wire_->sever(); // The exchange ends at its next advance, and drops the session.
    else
        drop();
}

time_point watcher::due(const inquiry& of) const noexcept {
    return wire_ || of.paced ? of.due : std::max(of.due, not_before_);
}

const watcher::subscription* watcher::most_urgent() const {
    const subscription* first = nullptr;
    for (const auto& one : subscribers_)
        if (one.wanted && (first == nullptr || due(*one.wanted) < due(*first->wanted)))
            first = &one;
    return first;
}

void watcher::schedule() {
    at_.on.cancel(wake_);
    const auto* first = most_urgent();
    if (closed_ || asking_ || dialing_ || (blocked_ && !wire_) || first == nullptr)
        return;
    wake_ = at_.on.at(due(*first->wanted), [this] { move(); });
}

watcher::question watcher::form() {
    question made{{}, {}, reconnect_most, at_.on.now(), at_.on.next_sequence()};
    if (const auto* first = most_urgent()) {
        made.text = first->wanted->text;
        made.listens = first->wanted->listens;
        made.limit = first->wanted->limit;
    }
    return made;
}

void watcher::move() {
    if (closed_ || asking_ || dialing_ || most_urgent() == nullptr)
        return;
    if (wire_)
        ask();
    else
        connect();
}

void watcher::connect() {
    const auto first = form();
    const auto all = databases();
    const target to{where_, {}, with_, why_, std::string(all[database_ % all.size()])};
    dialing_ = dial::begin(
        at_,
        to,
        first.asked + first.limit,
        [self = shared_from_this(), first](expected<std::unique_ptr<session>> how) {
            self->connected(std::move(how), first);
        }
    );
}

void watcher::connected(expected<std::unique_ptr<session>> how, const question& first) {
    dialing_.reset();
    if (closed_) {
        if (how)
            dispose(at_.by, std::move(*how));
        return;
    }
    if (!how) {
        core::mark<"watch login failed">();
        auto what = first;
        if (!of_one_database(how.error()))
            what.text.clear();
        lost(what, how.error());
        return;
    }
    wire_ = std::move(*how);
    listening_.clear();
    refusals_ = 0;
    move();
}

void watcher::ask() {
    auto what = form();
    if (listening_ != what.listens)
        listen(std::move(what));
    else
        put(what);
}

void watcher::listen(question what) {
    asking_ = true;
    auto text = what.listens;
    const auto until = what.asked + what.limit;
    at_.on.run(
        *wire_,
        {std::move(text), statement_kind::text, until},
        [self = shared_from_this(), what](const expected<void>& how, answer& none) {
            if (self->closed_ || !how) {
                self->ended(what, how, none);
                return;
            }
            self->listening_ = what.listens;
            self->put(self->form());
        }
    );
}

void watcher::put(const question& what) {
    asking_ = true;
    const bool kept = why_ == purpose::watch && with_->proxy.empty();
    at_.on.run(
        *wire_,
        {what.text,
         statement_kind::text,
         what.asked + what.limit,
         kept ? preparation::kept : preparation::none},
        [self = shared_from_this(), what](const expected<void>& how, answer& brought) {
            self->ended(what, how, brought);
        }
    );
}

void watcher::ended(const question& what, const expected<void>& how, answer& brought) {
    asking_ = false;
    if (closed_) {
        drop();
        return;
    }
    if (how) {
        failures_ = 0;
        answered_with(what, std::move(brought));
    } else if (wire_->usable()) {
        answered_with(what, how.error());
    } else if (at_.on.now() >= what.asked + what.limit) {
        lost(
            what,
            make_failure(
                errc::deadline_exceeded,
                advice::retry,
                fmt::format("{} is silent", to_string(where_))
            )
        );
    } else {
        lost(what, how.error());
    }
}

void watcher::answered_with(const question& what, std::variant<answer, failure> brought) {
    const auto self = shared_from_this(); // News may release this watcher.
    answered told{{}, what.asked, what.sequence, at_.on.now(), std::move(brought)};
    for (auto one = subscribers_.begin(); one != subscribers_.end();) {
        const auto current = one++;
        if (!current->wanted || (!what.text.empty() && current->wanted->text != what.text))
            continue;
        current->wanted.reset();
        told.of = current->of;
        current->tell(told);
    }
    if (closed_)
        return;
    take_pushes();
    attend();
    schedule();
}

// While idle the session still hears pushes and the server's end.
void watcher::attend() {
    if (closed_ || asking_ || !wire_)
        return;
    const auto idle = wire_->waits_for();
    if (idle.descriptor >= 0) {
        descriptor_ = idle.descriptor;
        at_.on.watch(descriptor_, idle.wanted, *this);
    } else if (!polled_) {
        polled_ = true;
        at_.on.poll(*this);
    }
}

void watcher::lost(const question& what, failure why) {
    drop();
    core::mark<"watch session lost">();
    ++failures_;
    const core::backoff_rule rule{reconnect_first, reconnect_most};
    not_before_ = at_.on.now() + core::delay(rule, failures_, at_.on.through().random());
    if (ends_logins(why))
        block(why);
    answered_with(what, std::move(why));
}

void watcher::drop() {
    if (descriptor_ >= 0)
        at_.on.forget(descriptor_);
    descriptor_ = -1;
    if (polled_)
        at_.on.unpoll(*this);
    polled_ = false;
    dispose(at_.by, std::move(wire_));
    wire_.reset();
}

void watcher::take_pushes() {
    while (wire_ && !closed_) {
        auto message = wire_->take_push();
        if (!message)
            return;
        pushed told{{}, at_.on.now(), std::move(message->channel), std::move(message->payload)};
        for (auto one = subscribers_.begin(); one != subscribers_.end();) {
            const auto current = one++;
            told.of = current->of;
            current->tell(told);
        }
    }
}

void watcher::ready(readiness /*what*/) {
    if (asking_ || !wire_ || closed_)
        return;
    const auto self = shared_from_this();
    wire_->advance();
    take_pushes();
    if (!wire_ || closed_ || wire_->usable())
        return;
    lost(
        form(),
        make_failure(
            errc::outcome_unknown,
            advice::retry,
            fmt::format("{} closed the watch session", to_string(where_))
        )
    );
}

std::shared_ptr<watcher> watchers::of(
    const dial::place& at,
    const endpoint& where,
    const std::shared_ptr<const profile>& with,
    purpose why
) {
    for (const auto& one : all_)
        if (one->where() == where && one->why() == why && same_credentials(one->with(), *with))
            return one;
    all_.push_back(std::make_shared<watcher>(at, where, why));
    return all_.back();
}

void watchers::released(const std::shared_ptr<watcher>& which) {
    if (!which->unused())
        return;
    which->close();
    std::erase(all_, which);
}

bool same_credentials(const profile& a, const profile& b) noexcept {
    return a.user == b.user && a.password == b.password && a.password_file == b.password_file &&
           a.password_environment == b.password_environment && !a.password_asked &&
           !b.password_asked && a.encrypt == b.encrypt &&
           a.root_certificate == b.root_certificate && a.certificate == b.certificate &&
           a.certificate_key == b.certificate_key && a.certificate_host == b.certificate_host &&
           a.binding == b.binding && a.proxy == b.proxy && a.kerberos == b.kerberos &&
           a.odbc_driver == b.odbc_driver && a.odbc_source == b.odbc_source &&
           a.passed_through == b.passed_through;
}

}
