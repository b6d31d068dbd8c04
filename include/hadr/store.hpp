// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/endpoint.hpp>
#include <hadr/engine.hpp>
#include <hadr/profile.hpp>
#include <hadr/time.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0 {

/// How the database is made highly available: Mode=.
enum class mode {
    standalone,
    mirroring,
    availability_group,
    failover_cluster_instance,
    failover_cluster,
};

enum class generation_year {
    v2015 = 2015,
    v2019 = 2019,
};

enum class sql_edition {
    enterprise,
    standard,
};

enum class server_role {
    front_end,
    persistent_chat,
    archiving,
    monitoring,
};

/// What is enough for the first write session of a process (rulings 12).
enum class cold_start {
    evidence, ///< The engine's naming, or both partners' answers.
    alone,    ///< The primary's own word.
};

/// The two times an operator promises for a store; reported beside what was measured (C17).
struct objectives {
    std::optional<duration> recovery_time;
    std::optional<duration> recovery_point;

    friend bool operator==(const objectives&, const objectives&) = default;
};

/// The witness of a mirroring store and how to log in to it; certificates, Kerberos and
/// application name are the store's, user and password are not.
struct witness_server {
    endpoint at;
    std::string product; ///< "pg_auto_failover".
    std::string formation = "default";
    int group = 0;
    std::shared_ptr<const profile> with;
};

/// Everything a connection string says, validated. Made by parse() only; a plain value after that.
struct store_specification {
    mode how = mode::standalone;
    std::string driver = "libpq"; ///< "libpq", or "odbc" for any other Driver= and for DSN=.
    engine kind = engine::postgresql;
    std::string name; ///< Store_Name=, in events and application_name; else the database's.

    /// Fixed names: [0] is the server called primary. One without a name where an ODBC data source
    /// or a database's file says where it is.
    std::vector<endpoint> servers;
    std::optional<endpoint> failover_partner;
    std::optional<witness_server> witness;
    std::optional<endpoint> listener;

    std::shared_ptr<const profile> with;

    bool read_intent = false; ///< ApplicationIntent=ReadOnly: of an acquire that names no intent.
    bool multi_subnet_failover = false;

    duration connect_timeout = std::chrono::seconds(5);
    duration acquire_timeout = std::chrono::seconds(15);
    duration statement_timeout = std::chrono::seconds(30);
    duration close_timeout = std::chrono::seconds(5);

    int pool_min = 1;
    int pool_max = 10;
    int warm = 2; ///< Sessions kept on a standby for its promotion; inside pool_max of that server.
    duration idle_limit = std::chrono::minutes(10);
    duration lifetime = std::chrono::hours(1);
    duration lease_limit = std::chrono::minutes(5); ///< A lease held longer is reported as a leak.
    int connects_per_second = 50;                   ///< Per server, after a failover too (F56).
    int waiters_max = 10'000;

    duration watch_interval = std::chrono::milliseconds(250);
    duration watch_timeout = std::chrono::seconds(1);
    duration ride_out = std::chrono::minutes(30);            ///< B6.
    duration recovery_hold = std::chrono::seconds(2);        ///< Anti-flap, H8.
    duration witness_lost_advice = std::chrono::minutes(10); ///< C32.
    std::optional<std::uint64_t> lag_limit_bytes;

    cold_start start = cold_start::evidence;
    std::string state_file;
    std::string
        fork_table; ///< "table" or "schema.table"; empty: forks are not proven (rulings 11).
    /// Partner_Allowed=: "host", "*.suffix", either with ":port", or "*"; lower case (X3).
    std::vector<std::string> partners_allowed;
    std::string
        proxy; ///< Proxy=: what stands in between, e.g. "pgbouncer_session"; empty: nothing may.

    std::optional<generation_year> generation;
    std::optional<std::string> database_version; ///< "2016" and so on, or the engine's.
    std::optional<sql_edition> edition;
    std::optional<std::string> partner_version; ///< For the policy (C3).
    std::optional<std::string> witness_version;
    std::optional<sql_edition> partner_edition;
    server_role role = server_role::front_end;
    bool synchronous = true; ///< Safety=: C1.
    std::vector<std::string> policy_overrides;

    objectives wanted;

    /// The members in the order of their fixed names: servers, then the failover partner.
    std::vector<endpoint> members() const {
        auto all = servers;
        if (failover_partner)
            all.push_back(*failover_partner);
        return all;
    }
};

/// Reads an ODBC connection string or a postgresql:// URI; README.md lists every key. No I/O.
/// Errors: configuration_invalid, naming the key, the value's place, and the nearest valid choice;
/// never a secret.
HADR_EXPORT expected<store_specification> parse(std::string_view connection_string);

/// The connection string that parses to the same specification; secrets print as "[redacted]",
/// which parses back as such (rulings 18). Keys at their default are left out.
HADR_EXPORT std::string print(const store_specification& store);

HADR_EXPORT std::string_view to_string(mode how) noexcept;

}
