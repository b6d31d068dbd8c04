// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/session.hpp"

#include "drivers/odbc/performing.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

namespace hadr::inline v0::odbc {

namespace {

/// Where nobody says how long a statement may take: the library's own, whose times are short.
constexpr duration own_limit = std::chrono::seconds(15);

constexpr std::size_t parameters_max = 65535;

constexpr std::string_view zero_byte = "a text with a zero byte is not sent";

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
    , in_(std::move(in))
    , on_own_agent_(!in_.by || in_.profile.keeps_deadlines) {}

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

// C6. False if a cancel request is under way.
bool odbc_session::commit_leaves() {
    auto open = ending::open;
    if (ending_.compare_exchange_strong(open, ending::commit_left))
        return true;
    failed_ = make_failure(
        errc::unreachable,
        advice::retry,
        "COMMIT was not sent, since a cancel request under way might hit it (C6)"
    );
    return false;
}

[[gnu::noinline]] bool odbc_session::refuse(std::string_view message) {
    failed_ = refused(message);
    return false;
}

[[gnu::noinline]] bool odbc_session::refuse_lost() {
    failed_ = lost_before();
    return false;
}

[[gnu::always_inline]] inline bool odbc_session::fit(const statement& what) {
    if (severed_.load() || lost_) // The call may be another agent's.
        return refuse_lost();
    const auto holds_nul = [](std::string_view text) {
        return text.find('\0') != std::string_view::npos;
    };
    of_->asked.again = what.prepare == preparation::kept && of_->repeats(what.text);
    if (!of_->asked.again && holds_nul(what.text))
        return refuse(zero_byte);
    for (const auto& one : what.parameters)
        if (one && holds_nul(*one))
            return refuse(zero_byte);
    if (what.parameters.size() > parameters_max)
        return refuse("ODBC takes 65,535 parameters at most");
    return what.kind != statement_kind::commit || commit_leaves();
}

[[gnu::noinline]] void odbc_session::copy(const statement& what) {
    auto& asked = of_->asked;
    asked.kept = what.prepare == preparation::kept;
    if (!asked.again)
        asked.text = what.text;
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

[[gnu::always_inline]] inline bool odbc_session::take_on(const statement& what, answer& into) {
    assert(!under_way_ && !failed_);
    under_way_ = true;
    sent_ = false;
    into_ = &into;
    into.clear();
    if (!fit(what))
        return false;
    auto& asked = of_->asked;
    asked.kind = what.kind;
    asked.bound = asked.again && of_->put(what.parameters);
    if (!asked.bound)
        copy(what);
    return true;
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

[[gnu::noinline]] void odbc_session::take_notices() {
    for (auto& one : of_->ended.notices)
        into_->add_notice(std::move(one));
}

[[gnu::noinline]] void odbc_session::take_failure() {
    failed_ = std::exchange(of_->ended.failed, std::nullopt);
}

[[gnu::always_inline]] inline void odbc_session::take_answer() {
    auto& ended = of_->ended;
    sent_ = false;
    lost_ = lost_ || ended.lost;
    transaction_ = ended.transaction;
    if (!ended.notices.empty()) [[unlikely]]
        take_notices();
    if (ended.failed) [[unlikely]] {
        take_failure();
        return;
    }
    auto& result = of_->result();
    result.hold();
    into_->keep(&result, reader, result.rows(), result.columns());
    into_->finish(transaction_);
}

// On the agent that asks, which waits for as long as it takes.
[[gnu::always_inline]] inline void odbc_session::run_here() {
    of_->run_here();
    take_answer();
}

[[gnu::noinline]] void odbc_session::start_here() {
    run_here();
}

void odbc_session::start(const statement& what, answer& into, completion& done) {
    done_ = &done;
    if (!take_on(what, into))
        return;
    of_->asked.limit = own_limit;
    if (in_.by)
        hand_over();
    else
        start_here();
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

// Of a session that was severed; a statement that ends just now has its answer.
[[gnu::noinline]] void odbc_session::end_at_once() {
    give_up();
    if (!sent_)
        return;
    take_answer();
    of_->move(call::stage::ended, call::stage::idle);
}

[[gnu::always_inline]] inline void odbc_session::end() {
    if (ending_.load() == ending::commit_left) // Nobody else leaves that state.
        ending_.store(ending::open);
    under_way_ = false;
    into_ = nullptr;
}

// Whether it has ended, and then the answer is complete.
[[gnu::always_inline]] inline bool odbc_session::over() {
    if (sent_) {
        if (of_->at() == call::stage::ended) {
            take_answer();
            of_->move(call::stage::ended, call::stage::idle);
        } else if (!severed_.load()) {
            return false;
        } else {
            end_at_once();
        }
    }
    asker_.store(nullptr);
    end();
    return true;
}

[[gnu::noinline]] expected<void> odbc_session::failed() {
    return *std::exchange(failed_, std::nullopt);
}

[[gnu::always_inline]] inline expected<void> odbc_session::outcome() {
    if (failed_) [[unlikely]]
        return failed();
    return {};
}

void odbc_session::advance() {
    if (under_way_ && over())
        std::exchange(done_, nullptr)->completed(outcome());
}

expected<void> odbc_session::run(const statement& what, answer& into, patience& with) {
    const bool fits = take_on(what, into);
    if (fits && of_->limits())
        of_->asked.limit = with.longest();
    if (fits && on_own_agent_) {
        run_here();
        end();
        return outcome();
    }
    if (fits)
        hand_over();
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
