// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/vector_fields.hpp"

#include <hadr/ha_adapter.hpp>
#include <hadr/store.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace hadr::test {

/// An answer of a member or of the witness, or why there was none. The member is known by its host:
/// its place is not known before partners are learned.
struct heard {
    std::string host; ///< Empty: the witness.
    std::variant<answer, failure> what;
    std::size_t asked_before = 0; ///< So many pieces of evidence ago, though it comes now.
    bool by_session = false;      ///< Not the watcher's: a session for applications reports.
};

/// An operator's word of the member with that host.
struct spoken {
    ruled::verdict what = ruled::verdict::offline;
    std::string host;
};

using happening = std::variant<heard, spoken, remembered, pushed>;

/// What an adapter has come to believe by now.
struct told {
    const ha_adapter& adapter;
    const belief& known;
    time_point now;
};

/// One field of what is expected: compared as text.
struct claim {
    std::string field;
    std::string wanted;
    bool part = false; ///< wanted stands somewhere in it.
    std::function<std::string(const told&)> shows;
};

/// What happens, and what is believed after it.
struct step {
    std::vector<happening> happens;
    std::vector<claim> then;
};

/// What the vectors of one file have in common.
struct shared_part {
    std::string string; ///< Begins every connection string.
    std::map<std::string, std::vector<step>, std::less<>> preludes;
};

using vector_check = std::function<std::vector<std::string>()>;

vector_check read_view_vector(fields& of, const shared_part& with);
vector_check read_epoch_vector(fields& of, const shared_part& with);
vector_check read_policy_vector(fields& of, const shared_part& with);
vector_check read_level_vector(fields& of, const shared_part& with);
vector_check read_action_vector(fields& of, const shared_part& with);
vector_check read_schedule_vector(fields& of, const shared_part& with);
vector_check read_string_vector(fields& of, const shared_part& with);

void read_preludes(const entry& of, shared_part& into);

/// The guid of the pair's session.
inline constexpr const char* mirroring_session = "11111111-2222-3333-4444-555555555555";

/// "ours", "foreign" or "unknown" to a system identifier; "unknown" to none. "session" and
/// "other_session" to a guid.
std::string read_lineage(const entry& of);

/// {"primary": TIMELINE}, {"standby": TIMELINE}, {"fails": WHY} or {"says": CELLS}; of SQL Server
/// what read_partner_evidence() reads.
std::variant<answer, failure> read_member_evidence(const std::string& host, fields& of);

/// {"principal": SEQUENCE}, {"mirror": SEQUENCE or null}, {"not_mirrored": true} or
/// {"no_database": true}; none if it is nothing of these.
std::optional<answer> read_partner_evidence(const std::string& host, fields& of);
/// Rows, {"fails": WHY} or {"says": ROWS}.
std::variant<answer, failure> read_witness_evidence(const entry& of);

/// The fields of "then". Throws bad_vector if there is none.
std::vector<claim> read_claims(const entry& of);
/// What of the claims is not so, a line each.
std::vector<std::string> differences(const std::vector<claim>& claims, const told& is);

/// The string, complete, or bad_vector at the entry.
store_specification parsed(const entry& at, const std::string& string);

/// "FIELD: expected WANTED, is IS" if they differ.
void compare(
    std::string_view field,
    std::string_view wanted,
    std::string_view is,
    std::vector<std::string>& into
);

}
