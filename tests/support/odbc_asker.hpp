// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

/// One connection of the harness over the driver manager alone, with nothing of the library's in
/// between. Made at the first question and kept. It has no deadline: only for servers that answer.
/// Not thread-safe.
class odbc_asker {
public:
    /// What the driver manager is given.
    explicit odbc_asker(std::string connection_text);
    ~odbc_asker();

    /// The first column of all rows; none if the server refused the login or the statement.
    std::optional<std::vector<std::string>> ask(std::string_view text);
    /// As ask, but throws with what the driver said where ask gives none.
    std::vector<std::string> must(std::string_view text);

private:
    struct handles;

    bool connect();

    std::string text_;
    std::string said_; ///< What was said of the last refusal.
    std::unique_ptr<handles> on_;
};

}
