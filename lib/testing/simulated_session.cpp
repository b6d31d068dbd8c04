// SPDX-License-Identifier: Apache-2.0
#include "testing/simulation.hpp"

#include <algorithm>
#include <stdexcept>

namespace hadr::inline v0::testing {

/// The client's half of a connection.
class simulated_session final : public session {
public:
    simulated_session(std::shared_ptr<simulated_store::impl> in, wire& on)
        : in_(std::move(in))
        , on_(on)
        , descriptor_(in_->world.open_descriptor()) {
        on_.client = this;
        if (on_.ended)
            signal(readiness::hangup);
    }

    ~simulated_session() override {
        if (!abandoned_ && !on_.severed && !on_.ended)
            in_->send(on_, message::goodbye, 0);
        let_go();
    }

    void start(const statement& what, answer& into, completion& done) override {
        into.clear();
        into_ = &into;
        done_ = &done;
        refused_ = on_.severed || noticed_;
        if (refused_)
            return;
        ++on_.number;
        on_.answered = false;
        on_.text = text_of(what);
        committing_ = what.kind == statement_kind::commit;
        name_commit();
        if (!on_.token.empty())
            in_->step(commit_step::sent, site::client, on_.token);
        if (!on_.severed)
            in_->send(on_, message::statement, on_.number);
    }

    waiting waits_for() const noexcept override { return {descriptor_, readiness::readable}; }

    void advance() override {
        const bool gone = on_.severed || on_.ended;
        // All that has come is taken; an end stays to be seen.
        signal(gone ? readiness::readable | readiness::hangup : readiness::none);
        if (done_ == nullptr) {
            noticed_ = noticed_ || on_.ended;
            return;
        }
        if (refused_) {
            end(make_failure(
                errc::unreachable,
                advice::retry,
                "the session was lost before the statement was sent"
            ));
        } else if (on_.answered && !on_.severed) {
            on_.answered = false;
            if (on_.how)
                note_tokens();
            into_->finish(on_.tag, 0, on_.after);
            end(on_.how);
        } else if (gone) {
            noticed_ = true;
            auto why = make_failure(
                errc::outcome_unknown, advice::verify, "the session was lost before the answer came"
            );
            in_->mark_lost(on_, why);
            end(std::move(why));
        }
    }

    void sever() noexcept override {
        if (on_.severed)
            return;
        on_.severed = true;
        in_->drop_count(on_);
        if (!on_.ended)
            in_->send(on_, message::goodbye, 0);
        signal(readiness::readable | readiness::hangup);
    }

    expected<void> request_cancel(time_point /*until*/) override {
        if (committing_ && done_ != nullptr)
            return make_failure(
                errc::rejected_by_server,
                advice::give_up,
                "COMMIT may have left: cancelling it could make it succeed without being "
                "replicated (C6)"
            );
        // Every other statement here is over before a cancel could reach it.
        if (on_.waiting && done_ != nullptr) {
            ++in_->count.commits_cancelled;
            on_.waiting = false;
            on_.local = true;
            in_->soon(on_, message::show, duration::zero());
        }
        return {};
    }

    bool usable() const noexcept override { return !on_.severed && !noticed_; }

    transaction_status transaction() const noexcept override {
        if (!usable() || done_ != nullptr)
            return transaction_status::unknown;
        return on_.after;
    }

    std::string_view reported(std::string_view name) const noexcept override {
        return in_->reported(on_, name);
    }

    std::optional<push> take_push() override {
        if (on_.pushes.empty())
            return std::nullopt;
        push first{"state", std::move(on_.pushes.front())};
        on_.pushes.pop_front();
        return first;
    }

    void* native() noexcept override { return nullptr; } // No client library is behind it.
    bool closes_slowly() const noexcept override { return false; }

    void abandon() noexcept override {
        abandoned_ = true;
        in_->drop_count(on_);
    }

