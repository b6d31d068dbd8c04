// SPDX-License-Identifier: Apache-2.0
#include "core/mark.hpp"
#include "core/statement_class.hpp"
#include "runtime/hand_out.hpp"

#include <algorithm>

namespace hadr::inline v0::runtime {

namespace {

failure open_outcome(std::string_view why) {
    return make_failure(errc::outcome_unknown, advice::verify, std::string(why));
}

bool may_have_committed(const slot& held) noexcept {
    return held.committed_in == held.lending();
}

// Through the native handle anything may have been done, a commit included.
bool taken_natively(const slot& held) noexcept {
    return held.native_in == held.lending();
}

// And the driver cannot tell what.
bool unknown_natively(const slot& held) noexcept {
    return taken_natively(held) && held.wire->transaction() == transaction_status::unknown;
}

// A COMMIT outside of a transaction is answered COMMIT too, and would commit nothing.
commit_result nothing_to_commit(const slot& held) {
    if (may_have_committed(held) || taken_natively(held))
        return {
            outcome::in_doubt,
            open_outcome("no transaction is open on this session any more, and what was written "
                         "may be committed already")};
    return {
        outcome::not_committed,
        make_failure(
            errc::rejected_by_server, advice::give_up, "no transaction is open on this session"
        )};
}

}

commit_result store::commit(slot& held, deadline until) {
    answer into;
    if (ended_by_itself(held))
        return nothing_to_commit(held);
    const bool before = may_have_committed(held) || unknown_natively(held);
    const auto how = execute(held, {core::commit_text, {}, statement_kind::commit}, into, until);
    if (!how) {
        // The child of a fork cannot know what its parent does with the transaction.
        const bool undone = definite(how.error().code) && !before;
        core::mark<"commit failed">();
        return {undone ? outcome::not_committed : outcome::in_doubt, how.error()};
    }
    if (into.tag() != core::commit_tag)
        return {outcome::in_doubt, open_outcome("COMMIT was answered " + escaped(into.tag(), 40))};
    if (into.transaction() == transaction_status::open)
        return {
            outcome::in_doubt,
            open_outcome("COMMIT has ended a transaction inside of another one, which is still "
                         "open: what that one becomes is not known yet")};
    const auto& notices = into.notices();
    const auto local = std::find_if(notices.begin(), notices.end(), [](const notice& one) {
        return one.sqlstate == core::local_commit_warning;
    });
    if (local == notices.end()) {
        core::mark<"commit acknowledged">();
        return {outcome::committed, std::nullopt};
    }
    core::mark<"commit is local only">();
    auto why = make_failure(
        errc::outcome_unknown,
        advice::verify,
        "committed here, but perhaps not replicated: a failover may lose it (F40)"
    );
    why.sqlstate = local->sqlstate;
    why.server_text = local->text;
    return {outcome::committed_local, std::move(why)};
}

// One run of the closure inside one transaction.
commit_result store::run_once(
    lease& held,
    std::string_view begin,
    const std::function<expected<void>(lease&)>& work,
    deadline until
) {
    auto& place = *lease_access::slot_of(held);
    answer ignored;
    auto ran = execute(place, {begin}, ignored, until);
    if (!ran)
        return {outcome::not_committed, ran.error()};
    if (ended_by_itself(place))
        return {
            outcome::not_committed,
            make_failure(
                errc::rejected_by_server,
                advice::give_up,
                "no transaction is open after the statement that was to begin one"
            )};
    const auto lending = place.lending();
    place.began_in = lending;
    place.committed_in = 0;
    ran = work(held);
    if (lease_access::slot_of(held) != &place || place.lending() != lending)
        return {
            outcome::in_doubt,
            open_outcome("the closure gave its lease away, and with it the transaction")};
    place.began_in = 0;
    const bool over = place.over_in == lending;
    const bool outside = ended_by_itself(place);
    if (ran && !over && !outside)
        return commit(place, until);
    if (may_have_committed(place) || unknown_natively(place) || (outside && !over))
        return {
            outcome::in_doubt,
            ran ? open_outcome("the closure ended the transaction itself; transact() commits it")
                : ran.error()};
    // Before COMMIT was sent a lost session is a rolled-back transaction, whatever its statement's
    // fate.
    if (!ran)
        return {outcome::not_committed, ran.error()};
    return {
        outcome::not_committed,
        make_failure(
            errc::rejected_by_server,
            place.after,
            "a statement that failed, or ROLLBACK, has undone the transaction"
        )};
}

commit_result
store::transact(const transaction_options& how, const std::function<expected<void>(lease&)>& work) {
    const auto end =
        deadline::at(how.until.resolve(through().now(), current()->spec->acquire_timeout));
    commit_result last{outcome::not_committed, std::nullopt};
    for (int attempt = 1; attempt <= std::max(how.attempts_max, 1); ++attempt) {
        auto held = acquire({.intent = intent::write, .until = end});
        if (!held) {
            core::mark<"transaction found no session">();
            return {outcome::not_committed, held.error()};
        }
        last = run_once(*held, how.begin, work, end);
        const bool again = last.ended == outcome::not_committed && last.cause &&
                           last.cause->next != advice::give_up;
        if (!again || through().now() >= end.resolve({}, {})) {
            core::mark<"transaction ended">();
            return last;
        }
    }
    return last;
}

}
