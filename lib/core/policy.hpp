// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/store.hpp>

#include <string>
#include <vector>

namespace hadr::inline v0::core {

/// The support policy of the product family, by Generation.
/// Returns what it only warns of. Errors: configuration_invalid, with the rules, the reason and the
/// override that would allow it. Without Generation it is silent.
expected<std::vector<std::string>> check_policy(const store_specification& store);

}
