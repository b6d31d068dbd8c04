// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/vectors.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace hadr::test {

/// One file of vectors.
struct vector_file {
    std::string suite; ///< Its name without ".json".
    std::vector<rule_vector> vectors;
    std::optional<std::string> wrong; ///< Why it cannot be read.
};

/// All *.json of the folder, by name.
std::vector<vector_file> read_vector_files(const std::string& folder);

/// Those that are neither empty nor begin with '#'.
std::set<std::string> read_lines(const std::string& path);

/// The ids in the first column of the table of README.md whose heading is "not covered".
std::set<std::string> read_left_out(const std::string& path);

}
