// SPDX-License-Identifier: Apache-2.0
// The course of a statement. Each query pays for what it passes through in instructions (M7): that
// is inlined, and what is rare is kept out of line.
#include "drivers/libpq/errors.hpp"
#include "drivers/libpq/session.hpp"

#include <cassert>

#include <sys/socket.h>

namespace hadr::inline v0::libpq {

[[gnu::always_inline]] inline void libpq_session::commit_over() noexcept {
    if (ending_.load(std::memory_order_relaxed) != ending::commit_left)
        return; // Only this agent makes it so.
    auto left = ending::commit_left;
    ending_.compare_exchange_strong(left, ending::open);
}

void libpq_session::tell_completion() {
    expected<void> how;
    if (failed_)
        how = *std::exchange(failed_, std::nullopt);
    std::exchange(done_, nullptr)->completed(std::move(how));
}

// What it has failed with, if it has, is left for whoever is told of the end.
[[gnu::always_inline]] inline void libpq_session::complete() {
    commit_over();
    unflushed_ = is_.flushing;
    is_.flushing = false;
    is_.first = false;
    into_ = nullptr;
    under_way_ = false;
    if (done_ != nullptr)
        tell_completion();
}

[[gnu::always_inline]] inline void libpq_session::end_well() {
    into_->finish(status_of(of_.get()));
    complete();
}

// The text that was run last, by its name, and nothing else to care for.
[[gnu::always_inline]] inline bool libpq_session::repeats(const statement& what) const noexcept {
    return what.prepare == preparation::kept && prepared_.last_is(what.text) &&
           what.parameters.empty() && what.kind == statement_kind::text && limits_.rows_max == 0 &&
           !handed_over_ && !unflushed_ && !severed_.load(std::memory_order_relaxed);
}

// So small a message fits into the empty buffer of an idle socket; if the kernel would not have it,
// receive() flushes as well. False if nothing was sent.
[[gnu::always_inline]] inline bool libpq_session::repeat(answer& into) {
    assert(!under_way_ && !failed_);
    under_way_ = true;
    into_ = &into;
    into.clear();
    last_words_.clear();
    is_ = {.by_name = true};
    const auto* const name = prepared_.last_name();
    if (PQsendQueryPrepared(of_.get(), name, 0, nullptr, nullptr, nullptr, 0) != 0)
        return true;
    failed_ = not_sent();
    is_.unsent = true;
    return false;
}

[[gnu::always_inline]] inline void libpq_session::end() {
    if (failed_ || is_.preparing || is_.resetting)
        end_of_a_step();
    else
        end_well();
}

// False if the wire is gone.
[[gnu::always_inline]] inline bool libpq_session::receive() {
    auto* const from = of_.get();
    if (PQconsumeInput(from) == 0)
        return false;
    while (under_way_ && !is_.given_up && PQisBusy(from) == 0) {
        auto* const one = PQgetResult(from);
        if (one == nullptr) {
            end();
            break;
        }
        if (PQresultStatus(one) == PGRES_TUPLES_OK && limits_.rows_max == 0) {
            if (is_.result_over)
                begin_again();
            keep(one);
        } else {
            take(result(one));
        }
    }
    if (under_way_) // Else take_push() looks for them.
        collect_pushes();
    return !is_.given_up;
}

[[gnu::always_inline]] inline void libpq_session::step() {
    if (is_.unsent) {
        complete();
        return;
    }
    bool whole = !severed_.load();
    if (whole && is_.flushing) {
        const int left = PQflush(of_.get());
        whole = left >= 0;
        is_.flushing = left == 1;
    }
    if (whole && is_.first)
        is_.first = false;
    else if (!whole || !receive())
        fail_lost();
}

// Nearly always the whole answer is there at once: rows, and the end. What is not of this kind is
// left to step().
[[gnu::always_inline]] inline bool libpq_session::answered_at_once() {
    auto* const from = of_.get();
    if (severed_.load() || PQconsumeInput(from) == 0 || PQisBusy(from) != 0)
        return false;
    auto* const rows = PQgetResult(from);
    if (rows == nullptr)
        return false;
    if (PQresultStatus(rows) != PGRES_TUPLES_OK) {
        take(result(rows));
        return false;
    }
    keep(rows);
    // Ready for the next statement, or else active: then there is more to come.
    const auto now = PQisBusy(from) == 0 ? status_of(from) : transaction_status::unknown;
    if (now == transaction_status::unknown)
        return false;
    into_->finish(now);
    into_ = nullptr;
    under_way_ = false;
    return true;
}

expected<void> libpq_session::run(const statement& what, answer& into, patience& with) {
    if (!repeats(what)) {
        take_on(what, into);
    } else if (repeat(into)) {
        if (!with.wait({guard_, readiness::readable}))
            sever();
        if (answered_at_once())
            return {};
    }
    if (under_way_)
        step();
    while (under_way_) {
        if (!with.wait(waits_for()))
            sever();
        step();
    }
    if (failed_)
        return *std::exchange(failed_, std::nullopt);
    return {};
}

void libpq_session::start(const statement& what, answer& into, completion& done) {
    take_on(what, into);
    done_ = &done;
}

void libpq_session::advance() {
    if (under_way_)
        step();
    else if (PQstatus(of_.get()) == CONNECTION_OK && PQconsumeInput(of_.get()) == 1)
        collect_pushes();
}

void libpq_session::take_on(const statement& what, answer& into) {
    assert(!under_way_ && !failed_);
    under_way_ = true;
    into_ = &into;
    into.clear();
    last_words_.clear();
    is_ = {};
    if (what.kind != statement_kind::reset) {
        begin(what);
    } else {
        is_.resetting = true;
        if (!next_reset_step())
            failed_ = make_failure(
                errc::unreachable,
                advice::retry,
                "the session was left in a state that cannot be reset"
            );
    }
    is_.unsent = failed_.has_value();
}

void libpq_session::begin(const statement& what) {
    const bool keeps = what.prepare == preparation::kept;
    const auto* const name = keeps ? prepared_.name_of(what.text) : nullptr;
    const bool ends = what.kind == statement_kind::commit;
    // Under the extended protocol a statement's tag comes before its commit, and is flushed with
    // whatever the server says as it dies while that commit waits.
    is_.commit_alone =
        ends && !keeps && what.parameters.empty() && what.text.find(';') == std::string_view::npos;
    if ((failed_ = unfit(what, name != nullptr)))
        return;
    if (handed_over_)
        take_back();
    if (!(keeps ? send_kept(what, name) : send(what)))
        failed_ = not_sent();
}

// The text has its name; now it runs.
void libpq_session::now_prepared() {
    is_.preparing = false;
    prepared_.add(kept_.text, std::move(new_name_));
    if (run_prepared(*prepared_.name_of(kept_.text)))
        PQflush(of_.get());
    else {
        failed_ = lost_before();
        complete();
    }
    is_.first = false;
}

// Where it was not a statement that ended well, and no more.
void libpq_session::end_of_a_step() {
    if (failed_) {
        complete();
        return;
    }
    if (is_.preparing) {
        now_prepared();
        return;
    }
    if (!is_.discarding || !discarded()) {
        if (!next_reset_step()) {
            failed_ = make_failure(errc::unreachable, advice::retry, "the session cannot be reset");
            complete();
        } else
            PQflush(of_.get());
        is_.first = false;
        return;
    }
    // What the one before listened to is not the next one's.
    collect_pushes();
    pushes_.clear();
    into_->clear();
    end_well();
}

void libpq_session::fail_lost() {
    if (!severed_.exchange(true))
        shutdown(guard_, SHUT_RDWR);
    if (!failed_ && is_.commit_alone && is_.result_over) { // C1: the server had said so.
        end_well();
        return;
    }
    if (!failed_)
        failed_ = is_.preparing ? lost_before() : lost(last_words_);
    complete();
}

}
