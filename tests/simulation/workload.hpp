// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation/checks.hpp"
#include "testing/stage.hpp"

#include <functional>
#include <memory>

namespace hadr::test {

/// What an application was told of a write outside of a transaction (C7, C8).
told outcome_of(const expected<void>& how, const answer& brought);

/// Agents of an application on a store: writers with tokens of their own, readers, an operator.
class workload {
public:
    struct parts {
        testing::manual_world& world;
        testing::simulated_store& store;
        checks& judge;
        const plan& of;
        std::function<void(bool open)> reopen; ///< Closes or opens the manager.
    };

    explicit workload(parts with);

    void use(std::shared_ptr<connection_manager> manager) { manager_ = std::move(manager); }
    void start();
    void stop() noexcept { stopping_ = true; }
    bool over() const noexcept { return running_ == 0; }
    /// One writer with such deadlines that goes on when the others stop.
    void go_on(duration each);
    void go_on_no_more() noexcept { going_on_ = false; }
    bool quiet() const noexcept { return still_going_ == 0; }
    std::size_t went_on() const noexcept { return went_on_; }        ///< Its writes that succeeded.
    const std::string& why_not() const noexcept { return why_not_; } ///< The last that failed.

    // What scripts are made of.
    std::string token() { return "t" + std::to_string(++token_count_); }
    connection_manager& manager() noexcept { return *manager_; }
    testing::manual_world& world() noexcept { return with_.world; }
    checks& judge() noexcept { return with_.judge; }
    const plan& of() const noexcept { return with_.of; }
    told append_alone(const std::string& token, time_point until);
    void append_in_transaction(const std::string& token, time_point until);
    void append_by_hand(const std::string& token, time_point until);
    void beside(std::function<void()> what); ///< By another agent.
    void pause(duration length);
    void reopen() {
        with_.reopen(false);
        with_.reopen(true);
    }

private:
    void begin(std::string name, void (workload::*turn)(testing::seeded_chance&));
    void write(testing::seeded_chance& chance);
    void read(testing::seeded_chance& chance);
    void operate(testing::seeded_chance& chance);
    void change(testing::seeded_chance& chance);
    void leave_behind(bool transaction, time_point until);
    commit_result transact(const std::string& token, time_point until);
    void rest(duration about, testing::seeded_chance& chance);
    time_point until(testing::seeded_chance& chance) const;

    parts with_;
    std::shared_ptr<connection_manager> manager_;
    int running_ = 0;
    int token_count_ = 0;
    int still_going_ = 0;
    bool going_on_ = false;
    std::size_t went_on_ = 0;
    std::string why_not_ = "none was tried";
    bool stopping_ = false;
};

}
