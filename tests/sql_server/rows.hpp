// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sql_server/pair.hpp"
#include "support/ledger.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace hadr::test {

/// The library under judgement, through ODBC: even writers execute, odd ones run a transaction.
class row_client final : public ledger_client {
public:
    explicit row_client(mirrored_pair& on) : on_(on) {}

    append_result append(int writer, const std::string& token, duration within) override;

    /// Calls that are waiting for a server's answer.
    int in_flight() const noexcept { return in_flight_.load(); }
    /// What the library said was surely not done.
    std::vector<std::string> refused() const;

private:
    append_result execute(const std::string& token, deadline until);
    append_result transact(const std::string& token, deadline until);

    mirrored_pair& on_;
    std::atomic<int> in_flight_{0};
    mutable std::mutex mutex_; // Guards refused_.
    std::vector<std::string> refused_;
};

/// What the servers of the double know: more than any client is told.
struct witnessed {
    std::vector<tds_double::acknowledged> answered;
    std::vector<tds_double::naming> namings;
    std::vector<std::string> ledger; ///< Of the principal at the end.
};
witnessed witnesses_of(mirrored_pair& on);

struct row_verdict {
    std::uint64_t lost = 0;    ///< Acknowledged by a principal that waited for its mirror.
    std::uint64_t exposed = 0; ///< Rows acknowledged without a mirror that was waited for.
    std::uint64_t exposed_lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t demoted_writes = 0;
    std::uint64_t unexplained = 0;     ///< Acknowledged to a client, and no server knows of it.
    std::uint64_t refused_present = 0; ///< Surely not done, and there.
    std::uint64_t unknown = 0;
    std::uint64_t unknown_present = 0;
    std::vector<std::string> details;
};

/// A demoted write is a row acknowledged later by 100 ms than the engine named another server, or
/// in an older term than a row acknowledged as much earlier (rulings 13). By the double's own
/// records throughout.
row_verdict
judge_rows(const tally& told, const std::vector<std::string>& refused, const witnessed& by);

}
