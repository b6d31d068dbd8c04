// SPDX-License-Identifier: Apache-2.0
#include "testing/read_only.hpp"

#include <hadr/testing/scripted_driver.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace hadr::inline v0::testing {

/// A session with a fake server. Statements end by a timer of the world's, which wakes whoever
/// started them.
class fake_session final : public session {
public:
    fake_session(manual_world& in, fake_server& with) : world_(in), with_(&with) {
        with.open_.push_back(this);
    }

    ~fake_session() override {
        if (with_ != nullptr)
            std::erase(with_->open_, this);
    }

    void start(const statement& what, answer& into, completion& done) override {
        into.clear();
        into_ = &into;
        done_ = &done;
        agent_ = world_.self();
        text_ = what.text;
        if (what.kind == statement_kind::reset)
            text_ = "reset";
        if (with_ == nullptr || severed_) {
            how_ = make_failure(errc::unreachable, advice::retry, "the session was lost before");
            return;
        }
        ++with_->statements;
        schedule();
    }

    waiting waits_for() const noexcept override { return {}; }

    void advance() override {
        if (done_ == nullptr)
            return;
        if (!how_ && (severed_ || with_ == nullptr))
            how_ = lost();
        if (!how_)
            return;
        auto* const done = std::exchange(done_, nullptr);
        auto how = *std::exchange(how_, std::nullopt);
        into_->finish(
            tag_, 0, in_transaction_ ? transaction_status::open : transaction_status::idle
        );
        done->completed(std::move(how));
    }

    void sever() noexcept override {
        if (!severed_ && with_ != nullptr)
            ++with_->severed;
        severed_ = true;
        wake();
    }

    expected<void> request_cancel(time_point) override {
        return make_failure(
            errc::rejected_by_server, advice::give_up, "a fake server cancels nothing"
        );
    }

    bool usable() const noexcept override { return !severed_ && with_ != nullptr; }

    transaction_status transaction() const noexcept override {
        return !usable()         ? transaction_status::unknown
               : in_transaction_ ? transaction_status::open
                                 : transaction_status::idle;
    }

    std::string_view reported(std::string_view) const noexcept override { return {}; }
    std::optional<push> take_push() override { return std::nullopt; }
    void* native() noexcept override { return this; }
    bool closes_slowly() const noexcept override { return false; }

    void abandon() noexcept override {
        if (with_ != nullptr)
            std::erase(with_->open_, this);
        with_ = nullptr;
    }

    /// The server is gone; what was under way may have been logged.
    void cut() {
        if (done_ != nullptr && !how_ && with_->logs_before_cut)
            apply_commit();
        with_ = nullptr;
        wake();
    }

    void thawed() {
        if (done_ != nullptr && !how_)
            schedule();
    }

private:
    static failure lost() {
        return make_failure(errc::outcome_unknown, advice::verify, "the session was lost");
    }

    // Whoever ran an earlier statement may have ended since.
    void wake() {
        if (done_ != nullptr)
            world_.unpark(agent_);
    }

    void schedule() {
        if (with_->is == fake_server::condition::mute)
            return;
        world_.later(
            with_->answer_time,
            [this, alive = std::weak_ptr<int>(life_), asked = ++asked_] {
                const auto here = alive.lock();
                if (here && with_ != nullptr && asked == asked_ && done_ != nullptr && !how_ &&
                    with_->is != fake_server::condition::mute) {
                    perform();
                    world_.unpark(agent_);
                }
            }
        );
    }

    bool commits() const {
        return text_ == "COMMIT" || (!text_.empty() && text_ == with_->committing);
    }

    void apply_commit() {
        if (text_.starts_with("append ") && !in_transaction_)
            with_->ledger.push_back(text_.substr(7));
        if (commits())
            with_->ledger.insert(with_->ledger.end(), pending_.begin(), pending_.end());
    }

    void perform() {
        tag_ = text_;
        how_ = expected<void>();
        if (text_ == "BEGIN") {
            in_transaction_ = true;
        } else if (commits()) {
            apply_commit();
            leave();
        } else if (text_ == "ROLLBACK" || text_ == "reset") {
            with_->resets += text_ == "reset" ? 1U : 0U;
            read_only_ = read_only_ && text_ != "reset";
            leave();
        } else if (!text_.empty() && text_ == with_->undoing) {
            leave();
            how_ = make_failure(errc::rejected_by_server, advice::retry, "a deadlock");
        } else if (text_ == read_only_on) {
            read_only_ = true;
        } else if (text_ == read_only_off) {
            read_only_ = false;
        } else if (text_.starts_with("append ")) {
            append();
        } else if (text_.find("pg_is_in_recovery()") != std::string::npos) {
            describe();
        } else if (with_->answers) {
            how_ = with_->answers(text_, *into_);
        }
    }

    void leave() {
        in_transaction_ = false;
        pending_.clear();
    }

