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

    void wrote(const std::string& token, told outcome) { tokens_[token] = outcome; }
    /// A commit is on its way. One logged on a server promoted beside the engine may be lost (F16),
    /// unless the client has long been able to hear the witness name another.
    void passes(testing::commit_step at, testing::site where, const std::string& token);
    /// Service will be forced there: what it lacks is lost (C37).
    void forced(testing::site at);
    /// The name of who brings the news leads nowhere, or no longer so.
    void unnamed(bool now) { witness_unnamed_ = now; }
    /// The session over which the news comes is lost, and made anew.
    void cut_off();
    /// At the end, with the ledger of the store that all faults have left.
    void judge_ledger(const std::vector<std::string>& ledger);
    void judge_logins();
    /// An operator may take the accepted epoch back once from now on; or no longer.
    void ruling(bool now) { rulings_ = now ? rulings_ + 1 : 0; }
    /// The pools there were end beside new ones of that size, with buckets of their own.
    void reconfigured(int pool_max);

    void broke(std::string_view rule, std::string what);
    const std::vector<std::string>& broken() const noexcept { return broken_; }
    /// An application waits in acquire or for a commit.
    bool inside_call() const;
    void committing(int by) { committing_ += by; }
    std::size_t unknown() const noexcept;
    std::size_t lost_apart() const noexcept { return lost_apart_; }

private:
    /// Sessions of a pool that was replaced, until the last of them must be over.
    struct draining {
        int sessions = 0;
        time_point since;
    };
    struct call {
        const connection_manager* of = nullptr;
        agent* who = nullptr;
        intent wanted = intent::write;
        time_point until;
        std::uint64_t stale_before = 0;
        std::uint64_t waited_before = 0;
        std::vector<std::size_t> ahead; ///< Writers that waited when it came.
    };

    void judge_epoch(const lease& held);
    void judge_order(const call& mine);
    void judge_session(const call& mine, const lease& held);
    void judge_sessions_held();
    void replaced(int pool_max);
    bool heard(duration longer = {}) const noexcept;
    void follow_witness();
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
    int pool_max_ = 0;
    std::vector<draining> draining_;
    bool reconfigured_ = false;
    bool witness_unnamed_ = false;
    std::optional<time_point> deaf_since_; ///< Could not be heard, or not for long enough since.
    std::size_t lost_apart_ = 0;
    std::vector<std::string> broken_;
};

}
