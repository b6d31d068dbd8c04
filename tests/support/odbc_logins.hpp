// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

/// A text in a form that is not found where it is searched for.
class hidden_text {
public:
    explicit hidden_text(std::string_view plain);

    /// How often it stands in the memory that this process can write to.
    std::size_t copies_in_memory() const;

private:
    std::string masked_;
};

/// A call of SQLDriverConnect by this program, its libraries included.
struct odbc_login {
    hidden_text connection_string;
    bool asks_for_another = false; ///< For the completed one, or for its length.
    bool may_prompt = false;       ///< The user may be asked for what is missing.
    bool connected = false;
};

/// Since the program began: its own SQLDriverConnect stands before the driver manager's and
/// listens. Link odbc_logins.cpp and export the program's symbols.
std::vector<odbc_login> odbc_logins();

}