    void append() {
        if (with_->plays != role::primary || !with_->writable || read_only_) {
            auto why = make_failure(errc::wrong_role, advice::retry, "the session is read-only");
            why.sqlstate = "25006";
            how_ = std::move(why);
            return;
        }
        if (in_transaction_)
            pending_.push_back(text_.substr(7));
        else
            apply_commit();
    }

    void describe() {
        const bool primary = with_->plays == role::primary;
        for (const auto* name :
             {"recovery",
              "read_only",
              "system",
              "timeline",
              "replayed",
              "position",
              "waits",
              "standbys",
              "visible",
              "synchronous"})
            into_->add_column(name);
        char timeline[9] = {};
        std::snprintf(timeline, sizeof timeline, "%08X", static_cast<unsigned>(with_->timeline));
        const auto replayed = std::to_string(with_->timeline);
        const auto position = std::to_string(with_->position);
        const auto optional = [](bool given, std::string_view text) {
            return given ? std::optional(text) : std::nullopt;
        };
        into_->add_value(primary ? "f" : "t");
        into_->add_value(primary && with_->writable && !read_only_ ? "off" : "on");
        into_->add_value(with_->lineage);
        into_->add_value(optional(primary, timeline));
        into_->add_value(replayed);
        into_->add_value(position);
        into_->add_value(primary && with_->synchronous ? "t" : "f");
        for (int i = 0; i < 3; ++i)
            into_->add_value(optional(primary, with_->synchronous ? "1" : "0"));
    }

    manual_world& world_;
    fake_server* with_;
    std::shared_ptr<int> life_ = std::make_shared<int>(0);
    agent* agent_ = nullptr;
    std::string text_;
    std::string tag_;
    answer* into_ = nullptr;
    completion* done_ = nullptr;
    std::optional<expected<void>> how_;
    std::uint64_t asked_ = 0;
    std::vector<std::string> pending_;
    bool in_transaction_ = false;
    bool read_only_ = false; ///< By the session's own setting.
    bool severed_ = false;
};

namespace {

endpoint with_port(endpoint at) {
    if (at.port == 0)
        at.port = 5432;
    return at;
}

}

fake_server::fake_server(endpoint where) : at(std::move(where)) {}

fake_server::~fake_server() {
    kill();
}

void fake_server::kill() {
    is = condition::down;
    const auto sessions_now = std::exchange(open_, {});
    for (auto* one : sessions_now)
        one->cut();
}

void fake_server::freeze() {
    is = condition::mute;
}

void fake_server::thaw() {
    is = condition::up;
    for (auto* one : open_)
        one->thawed();
}

void fake_server::promote() {
    plays = role::primary;
    writable = true;
    synchronous = false;
    ++timeline;
}

void fake_server::follow(const fake_server& primary) {
    is = condition::up;
    plays = role::standby;
    lineage = primary.lineage;
    timeline = primary.timeline;
    position = primary.position;
    ledger = primary.ledger;
}

scripted_driver::scripted_driver(manual_world& in, std::vector<fake_server*> servers)
    : world_(in)
    , servers_(std::move(servers)) {}

expected<std::unique_ptr<session>> scripted_driver::connect(
    const target& to, time_point until, world& /*through*/, const std::shared_ptr<executor>& /*by*/
) {
    const auto found = std::find_if(servers_.begin(), servers_.end(), [&](const fake_server* one) {
        return with_port(one->at) == with_port(to.at);
    });
    const auto where = to_string(to.at);
    if (found == servers_.end())
        return make_failure(errc::unreachable, advice::retry, where + ": no such fake server");
    auto& with = **found;
    ++with.logins;
    const auto answered_at = world_.now() + with.login_time;
    // As a socket would: nothing before the login's time, then what the server is by then.
    while (world_.now() < answered_at || with.is == fake_server::condition::mute) {
        if (world_.now() >= until)
            return make_failure(
                errc::deadline_exceeded, advice::retry, where + " accepted no login in time"
            );
        const bool mute = with.is == fake_server::condition::mute && world_.now() >= answered_at;
        world_.park(world_.self(), mute ? until : std::min(until, answered_at));
    }
    const auto refused = [&](errc code, advice next, const char* sqlstate) {
        auto why = make_failure(code, next, where + " refused the login");
        why.sqlstate = sqlstate;
        return why;
    };
    switch (with.is) {
    case fake_server::condition::up: break;
    case fake_server::condition::mute: break;
    case fake_server::condition::down: return refused(errc::unreachable, advice::retry, "");
    case fake_server::condition::full:
        return refused(errc::rejected_by_server, advice::retry, "53300");
    case fake_server::condition::starting:
        return refused(errc::unreachable, advice::retry, "57P03");
    case fake_server::condition::locked:
        return refused(errc::rejected_by_server, advice::give_up, "28P01");
    }
    return std::unique_ptr<session>(std::make_unique<fake_session>(world_, with));
}

}
