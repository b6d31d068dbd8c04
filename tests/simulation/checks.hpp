// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation/plan.hpp"

#include <hadr/hadr.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace hadr::test {

/// What an application was told of one token.
enum class told : unsigned char {
    nothing,
    committed,
    local, ///< Committed, perhaps not replicated.
    not_committed,
    in_doubt,
};

/// The promises of the library, judged from outside as a run goes on. Each violation names its
/// rule.
class checks {
public:
    checks(testing::manual_world& in, testing::simulated_store& on, const plan& of);

    void watch(connection_manager* store);
    /// After every step of the world.
    void step();

    /// Around an application's call. The deadline is the caller's own.
    std::size_t begins(intent wanted, time_point until);
    void acquired(std::size_t call, const expected<lease>& how);
    void returns(const lease& held);
    void back_by(time_point until, std::string_view what);
    void paused_until(time_point when) { paused_until_ = std::max(paused_until_, when); }
    time_point paused_until() const noexcept { return paused_until_; }

    void wrote(const std::string& token, told outcome);
    /// A commit was logged on a server promoted beside the engine: it may be lost (F16).
    void went_apart(const std::string& token) { apart_.insert(token); }
    /// At the end, with the ledger of the store that all faults have left.
    void judge_ledger(const std::vector<std::string>& ledger);
    void judge_logins();
    void ruled() { ++rulings_; }
    void reconfigured() { ++reconfigured_; }

    void broke(std::string_view rule, std::string what);
    const std::vector<std::string>& broken() const noexcept { return broken_; }
    /// An application is inside acquire or waits for a commit.
    bool inside_call() const noexcept { return !calls_.empty() || committing_ > 0; }
    void committing(int by) { committing_ += by; }
    std::size_t unknown() const noexcept { return unknown_; }

private:
    struct call {
        agent* who = nullptr;
        intent wanted = intent::write;
        time_point until;
        std::uint64_t stale_before = 0;
    };

    void judge_epoch(const lease& held);
    void judge_order(std::size_t call);
    void judge_stale(const lease& held);
    void follow_view();

    testing::manual_world& world_;
    testing::simulated_store& store_;
    const plan& plan_;
    connection_manager* manager_ = nullptr;
    std::map<std::size_t, call> calls_;
    std::size_t call_count_ = 0;
    std::set<const void*> lent_;
    std::map<std::string, told> tokens_;
    std::set<std::string> apart_;
    std::optional<epoch> accepted_;
    std::uint64_t version_ = 0;
    time_point view_changed_;
    testing::site named_ = testing::site::client;
    time_point clear_since_;
    time_point paused_until_ = time_point::min();
    int committing_ = 0;
    int rulings_ = 0;
    int reconfigured_ = 0;
    bool reopened_ = false; ///< A closed store's busy sessions end beside the new one's.
    std::size_t unknown_ = 0;
    std::vector<std::string> broken_;
};

}
