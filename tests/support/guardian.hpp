// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace hadr::test {

/// Runs a test program such that nothing it started outlives it, however it ends: this process
/// waits; a guardian, its child, adopts all orphans, ends them all when the tests have ended or
/// this process is killed, and passes on how the tests ended. To be called before there are
/// threads.
int guarded(int (*run)(int, char**), int count, char** words);

/// The guardian, if there is one, takes the folder away when the tests have ended and did not.
void tell_guardian(const std::string& folder) noexcept;

}
