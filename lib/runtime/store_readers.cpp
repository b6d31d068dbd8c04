// SPDX-License-Identifier: Apache-2.0
#include "core/mark.hpp"
#include "runtime/blocking.hpp"
#include "runtime/store.hpp"

#include <fmt/format.h>

// E7: whoever asked to read gets a session in which the server refuses to write. On a standby it is
// made so before it is lent for the first time, since the standby may be promoted. On the primary a
// session goes from writers to readers and back as they ask for it, which costs one round trip.
namespace hadr::inline v0::runtime {

expected<void> store::turn(slot& held, intent to, time_point until) {
    const auto writes = held.acceptance.load();
    const auto kept = held.kept.load();
    const bool to_write = to == intent::write;
    if (to_write ? kept == 0 : writes == 0)
        return {};
    if (through().now() >= until)
        return make_failure(
            errc::deadline_exceeded,
            advice::retry,
            "no time is left to make a session of the other intent fit"
        );
    const auto by = current()->by->read_only();
    const auto text = to_write ? by.off : by.on;
    if (!text.empty()) {
        answer ignored;
        attention with(through(), deadline::at(until), {});
        auto how = run_blocking(*held.wire, {text}, ignored, with);
        held.broken = held.broken || !how || !held.wire->usable();
        if (!how) {
            count_.stale_refused.fetch_add(1, std::memory_order_relaxed);
            return how;
        }
    }
    const auto reading = held.home->reading.load();
    held.reading.store(to_write ? 0 : reading);
    held.kept.store(to_write ? 0 : writes);
    held.acceptance.store(to_write ? kept : 0);
    // E1: judged after the stamp is there, as at any hand-out.
    if (current_stamp(held) && (to_write || reading % 2 == 1)) {
        if (to_write)
            core::mark<"reader's session made to write again">();
        else
            core::mark<"primary's session made read-only for a reader">();
        return {};
    }
    held.broken = true;
    count_.stale_refused.fetch_add(1, std::memory_order_relaxed);
    return make_failure(
        errc::wrong_role,
        advice::retry,
        fmt::format("{} no longer serves this", to_string(held.home->at))
    );
}

// Precondition: busy.
void store::restrain(slot& which) {
    const auto text = adapter_->read_only().on;
    if (text.empty()) {
        make_idle(which);
        return;
    }
    shared_->on->run(
        *which.wire,
        {std::string(text), statement_kind::text, shared_->on->now() + spec_->watch_timeout},
        [self = shared_from_this(), one = &which](const expected<void>& how, answer&) {
            const bool over = self->closing_.load() || one->home->retired;
            if (how && !over && self->current_stamp(*one)) {
                self->make_idle(*one);
            } else if (how || over) {
                self->retire(*one);
                self->after_retirement();
            } else {
                self->misfit(*one);
            }
        }
    );
}

// A reset took the restraint away.
void store::reset_done(slot& which) {
    if (which.use == session_use::read) {
        restrain(which);
        return;
    }
    if (const auto kept = which.kept.exchange(0); kept != 0) {
        which.reading.store(0);
        which.acceptance.store(kept);
    }
    if (current_stamp(which)) {
        make_idle(which);
        return;
    }
    retire(which);
    after_retirement();
}

}
