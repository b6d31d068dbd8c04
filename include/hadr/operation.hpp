// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/expected.hpp>

#include <optional>
#include <string>
#include <vector>

namespace hadr::inline v0 {

/// What an operator may ask of the engine (C21, C22, C27).
enum class operation_kind {
    planned_failover, ///< Loses nothing; needs a synchronized standby (C36).
    forced_failover,  ///< May lose commits; the old primary must be fenced by the caller (C37).
};

struct operation {
    operation_kind what = operation_kind::planned_failover;
    std::optional<std::size_t> target{}; ///< Member to become primary; empty: the only standby.
    bool data_loss_acknowledged = false;
};

/// One statement for the engine.
struct operation_step {
    enum class place {
        witness,
        member,
    };
    place where = place::witness;
    std::size_t member = 0;
    std::string text;
    std::string why; ///< For people.
};

/// What would be done, for an operator to read before executing it (B19). An immutable value.
struct operation_plan {
    operation wanted;
    std::size_t from = 0;
    std::size_t to = 0;
    std::vector<operation_step> steps;
    std::vector<std::string> warnings;
    std::uint64_t topology_version = 0; ///< execute() refuses a plan made for another view.
};

}
