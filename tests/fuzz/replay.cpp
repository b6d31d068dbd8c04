// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on files and on all files of folders, where the compiler has no libFuzzer.
#include "fuzz/target.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

namespace {

void run(const std::filesystem::path& file) {
    std::stringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    const auto text = bytes.str();
    std::cout << file.filename().string() << std::endl;
    const std::vector<std::uint8_t> copy(text.begin(), text.end());
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

}

int main(int count, char** words) {
    std::size_t files = 0;
    for (int i = 1; i < count; ++i) {
        if (std::string_view(words[i]).starts_with('-'))
            continue;
        if (std::filesystem::is_regular_file(words[i])) {
            run(words[i]);
            ++files;
            continue;
        }
        for (const auto& one : std::filesystem::directory_iterator(words[i])) {
            run(one.path());
            ++files;
        }
    }
    return files > 0 ? 0 : 1;
}
