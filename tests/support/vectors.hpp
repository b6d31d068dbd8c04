// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/expected.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

/// One sentence of the rules as data: observations in, expected view out (tests/vectors/README.md).
struct rule_vector {
    std::string name;
    std::vector<std::string> rules;
    /// What is not as the vector says, a line each; none: it holds.
    std::function<std::vector<std::string>()> differences;
};

/// All vectors of one file. Errors: configuration_invalid, naming file, vector and field, for
/// whatever is not exactly of the format.
expected<std::vector<rule_vector>> read_vectors(const std::string& file, std::string_view text);

}
