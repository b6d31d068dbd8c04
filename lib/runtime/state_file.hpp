// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/ha_adapter.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace hadr::inline v0::runtime {

/// The text of State_File (rulings 12): the highest epoch and the members it was verified on. Holds
/// no secret.
std::string write_state(const remembered& what);

/// None if the text is not one of ours: then the store starts cold.
std::optional<remembered> read_state(std::string_view text);

}
