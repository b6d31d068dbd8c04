// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/operation.hpp>
#include <hadr/topology.hpp>

#include <optional>
#include <string>

namespace hadr::inline v0::core {

/// What a mirrored pair is like when an operator asks for something.
struct mirroring_situation {
    bool synchronous = true; ///< Safety FULL.
    synchrony replication = synchrony::unknown;
    witness_state witness = witness_state::none;
    bool primary_connected = false;
    bool engine_gave_up = false; ///< No failover will come of what would bring one.
};

/// Why the operation is refused, or nothing if the engine would carry it out (C27, C28, C36, C37).
std::optional<std::string> refusal(const mirroring_situation& at, operation_kind wanted);

}
