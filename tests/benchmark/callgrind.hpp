// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.hpp"

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace hadr::benchmark {

/// User-space instructions that callgrind counted while a program ran, as its options say.
inline double instructions_of(std::vector<std::string> options, std::vector<std::string> command) {
    const test::temporary_folder folder("hadr-callgrind");
    const auto out = folder.path() + "/out";
    std::vector<std::string> words = {
        "valgrind", "--tool=callgrind", "--callgrind-out-file=" + out};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), command.begin(), command.end());
    test::run({.words = words, .as_servers = false}, std::chrono::seconds(120));
    std::ifstream in(out);
    for (std::string word; in >> word;)
        if (word == "totals:") {
            double sum = 0;
            in >> sum;
            return sum;
        }
    throw std::runtime_error("callgrind wrote no totals");
}

}
