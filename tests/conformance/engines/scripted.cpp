// SPDX-License-Identifier: Apache-2.0
#include "conformance/engines/all.hpp"

#include <hadr/testing/scripted_driver.hpp>

#include <set>
#include <utility>

namespace hadr::test {

namespace {

failure refused(std::string_view sqlstate) {
    auto why = make_failure(errc::rejected_by_server, advice::give_up, "the statement failed");
    why.sqlstate = sqlstate;
    why.server_text = "no";
    return why;
}

/// What it answers is written here; what is held against it is how that arrives.
class scripted_engine final : public engine_under_test {
public:
    scripted_engine() {
        server_.answers = [this](std::string_view text, answer& into) {
            return answer_to(text, into);
        };
    }

    std::string_view name() const override { return "scripted_driver"; }

    std::string_view lacks(ability which) const override {
        switch (which) {
        case ability::repeat_values: return "a fake server takes no parameters";
        case ability::run_slowly:
        case ability::be_cancelled: return "a fake server cancels nothing";
        case ability::keep_state:
        case ability::forget: return "a fake server's sessions keep nothing but a transaction";
        case ability::run_threads: return "its time is virtual; tests/simulation runs its agents";
        case ability::ask_for_passwords:
        case ability::be_full:
        case ability::be_starting:
        case ability::be_mute:
        case ability::end_logins:
        case ability::be_away:
        case ability::refuse_writes:
        case ability::stop_answering:
        case ability::end_sessions:
        case ability::bring_nulls:
        case ability::bring_large_values:
        case ability::bring_many_rows:
        case ability::refuse_statements:
        case ability::serve_stores: break;
        }
        return {};
    }

    std::shared_ptr<driver> by() override { return driver_; }
    std::shared_ptr<world> shared_world() override { return world_; }
    std::shared_ptr<executor> calls() override { return nullptr; }
    const phrases& speaks() const override { return speaks_; }

    target place(condition which) override {
        using is = testing::fake_server::condition;
        constexpr is conditions[] = {
            is::up, is::locked, is::full, is::starting, is::mute, is::down, is::up};
        server_.is = conditions[static_cast<std::size_t>(which)];
        server_.writable = which != condition::reading;
        auto with = std::make_shared<profile>();
        with->database = "d";
        with->user = "u";
        return {server_.at, "10.0.0.1", with, purpose::lend, {}};
    }

    refusal says(condition which) const override {
        switch (which) {
        case condition::locked: return {"28P01"};
        case condition::full: return {"53300"};
        case condition::starting: return {"57P03"};
        case condition::reading: return {"25006"};
        case condition::up:
        case condition::mute:
        case condition::down: break;
        }
        return {};
    }

    std::string writing(std::string_view token) override { return "append " + std::string(token); }
    std::string writing_once(std::string_view token) override {
        return "once " + std::string(token);
    }
    refusal says_of_the_second() const override { return {"23505"}; }
    std::string_view wrong() const override { return "wrong"; }
    refusal says_of_wrong() const override { return {"42P01"}; }
    std::vector<std::string> written() override { return std::exchange(server_.ledger, {}); }
    void freeze() override { server_.freeze(); }
    void thaw() override { server_.thaw(); }
    void end_sessions() override { server_.kill(); }
    std::size_t sessions() override { return server_.sessions(); }

private:
    expected<void> answer_to(std::string_view text, answer& into) {
        if (text == wrong())
            return refused("42P01");
        if (text.starts_with("once ") && !once_.emplace(text).second)
            return refused("23505");
        if (text == speaks_.null_and_empty) {
            into.add_column("nothing");
            into.add_column("empty");
            into.add_value(std::nullopt);
            into.add_value("");
        } else if (text == speaks_.large) {
            into.add_column("large");
            into.add_value(std::string(speaks_.large_size, 'a'));
        } else if (text == speaks_.many) {
            into.add_column("number");
            for (std::size_t i = 1; i <= many_rows; ++i)
                into.add_value(std::to_string(i));
        }
        return {};
    }

    std::shared_ptr<testing::manual_world> world_ = std::make_shared<testing::manual_world>();
    testing::fake_server server_{{"10.0.0.1", 1, {}}};
    std::shared_ptr<testing::scripted_driver> driver_ = std::make_shared<testing::scripted_driver>(
        *world_, std::vector<testing::fake_server*>{&server_}
    );
    std::set<std::string, std::less<>> once_;
    const phrases speaks_{.null_and_empty = "null_and_empty", .large = "large", .many = "many"};
};

}

std::unique_ptr<engine_under_test> make_scripted() {
    return std::make_unique<scripted_engine>();
}

}
