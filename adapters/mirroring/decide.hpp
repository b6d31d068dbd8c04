// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mirroring/evidence.hpp"

#include <hadr/store.hpp>
#include <hadr/topology.hpp>

namespace hadr::inline v0::mirroring {

/// What the evidence means for the store: the rules of the mode (README.md in this folder). Pure
/// and total. Was is the topology before; its accepted epoch is the only memory it
/// needs.
topology decide(const topology& was, const evidence& known, const store_specification& store);

/// The member that the row is of: the port is the member's, and the host is too, or both are this
/// machine, or the node's name is the member's host or its first label. A guess could name another
/// server.
std::optional<std::size_t> member_of(const witness_row& row, const std::vector<endpoint>& members);

}
