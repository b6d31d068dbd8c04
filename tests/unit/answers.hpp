// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/answer.hpp>

#include <optional>
#include <string>
#include <vector>

namespace hadr::test {

using cell = std::optional<std::string>;
using cells = std::vector<cell>;

/// What a driver makes of these rows; as many columns as the first has.
inline answer answer_of(const std::vector<cells>& rows) {
    answer made;
    for (std::size_t c = 0; !rows.empty() && c < rows.front().size(); ++c)
        made.add_column("c" + std::to_string(c));
    for (const auto& row : rows)
        for (const auto& one : row)
            made.add_value(one);
    made.finish("SELECT " + std::to_string(rows.size()), 0, transaction_status::idle);
    return made;
}

}
