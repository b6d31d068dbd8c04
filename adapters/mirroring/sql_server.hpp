// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sql_server_member.hpp"
#include "mirroring/alternation.hpp"
#include "mirroring/pair.hpp"
#include "mirroring/quorum.hpp"

#include <hadr/ha_adapter.hpp>
#include <hadr/store.hpp>
#include <hadr/topology.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hadr::inline v0::mirroring::sql_server {

using core::sql_server::member_facts;
using core::sql_server::mirroring_state;
using core::sql_server::part;
using core::sql_server::safety_level;
using core::sql_server::witness_link;

struct member_evidence : member_watch {
    std::optional<member_facts>
        facts;          ///< Kept through a silence; gone once the server is known to be down.
    std::string called; ///< Its own name for itself; kept.
};

/// What a principal that served last said: what the engine goes by once it is lost (C28).
struct last_word {
    std::size_t by = 0;
    member_facts facts;
    time_point asked{};
    bool mirror_lost_since = false; ///< Nobody is promoted who was away meanwhile (C33).
};

/// The mode's private memory.
struct evidence final : pair_evidence<member_evidence> {
    std::optional<last_word> principal;
    alternation blind;
};

synchrony synchrony_of(mirroring_state state) noexcept;

/// In the engine's own words, for people.
std::string words_of(const member_facts& facts);

/// Why a server that answers is no partner that a session could be used with.
std::optional<failure> unfit(const member_facts& row, const endpoint& place);

/// Either partner's own link with the witness.
aged_link witness_link_of(const member_facts& by, time_point asked);

/// As the principal itself sees them: what it serves by.
links own_links(const member_facts& principal, time_point asked);

/// The links of the session that the member is principal of, as all who answered saw them.
links links_of(const evidence& known, const member_facts& principal, time_point asked);

/// What the evidence means: the rules of the mode (README.md in this folder). Pure and total.
topology decide(
    const topology& was, const evidence& known, const store_specification& store, time_point now
);

/// The member that an engine's server name means, by its own word or else by its host.
std::optional<std::size_t> member_called(std::string_view server_name, const evidence& known);

/// Whether one of the first members has neither said its name nor failed yet: it may be who is
/// meant by any name.
bool some_unheard(const evidence& known, std::size_t of_first) noexcept;

/// Whether a claimant is of no pair with one of the first members that answers, nor has its
/// database: cold, a name may lead to another pair's principal (F10). Of a pair whose partner was
/// replaced (C47), both have one database.
bool of_another_database(std::size_t claimant, const evidence& known, std::size_t of_first);

/// Where a server of that name listens, as far as the name tells.
endpoint place_called(std::string_view server_name);

/// What the engine would do now, and how it is asked.
expected<operation_plan> consider(
    const topology& is,
    const evidence& known,
    const store_specification& store,
    const operation& wanted
);

std::shared_ptr<const ha_adapter> pair(const store_specification& store);

}
