// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/sql_server_errors.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace hadr::inline v0::odbc {

namespace {

/// What an error says, the most telling one of a login first.
enum class meaning {
    wrong_role,
    no_quorum,
    not_ready, ///< Not now; another partner may.
    ambiguous, ///< A mirror, a missing database or a missing right (4060).
    busy,
    bad_login, ///< To repeat it counts towards a lock-out.
    timed_out,
    cancelled,
    rolled_back, ///< The transaction is gone, and worth another run.
    doomed,      ///< The transaction is gone, and would be again.
    repeatable,  ///< The statement alone is gone.
    lost,        ///< Of severity 20 or more: the session ends.
    rejected,    ///< Any other error that the server raised.
};

struct entry {
    int number;
    meaning says;
};

// clang-format off
constexpr entry table[] = {
    {954, meaning::wrong_role},    // acts as a mirror
    {976, meaning::wrong_role},    // secondary that serves nobody
    {978, meaning::wrong_role},    // secondary that serves readers only
    {979, meaning::wrong_role},    // primary that serves no readers
    {982, meaning::wrong_role},    // no secondary to route to
    {983, meaning::wrong_role},    // neither primary nor secondary now
    {3906, meaning::wrong_role},   // read-only: a stale primary
    {3908, meaning::wrong_role},   // the same, at BEGIN TRANSACTION
    {955, meaning::no_quorum},     // mirrored, and without quorum
    {988, meaning::no_quorum},     // replica without quorum
    {921, meaning::not_ready},     // not recovered yet
    {922, meaning::not_ready},     // being recovered
    {927, meaning::not_ready},     // being restored, as a mirror is
    {941, meaning::not_ready},     // not started
    {942, meaning::not_ready},     // offline
    {945, meaning::not_ready},     // cannot be opened
    {952, meaning::not_ready},     // in transition
    {956, meaning::not_ready},     // not synchronized yet
    {4221, meaning::not_ready},    // waits for row versions
    {6005, meaning::not_ready},    // shutting down
    {17142, meaning::not_ready},   // paused
    {17148, meaning::not_ready},   // stopping
    {17187, meaning::not_ready},   // starting
    {18401, meaning::not_ready},   // start-up scripts still run
    {18451, meaning::not_ready},   // administrators only
    {18461, meaning::not_ready},   // single-user mode
    {4060, meaning::ambiguous},
    {4064, meaning::ambiguous},    // the login's default database
    {10928, meaning::busy},
    {10929, meaning::busy},
    {17809, meaning::busy},        // no session left
    {17810, meaning::busy},        // no administrator's session left
    {40143, meaning::busy},
    {40166, meaning::busy},
    {40197, meaning::busy},
    {40501, meaning::busy},
    {40540, meaning::busy},
    {40613, meaning::busy},
    {42108, meaning::busy},
    {42109, meaning::busy},
    {49918, meaning::busy},
    {49919, meaning::busy},
    {49920, meaning::busy},
    {1346, meaning::bad_login},    // impersonation
    {18452, meaning::bad_login},   // untrusted domain
    {18456, meaning::bad_login},
    {18470, meaning::bad_login},   // disabled
    {18486, meaning::bad_login},   // locked out
    {18487, meaning::bad_login},   // expired
    {18488, meaning::bad_login},   // must be changed
    {1205, meaning::rolled_back},  // deadlock
    {3960, meaning::rolled_back},  // snapshot conflict
    {41301, meaning::rolled_back},
    {41302, meaning::rolled_back},
    {41305, meaning::rolled_back},
    {41325, meaning::rolled_back},
    {3902, meaning::doomed},       // COMMIT without a transaction
    {3903, meaning::doomed},       // ROLLBACK without one
    {3930, meaning::doomed},       // can only be rolled back
    {3998, meaning::doomed},       // the same, at the end of a batch
    {1204, meaning::repeatable},   // no lock left
    {1222, meaning::repeatable},   // lock time-out
    {21, meaning::lost},
    {596, meaning::lost},          // killed, as by a failover
    {605, meaning::lost},
    {823, meaning::lost},
    {824, meaning::lost},
    {832, meaning::lost},
    {913, meaning::lost},          // database gone from under the session
    {3314, meaning::lost},
    {3414, meaning::lost},
    {3624, meaning::lost},
    {4014, meaning::lost},
    {9001, meaning::lost},         // log not available
    {9004, meaning::lost},
    {18056, meaning::lost},
};
// clang-format on

// The written list of C7 for a write that commits itself: errors by which the statement ends before
// anything of it stays, unless a trigger commits by itself. Numbers of RAISERROR are not on it.
constexpr std::array<int, 19> undone_alone = {
    102,
    105,
    156, // syntax
    207,
    208, // no such column, table
    229,
    230, // no right
    245,
    8114,
    8115,
    220, // conversion
    515,
    547,
    2601,
    2627, // a rule of the table
    2628,
    8152, // too long
    1204,
    1222}; // no lock to be had

constexpr std::array<std::string_view, 2> of_time = {"HYT00", "HYT01"};
constexpr std::string_view of_a_cancel = "HY008";

// FreeTDS numbers its own errors like SQL Server's of replication, which come with another state.
constexpr bool driver_number(const diagnostic& one) noexcept {
    return one.native >= 20'000 && one.native < 20'100 && one.sqlstate != "42000";
}

std::optional<meaning> told_by(const diagnostic& one) noexcept {
    if (std::find(of_time.begin(), of_time.end(), one.sqlstate) != of_time.end())
        return meaning::timed_out;
    if (one.sqlstate == of_a_cancel)
        return meaning::cancelled;
    if (driver_number(one))
        return meaning::lost;
    for (const auto& [number, says] : table)
        if (one.native == number)
            return says;
    if (one.sqlstate.starts_with("08"))
        return meaning::lost;
    const bool told_only = one.sqlstate.starts_with("01") || one.sqlstate.starts_with("00");
    if (one.native <= 0 || told_only)
        return std::nullopt;
    return meaning::rejected;
}

bool of_the_server(const diagnostic& one) noexcept {
    return one.native > 0 && !driver_number(one) && !one.sqlstate.starts_with("08");
}

struct finding {
    meaning says = meaning::lost;
    std::size_t record = 0;
};

// Of a statement nothing else counts once the session is lost.
int weight(meaning says, phase during) noexcept {
    if (during != phase::login && says == meaning::lost)
        return -1;
    return static_cast<int>(says);
}

finding most_telling(std::span<const diagnostic> all, phase during) noexcept {
    std::optional<finding> best;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto says = told_by(all[i]);
        if (says && (!best || weight(*says, during) < weight(best->says, during)))
            best = finding{*says, i};
    }
    return best.value_or(finding{meaning::lost, all.size()});
}

