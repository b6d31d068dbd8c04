// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/session.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

namespace hadr::inline v0::odbc {

namespace {

/// Where nobody says how long a statement may take: the library's own, whose times are short.
constexpr duration own_limit = std::chrono::seconds(15);

constexpr std::size_t parameters_max = 65535;

failure no_agent() {
    auto why = make_failure(
        errc::unreachable, advice::retry, "no thread for a call of the ODBC driver (F48)"
    );
    why.native = local_cause;
    return why;
}

failure refused(std::string_view message) {
    return make_failure(errc::rejected_by_server, advice::give_up, std::string(message));
}

}

odbc_session::odbc_session(std::shared_ptr<call> of, surroundings in)
    : of_(std::move(of))
    , in_(std::move(in)) {}

odbc_session::~odbc_session() {
    if (sent_)
        give_up();
}

// What a stuck agent of the parent holds is not here; nothing may be freed that could tell the
// server.
void odbc_session::abandon() noexcept {
    sent_ = false;
    static_cast<void>(new (std::nothrow) std::shared_ptr<call>(of_));
}

std::optional<failure> odbc_session::unfit(const statement& what) {
    if (severed_.load() || lost_) // The call may be another agent's.
        return lost_before();
    const auto holds_nul = [](std::string_view text) {
        return text.find('\0') != std::string_view::npos;
    };
    of_->asked.again = what.prepare == preparation::kept && of_->repeats(what.text);
    if ((!of_->asked.again && holds_nul(what.text)) ||
        std::any_of(what.parameters.begin(), what.parameters.end(), [&](const parameter& one) {
            return one && holds_nul(*one);
        }))
        return refused("a text with a zero byte is not sent");
    if (what.parameters.size() > parameters_max)
        return refused("ODBC takes 65,535 parameters at most");
    auto open = ending::open;
    if (what.kind == statement_kind::commit &&
        !ending_.compare_exchange_strong(open, ending::commit_left))
        return make_failure(
            errc::unreachable,
            advice::retry,
            "COMMIT was not sent, since a cancel request under way might hit it (C6)"
        );
    return std::nullopt;
}

void odbc_session::copy(const statement& what) {
    auto& asked = of_->asked;
    asked.kind = what.kind;
    asked.kept = what.prepare == preparation::kept;
    if (!asked.again)
        asked.text = what.text;
    asked.bound = asked.again && of_->put(what.parameters);
    if (asked.bound)
        return;
    asked.parameters.clear();
    if (asked.values.size() < what.parameters.size())
        asked.values.resize(what.parameters.size());
    for (std::size_t i = 0; i < what.parameters.size(); ++i) {
        const auto& from = what.parameters[i];
        if (from)
            asked.values[i] = *from;
        asked.parameters.push_back(from ? parameter(asked.values[i]) : std::nullopt);
    }
}

void odbc_session::take_on(const statement& what, answer& into, duration limit) {
    assert(!under_way_ && !failed_);
    under_way_ = true;
    sent_ = false;
    into_ = &into;
    into.clear();
    if ((failed_ = unfit(what)))
        return;
    copy(what);
    of_->asked.limit = limit;
}

// False if there is no agent for it.
bool odbc_session::hand_over() {
    auto& to = *of_;
    to.through = &in_.through;
    to.asker = in_.through.self();
    asker_.store(to.asker);
    to.move(call::stage::idle, call::stage::asked);
    sent_ = true;
    if (in_.by->run(of_))
        return true;
    to.move(call::stage::asked, call::stage::idle);
    sent_ = false;
    failed_ = no_agent();
    return false;
}

void odbc_session::start(const statement& what, answer& into, completion& done) {
    take_on(what, into, own_limit);
    done_ = &done;
    if (failed_)
        return;
    if (in_.by) {
        hand_over();
        return;
    }
    of_->move(call::stage::idle, call::stage::ended);
    sent_ = true;
    of_->run_here();
}

// Whether it has ended, and then the answer is complete.
bool odbc_session::over() {
    if (sent_ && of_->at() != call::stage::ended) {
        if (!severed_.load())
            return false;
        give_up();
    }
    if (sent_)
        take_answer();
    asker_.store(nullptr);
    auto left = ending::commit_left;
    ending_.compare_exchange_strong(left, ending::open);
    under_way_ = false;
    into_ = nullptr;
    return true;
}

void odbc_session::take_answer() {
    auto& ended = of_->ended;
    sent_ = false;
    lost_ = lost_ || ended.lost;
    transaction_ = ended.transaction;
    for (auto& one : ended.notices)
        into_->add_notice(std::move(one));
    if (ended.failed) {
        failed_ = std::exchange(ended.failed, std::nullopt);
    } else {
        auto& result = of_->result();
        result.hold();
        into_->keep(&result, reader, result.rows(), result.columns());
        into_->finish(transaction_);
    }
    of_->move(call::stage::ended, call::stage::idle);
}

// The agent that is stuck in the driver keeps what it needs; this session is over. Nothing is given
// up that has just ended.
void odbc_session::give_up() {
    const bool unbegun = of_->move(call::stage::asked, call::stage::given_up);
    if (!unbegun && !of_->move(call::stage::running, call::stage::given_up))
        return;
    sent_ = false;
    lost_ = true;
    failed_ = unbegun ? lost_before() : lost();
    in_.by->abandon(of_);
}

expected<void> odbc_session::outcome() {
    if (failed_)
        return *std::exchange(failed_, std::nullopt);
    return {};
}

void odbc_session::advance() {
    if (under_way_ && over())
        std::exchange(done_, nullptr)->completed(outcome());
}

expected<void> odbc_session::run(const statement& what, answer& into, patience& with) {
    take_on(what, into, with.longest());
    if (!failed_) {
        if (!in_.by || in_.profile.keeps_deadlines) {
            of_->move(call::stage::idle, call::stage::ended);
            sent_ = true;
            of_->run_here();
        } else {
            hand_over();
        }
    }
    while (!over())
        if (!with.wait({}))
            sever();
    return outcome();
}

void odbc_session::sever() noexcept {
    severed_.store(true);
    if (auto* const who = asker_.load())
        in_.through.unpark(who);
}

expected<void> odbc_session::request_cancel(time_point /*until*/) {
    if (!in_.profile.cancels)
        return refused("this ODBC driver cannot cancel a statement; sever the session instead");
    if (in_.cancel_in_clear)
        return refused(
            "the ODBC driver would send the cancel key in clear text; sever the session instead"
        );
    auto state = ending::open;
    if (!ending_.compare_exchange_strong(state, ending::cancelling))
        return refused(
            state == ending::commit_left
                ? "COMMIT may have left: cancelling it could make it succeed without being "
                  "replicated (C6)"
                : "a cancel request is under way already"
        );
    const auto held = of_; // Its handles live as long as this may take.
    const bool sent = held->cancel();
    ending_.store(ending::open);
    if (sent)
        return {};
    return make_failure(errc::unreachable, advice::retry, "the cancel request could not be sent");
}

bool odbc_session::usable() const noexcept {
    return !severed_.load() && !lost_;
}

transaction_status odbc_session::transaction() const noexcept {
    return under_way_ || !usable() ? transaction_status::unknown : transaction_;
}

void* odbc_session::native() noexcept {
    if (under_way_ || lost_)
        return nullptr;
    of_->handed_over();
    transaction_ = transaction_status::unknown;
    return of_->handle();
}

}
