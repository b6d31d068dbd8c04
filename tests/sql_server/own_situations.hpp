// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/own_string.hpp"

#include <string>
#include <vector>

namespace hadr::test {

/// One that a client may find two partners in, and what went wrong in it; empty if nothing did.
struct own_situation {
    std::string name;
    std::string wrong;
};

/// The situations that a client alone can bring about on a pair that is whole: other names, other
/// orders, servers that are not there. A row is written in those that end well. Some three logins
/// are refused on either server, one of them for its password.
std::vector<own_situation> own_situations(const own_string& pair);

}
