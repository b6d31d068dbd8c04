// SPDX-License-Identifier: Apache-2.0
#include "core/mark.hpp"
#include "core/statement_class.hpp"
#include "runtime/blocking.hpp"
#include "runtime/hand_out.hpp"

#include <algorithm>
#include <mutex>

namespace hadr::inline v0::runtime {

namespace {

constexpr duration cancel_time = std::chrono::seconds(5);
constexpr std::size_t remembered_text_max = 1000;

[[gnu::noinline]] failure nothing_sent_in_time() {
    return make_failure(
        errc::deadline_exceeded, advice::retry, "the deadline was past before anything was sent"
    );
}

// C7: what is known not to have been sent is not of unknown outcome.
bool past(deadline until, const world& through) noexcept {
    return until.fixed() ? through.now() >= until.resolve({}, {})
                         : until.length(duration::max()) <= duration::zero();
}

[[gnu::noinline]] void classify_anew(slot& held, std::string_view text) {
    held.found = core::classify(text, held.home->of.engine_of_store());
    held.classified = text.size() <= remembered_text_max ? text : std::string_view();
}

// What was meant for a transaction would commit by itself.
[[gnu::noinline]] failure after_its_transaction(const slot& held) {
    return make_failure(
        errc::rejected_by_server,
        held.after,
        "not sent: the transaction that it belongs to has ended before"
    );
}

statement as_kind(statement what, statement_kind kind) noexcept {
    what.kind = kind;
    return what;
}

// The same text again is compared, which costs a fraction of reading it.
const core::statement_class& class_of(slot& held, std::string_view text) {
    if (held.classified != text || text.empty())
        classify_anew(held, text);
    return held.found;
}

}

[[gnu::always_inline]] inline expected<void>
store::send(slot& held, const statement& what, answer& into, deadline until) {
    const slow_call slow{
        [](void* self) {
            const auto& home = *static_cast<slot*>(self)->home;
            home.of.suspect(home.member);
        },
        &held};
    const auto otherwise = statement_timeout_.load(std::memory_order_relaxed);
    attention with(through(), until, otherwise, slow);
    if (!with.ample() && past(until, through()))
        return nothing_sent_in_time();
    auto how = run_blocking(*held.wire, what, into, with);
    if (how)
        held.in_transaction = into.transaction() != transaction_status::idle;
    else
        failed(held, how.error());
    return how;
}

// A plain query by itself: it pays for what it passes through in instructions (M7).
expected<void> store::execute(slot& held, const statement& what, answer& into, deadline until) {
    auto& here = held.home->of;
    if (!here.alive())
        return in_a_child();
    const auto& sort = class_of(held, what.text);
    if (held.over_in == held.lending() && ended_by_itself(held))
        return after_its_transaction(held);
    if (sort.only_reads() && what.kind == statement_kind::text)
        return here.send(held, what, into, until);
    return here.execute_with_care(held, what, into, until);
}

// C7: the server's own refusal, or not a byte sent; anything else may have been done.
bool store::definite(std::error_code code) noexcept {
    return code == errc::rejected_by_server || code == errc::unreachable ||
           code == errc::wrong_role || code == errc::deadline_exceeded;
}

// What may end a transaction, leave a state behind or commit by itself.
expected<void>
store::execute_with_care(slot& held, const statement& what, answer& into, deadline until) {
    const auto sort = class_of(held, what.text);
    auto kind = what.kind == statement_kind::text ? sort.kind : what.kind;
    const bool ends = kind == statement_kind::commit;
    const auto lending = held.lending();
    const auto committed_before = held.committed_in;
    held.dirty |= !sort.clean;
    if (ends && held.began_in == lending)
        held.committed_in = lending;
    const bool was_inside = held.in_transaction;
    // C8: a write of its own commits itself, and a cancel could make that commit a local one (C6).
    if (sort.may_write && kind == statement_kind::text && ended_by_itself(held))
        kind = statement_kind::commit;
    auto how = kind == what.kind ? send(held, what, into, until)
                                 : send(held, as_kind(what, kind), into, until);
    if (how)
        note(held, was_inside, nullptr);
    const bool rolled_back = ends && how && into.tag() == "ROLLBACK";
    if ((rolled_back || (!how && definite(how.error().code))) && core::commits_alone(what.text))
        held.committed_in = committed_before;
    if (rolled_back)
        return make_failure(
            errc::rejected_by_server,
            advice::retry,
            "COMMIT was answered ROLLBACK: the transaction had failed and is not committed (C1)"
        );
    return how;
}

[[gnu::noinline]] void store::failed(slot& held, const failure& why) {
    core::mark<"statement failed">();
    const bool was_inside = held.in_transaction;
    held.in_transaction = held.wire->transaction() != transaction_status::idle;
    note(held, was_inside, &why);
    held.broken = held.broken || !held.wire->usable();
    if (why.code == errc::outcome_unknown)
        count_.outcomes_unknown.fetch_add(1, std::memory_order_relaxed);
    // F37: not writable any more, whatever the cause. A reader's session never was (E7).
    if (why.code == errc::wrong_role) {
        if (held.acceptance.load() != 0)
            held.broken = true;
        else
            core::mark<"reader was refused a write">();
    }
    if (held.broken) {
        core::mark<"session broke under a statement">();
        report(held, why);
    }
}

// C5, C7: what became of a transaction around the statement that has run, or of a write without
// one.
void store::note(slot& held, bool was_inside, const failure* why) noexcept {
    const auto& sort = held.found;
    const auto lending = held.lending();
    const bool ended = was_inside && !held.in_transaction;
    const bool unknown = why != nullptr && why->code == errc::outcome_unknown;
    const bool hidden = sort.hides_commits || sort.kind == statement_kind::commit;
    bool committed = false;
    if (ended)
        committed = why == nullptr ? !sort.undoes : hidden;
    else if (was_inside)
        committed = sort.restarts || (unknown && hidden);
    else if (held.in_transaction && sort.clean)
        held.committed_in = 0; // One begins.
    else
        committed = sort.may_write && (why == nullptr || unknown || hidden);
    if (committed)
        held.committed_in = lending;
    if (ended && held.began_in == lending) {
        held.over_in = lending;
        held.after = why != nullptr ? why->next : advice::give_up;
    }
}

bool store::ended_by_itself(const slot& held) noexcept {
    return held.wire->usable() && held.wire->transaction() == transaction_status::idle;
}

void store::suspect(std::size_t member) {
    shared_->on->post([self = weak_from_this(), member] {
        if (const auto here = self.lock(); here && member < here->pools_.size()) {
            core::mark<"slow statement casts suspicion">();
            here->happened(suspected{member, here->shared_->on->now(), suspected::cause::slow});
        }
    });
}

// E6: what a session of an old generation met says nothing of the present one.
void store::report(const slot& held, const failure& why) {
    shared_->on->post([self = weak_from_this(),
                       pool = held.home,
                       generation = held.generation,
                       why] {
        const auto here = self.lock();
        if (!here || pool->retired || pool->generation != generation) {
            core::mark<"late error of an old generation">();
            return;
        }
        const auto now = here->shared_->on->now();
        if (why.code == errc::wrong_role)
            here->happened(reported{pool->member, now, here->shared_->on->next_sequence(), why});
        else
            here->happened(suspected{pool->member, now});
    });
}

// On a worker, which a silent server may keep for long; it owns all it touches.
expected<void> store::request_cancel(const slot& held, deadline until) {
    if (!alive())
        return in_a_child();
    struct request {
        std::mutex mutex; // Guards how.
        std::optional<expected<void>> how;
    };
    const auto made = std::make_shared<request>();
    const auto end = until.resolve(through().now(), cancel_time);
    agent* const self = through().self();
    const auto job =
        [made, end, self, wire = held.wire, in = shared_->through](const workers::ticket&) {
            auto how = wire->request_cancel(end);
            {
                const std::lock_guard guard(made->mutex);
                made->how = std::move(how);
            }
            in->unpark(self);
        };
    const auto ticket = shared_->by.run(job, true);
    if (!ticket)
        return make_failure(
            errc::unreachable, advice::retry, "no thread for a cancel request (F48)"
        );
    for (;;) {
        const bool late = through().now() >= end;
        {
            const std::lock_guard guard(made->mutex);
            if (made->how)
                return *made->how;
        }
        if (late)
            break;
        through().park(self, end);
    }
    ticket.abandon();
    return make_failure(
        errc::deadline_exceeded,
        advice::retry,
        "the cancel request was not confirmed in time; it may yet take effect"
    );
}

}
