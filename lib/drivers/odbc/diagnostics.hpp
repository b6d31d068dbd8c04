// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <sql.h>

namespace hadr::inline v0::odbc {

/// One record of what went wrong, or of what was told.
struct diagnostic {
    std::string sqlstate;
    int native = 0;
    std::string text; ///< Bounded, and nothing escaped yet.

    friend bool operator==(const diagnostic&, const diagnostic&) = default;
};

/// The first 16 records and whatever errors are among the others, 64 at most, of at most 1,000
/// bytes each: a driver sorts them as it likes, so that all of them are looked at.
std::vector<diagnostic> diagnostics_of(SQLSMALLINT type, SQLHANDLE handle);

}
