// SPDX-License-Identifier: Apache-2.0
#include "core/allowed_actions.hpp"

namespace hadr::inline v0::core {

namespace {

std::optional<std::string> planned_refusal(const mirroring_situation& at) {
    if (!at.synchronous)
        return "a planned failover needs synchronous mirroring; only a forced one exists here "
               "(C27)";
    if (!at.primary_connected)
        return "a planned failover needs both partners connected (C36)";
    if (at.replication != synchrony::synchronized)
        return "a planned failover needs a synchronized standby (C36)";
    return std::nullopt;
}

std::optional<std::string> forced_refusal(const mirroring_situation& at) {
    if (at.primary_connected)
        return "the primary is connected: a forced failover is for a lost primary only (C37)";
    switch (at.witness) {
    case witness_state::connected:
        if (at.synchronous && at.replication == synchrony::synchronized && !at.engine_gave_up)
            return "the engine fails over by itself: the standby is synchronized and the witness "
                   "connected (C28)";
        return std::nullopt;
    case witness_state::lost:
    case witness_state::unknown:
        return "the witness is configured and out of touch: the standby cannot be made available "
               "(C28)";
    case witness_state::none: return std::nullopt;
    }
    return std::nullopt;
}

}

std::optional<std::string> refusal(const mirroring_situation& at, operation_kind wanted) {
    switch (wanted) {
    case operation_kind::planned_failover: return planned_refusal(at);
    case operation_kind::forced_failover: return forced_refusal(at);
    }
    return std::nullopt;
}

}