verdict at_login(const finding& by) noexcept {
    using enum meaning;
    switch (by.says) {
    case wrong_role: return {errc::wrong_role, advice::retry, by.record};
    case no_quorum: return {errc::no_quorum, advice::retry, by.record};
    case not_ready: return {errc::unreachable, advice::retry, by.record};
    case bad_login: return {errc::rejected_by_server, advice::give_up, by.record};
    case cancelled:
    case timed_out: return {errc::deadline_exceeded, advice::retry, by.record};
    case lost: return {errc::unreachable, advice::retry, by.record};
    case ambiguous:
    case busy:
    case rolled_back:
    case doomed:
    case repeatable:
    case rejected: break;
    }
    return {errc::rejected_by_server, advice::retry, by.record};
}

verdict of_statement(const finding& by) noexcept {
    using enum meaning;
    switch (by.says) {
    case wrong_role: return {errc::wrong_role, advice::retry, by.record};
    case no_quorum: return {errc::no_quorum, advice::retry, by.record};
    case not_ready: return {errc::unreachable, advice::retry, by.record};
    case timed_out: return {errc::deadline_exceeded, advice::verify, by.record};
    case cancelled: // An attention undoes nothing of what the batch has done before.
        return {errc::rejected_by_server, advice::verify, by.record};
    case rolled_back:
    case repeatable: return {errc::rejected_by_server, advice::retry, by.record};
    case busy: // Some of them come in the middle of what was asked.
    case lost: return {errc::outcome_unknown, advice::verify, by.record};
    case ambiguous:
    case bad_login:
    case doomed:
    case rejected: break;
    }
    return {errc::rejected_by_server, advice::give_up, by.record};
}

// C6, C7: only what says of itself that the transaction is gone.
verdict of_commit(const finding& by) noexcept {
    if (by.says == meaning::rolled_back)
        return {errc::rejected_by_server, advice::retry, by.record};
    if (by.says == meaning::doomed)
        return {errc::rejected_by_server, advice::give_up, by.record};
    return {errc::outcome_unknown, advice::verify, by.record};
}

// A database that is not to be written to, or whose part has changed, is refused before anything
// else is done.
verdict of_lone_write(const finding& by, std::span<const diagnostic> all) noexcept {
    const bool listed =
        by.record < all.size() && by.says != meaning::lost &&
        std::find(undone_alone.begin(), undone_alone.end(), all[by.record].native) !=
            undone_alone.end();
    return listed || by.says == meaning::wrong_role ? of_statement(by) : of_commit(by);
}

}

verdict classify_sql_server(std::span<const diagnostic> all, phase during, bool dead) noexcept {
    auto by = most_telling(all, during);
    if (dead && during != phase::login)
        by.says = meaning::lost;
    if (by.says == meaning::lost && by.record < all.size() && !of_the_server(all[by.record]))
        by.record = all.size();
    switch (during) {
    case phase::login: return at_login(by);
    case phase::statement: return of_statement(by);
    case phase::commit: return of_commit(by);
    case phase::lone_write: return of_lone_write(by, all);
    }
    return {};
}

}
