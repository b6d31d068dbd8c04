// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sql_server_member.hpp"
#include "unit/mirrored_pair.hpp"

#include <string>
#include <vector>

/// A pair of SQL Server's, for its rules.
namespace hadr::test::sql_server {

inline constexpr const char* guid = "11111111-2222-3333-4444-555555555555";
inline constexpr const char* foreign_guid = "99999999-2222-3333-4444-555555555555";

/// How a partner sees the session; witness: "1" connected, "2" disconnected, "0" unknown, none.
struct sees {
    const char* state = "SYNCHRONIZED";
    cell witness = "1";
    const char* safety = "2";
    const char* of = guid;
};

cells principal(int sequence, const sees& session = {});
/// To a login that is sysadmin.
cells mirror(int sequence, const sees& session = {});
/// To any other login.
cells hidden_mirror();
/// A principal whose database is RECOVERING, as one on its way or one without quorum.
cells recovering(int sequence, const sees& session = {});
/// The login may not use the database.
cells without_access(int sequence);
cells not_mirrored();
cells no_database();
cells with(cells row, std::string_view column, cell value);

sees mirror_away(); ///< The witness is with it, the partner is not.
sees no_witness(const char* state = "SYNCHRONIZED");
sees witness_lost(const char* state = "SYNCHRONIZED");
/// Neither partner nor witness.
sees isolated();

/// A word of db1 or db2, which call themselves DB1 and DB2, and each other its partner.
news a(cells row);
news b(cells row);
news a(failure why);
news b(failure why);
news of(std::size_t member, cells row);

/// The mirroring adapter of a pair of SQL Server's, fed with one piece of news at a time.
class partners {
public:
    explicit partners(const std::string& keys = {});

    partners& hears(const std::vector<news>& all);
    partners& hears(const news& one) { return hears(std::vector<news>{one}); }
    partners& happens(const event_seen& what);
    partners& later(duration by) {
        now += by;
        return *this;
    }

    const topology& is() const { return known.is; }
    plan next() const { return adapter->next(known, now); }
    /// Whether the member is asked, and when.
    const inquiry* question_to(const plan& made, std::size_t member) const;
    session_standing session(std::size_t member, const cells& row) const;
    expected<operation_plan> wants(
        operation_kind what, bool acknowledged = false, std::optional<std::size_t> target = {}
    ) const;

    std::shared_ptr<const ha_adapter> adapter;
    belief known;
    time_point now{24h};
    std::uint64_t sequence = 0;
};

/// a is principal of role sequence 1, b its synchronized mirror, the witness with both.
partners healthy(const std::string& keys = {});

}
