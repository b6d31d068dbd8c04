// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hadr::test {

/// Says what this process is about to run, as the words that replay it; its parent knows them also
/// when it dies or hangs in it.
void about_to_run(const std::string& replayed_by) noexcept;

/// What one process of several ended with.
struct ended_process {
    std::vector<std::uint64_t> numbers; ///< As returned by its work; empty if it did not get there.
    std::string failure;                ///< Why it did not end well, and what it was at.
};

/// Runs the work in as many processes at once. One that is at the same thing for a minute and a
/// half is ended.
std::vector<ended_process> in_processes(
    std::uint64_t count, const std::function<std::vector<std::uint64_t>(std::uint64_t)>& work
);

}
