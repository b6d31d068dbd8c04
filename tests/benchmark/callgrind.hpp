// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "benchmark/figures.hpp"
#include "support/process.hpp"

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hadr::benchmark {

/// User-space instructions that callgrind counted while a program ran, as its options say.
inline double instructions_of(std::vector<std::string> options, test::child::command of) {
    const test::temporary_folder folder("hadr-callgrind");
    const auto out = folder.path() + "/out";
    std::vector<std::string> words = {
        "valgrind", "--tool=callgrind", "--callgrind-out-file=" + out};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), of.words.begin(), of.words.end());
    of.words = std::move(words);
    test::run(std::move(of), std::chrono::seconds(120));
    std::ifstream in(out);
    for (std::string word; in >> word;)
        if (word == "totals:") {
            double sum = 0;
            in >> sum;
            return sum;
        }
    throw std::runtime_error("callgrind wrote no totals");
}

/// A gate: prints the figure and says whether it keeps its limit.
inline bool keeps(double value, double limit, std::string_view name) {
    figure(name, value);
    if (value <= limit)
        return true;
    say(fmt::format("{} is {:.0f}, more than {:.0f}", name, value, limit));
    return false;
}

/// What main() returns of a benchmark that counts instructions.
inline int counted(int (*measure)()) {
    if (!std::filesystem::exists("/usr/bin/valgrind")) {
        say("skipped: there is no valgrind");
        return 77;
    }
    try {
        return measure();
    } catch (const std::exception& broken) {
        say(fmt::format("the benchmark broke: {}", broken.what()));
        return 1;
    }
}

}