    answer* into() const noexcept { return done_ != nullptr ? into_ : nullptr; }
    const wire& on() const noexcept { return on_; }

    void signal(readiness what) noexcept { in_->world.set_ready(descriptor_, what); }

private:
    // Only what can end as a commit has steps: COMMIT after a write, or a write by itself.
    void name_commit() {
        on_.token.clear();
        if (on_.text == "COMMIT") {
            on_.token = std::exchange(last_token_, {});
            return;
        }
        auto write = in_->written_by(on_.text);
        if (write.token.empty())
            return;
        (on_.after == transaction_status::open ? last_token_ : on_.token) = std::move(write.token);
    }

    void note_tokens() {
        if (on_.after == transaction_status::idle)
            last_token_.clear();
    }

    void end(expected<void> how) {
        into_ = nullptr;
        committing_ = false;
        std::exchange(done_, nullptr)->completed(std::move(how));
    }

    void let_go() noexcept {
        in_->drop_count(on_);
        in_->world.close_descriptor(descriptor_);
        on_.client = nullptr;
        in_->recycle(on_);
    }

    const std::shared_ptr<simulated_store::impl> in_;
    wire& on_;
    const int descriptor_;
    answer* into_ = nullptr;
    completion* done_ = nullptr;
    bool refused_ = false;
    bool noticed_ = false;
    bool committing_ = false;
    bool abandoned_ = false;
    std::string last_token_;
};

namespace {

class simulated_driver final : public driver {
public:
    explicit simulated_driver(std::shared_ptr<simulated_store::impl> of) : of_(std::move(of)) {}

    std::string_view name() const noexcept override { return of_->driver_name(); }

    expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& /*by*/
    ) override {
        const bool stranger = to.address.starts_with("10.9.");
        const auto place = site_of(to.address);
        const auto where = to_string(to.at);
        auto* const self = through.self();
        if (!place || of_->over) {
            // A black hole: nothing comes back.
            while (through.now() < until)
                through.park(self, until);
            return silent(where);
        }
        auto& on = of_->new_wire(*place, stranger, to.why);
        on.dialing = self;
        if (to.with != nullptr)
            on.database = to.database.empty() ? to.with->database : to.database;
        if (*place == site::witness)
            ++of_->count.witness_logins;
        of_->send(on, message::login, 0);
        while (!on.admitted && !on.ended && through.now() < until)
            through.park(self, until);
        on.dialing = nullptr;
        if (on.admitted && *on.admitted && !on.ended)
            return std::unique_ptr<session>(std::make_unique<simulated_session>(of_, on));
        auto why = on.admitted && !*on.admitted ? on.admitted->error() : silent(where);
        of_->drop_count(on);
        if (!on.ended && !on.admitted)
            of_->send(on, message::goodbye, 0);
        of_->recycle(on);
        return why;
    }

private:
    static failure silent(const std::string& where) {
        return make_failure(
            errc::deadline_exceeded, advice::retry, where + " accepted no login in time"
        );
    }

    static std::optional<site> site_of(std::string_view address) noexcept {
        if (address == "10.0.0.1" || address == "10.9.0.1")
            return site::one;
        if (address == "10.0.0.2" || address == "10.9.0.2")
            return site::two;
        return address == "10.0.0.3" ? std::optional(site::witness) : std::nullopt;
    }

    const std::shared_ptr<simulated_store::impl> of_;
};

}

std::shared_ptr<driver> make_simulated_driver(std::shared_ptr<simulated_store::impl> of) {
    return std::make_shared<simulated_driver>(std::move(of));
}

const wire& wire_of(const session& of) {
    const auto* const one = dynamic_cast<const simulated_session*>(&of);
    if (one == nullptr)
        throw std::logic_error("bug in test: a session of another driver");
    return one->on();
}

answer* answer_of(const simulated_session& of) noexcept {
    return of.into();
}

void tell_client(simulated_session& of, readiness what) {
    of.signal(what);
}

}
