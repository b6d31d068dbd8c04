// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::odbc {

/// A text with "?" for each marker, and which parameter each of them stands for.
struct marked_text {
    std::string text;
    std::vector<std::uint16_t> order; ///< From 0.
};

/// Writes "?" for PostgreSQL's "$1", outside of its literals, quoted names, dollar quotes and
/// comments. A text without any stays as it is. Errors: rejected_by_server where a "?" stands for
/// itself, since a driver takes every one for a parameter.
expected<marked_text> with_question_marks(std::string_view text);

}
