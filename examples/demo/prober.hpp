// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gaps.hpp"

#include <string>
#include <thread>
#include <vector>

namespace demo {

/// Asks each server over a connection of its own, without the library, whether it takes writes, and
/// the witness whom it names: from there, whose part of an outage was whose.
class prober {
public:
    prober(const std::vector<int>& ports, int witness, gap_book& into);

private:
    std::vector<std::jthread> threads_;
};

/// One value over plain libpq, for setting up and for the verdict at the end; empty if the server
/// does not say.
std::string ask(int port, const std::string& text);

}
