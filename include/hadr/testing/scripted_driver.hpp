// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>
#include <hadr/testing/manual_world.hpp>
#include <hadr/topology.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::testing {

/// One simulated server. It answers the library's questions as a PostgreSQL server of its role
/// would, and four statements of its own: BEGIN, COMMIT, ROLLBACK and "append TOKEN". Change its
/// fields at any time. Not thread-safe.
class HADR_EXPORT fake_server {
public:
    enum class condition {
        up,
        down,     ///< Refuses connections.
        mute,     ///< Takes connections and says nothing, as a stopped process does.
        full,     ///< 53300
        starting, ///< 57P03
        locked,   ///< 28P01: wrong password.
    };

    /// Port 0 is 5432.
    explicit fake_server(endpoint where);
    fake_server(const fake_server&) = delete;
    ~fake_server();

    const endpoint at;
    condition is = condition::up;
    role plays = role::primary;
    bool writable = true;
    std::string lineage = "1";
    std::uint64_t timeline = 1;
    std::uint64_t position = 1000;
    bool synchronous = true; ///< A primary that shows a synchronous standby.
    duration login_time = std::chrono::milliseconds(2);
    duration answer_time = std::chrono::milliseconds(1);

    /// What became of COMMIT or of a lone append that kill() hits: whether it was logged before.
    bool logs_before_cut = false;
    /// A text that fails and undoes the transaction around it, as a deadlock does in SQL Server.
    std::string undoing;
    /// A text that commits the transaction around it, as a definition does in MariaDB.
    std::string committing;
    /// Answers other statements; without it they succeed without rows.
    std::function<expected<void>(std::string_view text, answer& into)> answers;

    std::vector<std::string> ledger; ///< Tokens committed, in order.

    std::uint64_t logins = 0; ///< Begun, whatever came of them.
    std::uint64_t statements = 0;
    std::uint64_t resets = 0;
    std::uint64_t severed = 0;

    /// Sessions open now.
    std::size_t sessions() const noexcept { return open_.size(); }

    /// As kill -9 of all its processes: sessions end, statements under way have an unknown outcome.
    void kill();
    /// Stops answering, as SIGSTOP does; then goes on with what it had been asked.
    void freeze();
    void thaw();
    /// Becomes a writable primary of the next timeline, with the ledger it has.
    void promote();
    /// Follows another server from now on: its lineage, timeline and ledger.
    void follow(const fake_server& primary);

private:
    friend class fake_session;
    friend class scripted_driver;

    std::vector<class fake_session*> open_;
    std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

/// Driver=libpq for tests: logs in to fake servers. Immutable but for the servers, which are found
/// by endpoint.
class HADR_EXPORT scripted_driver final : public driver {
public:
    scripted_driver(manual_world& in, std::vector<fake_server*> servers);

    std::string_view name() const noexcept override { return "libpq"; }
    expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& by
    ) override;

private:
    manual_world& world_;
    std::vector<fake_server*> servers_;
};

}
