// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>
#include <hadr/store.hpp>
#include <hadr/time.hpp>

#include <string>
#include <string_view>

namespace hadr::inline v0::testing {

/// A place of a simulated store. One and two are servers by their fixed names; who is primary
/// moves.
enum class site : unsigned char {
    client,
    one,
    two,
    witness,
};

/// What a commit passes, in this order; not replicated while the primary is exposed (F22).
enum class commit_step : unsigned char {
    sent,            ///< By the client.
    received,        ///< By the primary.
    logged,          ///< In the primary's log.
    replicated,      ///< In the mirror's log, and the primary has heard so.
    visible,         ///< To other sessions of the primary.
    answered,        ///< The answer has left the primary.
    answer_received, ///< By the client.
};

HADR_EXPORT std::string_view to_string(site where) noexcept;
HADR_EXPORT std::string_view to_string(commit_step step) noexcept;

/// How a simulated store is made.
struct simulated_settings {
    engine kind = engine::postgresql; ///< Or sql_server.
    std::string lineage = {}; ///< System identifier or mirroring guid; empty: one of the engine's.
    duration link_delay = std::chrono::microseconds(200);
    duration login_time = std::chrono::milliseconds(2);
    duration answer_time = std::chrono::microseconds(100);
    duration promotion_time = std::chrono::milliseconds(50); ///< SQL Server: redo at a failover.
    duration start_time = std::chrono::milliseconds(150);
    duration rewind_time = std::chrono::milliseconds(300); ///< To undo what a new primary lacks.
    int sessions_max = 100; ///< Of a server; more are refused with 53300, or 17809.

    // pg_auto_failover.
    duration keeper_period = std::chrono::seconds(1); ///< Between two reports of an agent.
    duration health_period = std::chrono::milliseconds(300);
    duration unhealthy_after = std::chrono::milliseconds(1500);
    duration demote_timeout = std::chrono::milliseconds(500);
    duration partition_timeout = std::chrono::seconds(3);

    // SQL Server.
    std::string database = "d";                          ///< The one that is mirrored.
    duration ping_period = std::chrono::seconds(1);      ///< Between two pings of a server.
    duration partner_timeout = std::chrono::seconds(10); ///< PARTNER TIMEOUT.
    bool has_witness = true;
    bool safety_full = true;
    int mirror_refusal = 954; ///< Of a login to the mirror's database; or 4060, as servers differ.
    bool sysadmin = false;    ///< The login sees the mirroring state of a mirror.
};

}
