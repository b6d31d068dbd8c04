// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hadr::test {

/// What a driver manager with a driver behind it does in these tests, which link no other: every
/// statement succeeds without rows unless the script says otherwise.
struct odbc_script {
    struct record {
        std::string sqlstate;
        int native = 0;
    };

    /// Texts that fail, and with what records.
    std::map<std::string, std::vector<record>> failures;
    bool dead = false; ///< What the driver says of its session.
    /// Texts that bring rows, all of the same length, and these.
    std::map<std::string, std::vector<std::vector<std::optional<std::string>>>> rows;
    std::vector<record> warnings; ///< With every row.
    /// Called within the call that executes.
    std::function<void(const std::string& text)> on_execute;

    std::vector<std::string> executed;              ///< In order.
    std::vector<std::optional<std::string>> values; ///< Parameters, as they were at the last one.
    std::uintptr_t limit = 0;                       ///< In seconds, of the last one; 0: none.
    int cancels = 0;
    int bound = 0;   ///< Columns, of the statement that was fetched from last.
    int read = 0;    ///< Calls of SQLGetData.
    int handles = 0; ///< Allocated and not freed.
    int disconnects = 0;
    bool pooling = true; ///< Until it is turned off.
};

/// The one in force. Precondition for every call: there is one.
inline odbc_script* odbc_now = nullptr;

}
