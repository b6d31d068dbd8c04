// SPDX-License-Identifier: Apache-2.0
// usage: hadr_readme_keys [--write] README.md
// Compares the table of keys in README.md with the one that the library makes, or writes it there.
#include "core/keys.hpp"

#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

namespace {

constexpr std::string_view first = "<!-- keys:begin -->\n";
constexpr std::string_view last = "<!-- keys:end -->\n";

std::optional<std::string> with_table(const std::string& page) {
    const auto begin = page.find(first);
    const auto end = page.find(last);
    if (begin == std::string::npos || end == std::string::npos || end < begin)
        return std::nullopt;
    return page.substr(0, begin + first.size()) + hadr::core::key_reference() + page.substr(end);
}

}

int main(int count, char** words) {
    const bool write = count == 3 && std::string_view(words[1]) == "--write";
    if (count != 2 && !write) {
        std::cerr << "usage: hadr_readme_keys [--write] README.md\n";
        return 2;
    }
    std::stringstream page;
    page << std::ifstream(words[count - 1]).rdbuf();
    const auto wanted = with_table(page.str());
    if (!wanted) {
        std::cerr << words[count - 1] << " has no lines " << first << last;
        return 1;
    }
    if (write)
        return std::ofstream(words[count - 1]) << *wanted ? 0 : 1;
    if (*wanted == page.str())
        return 0;
    std::cerr << "README.md does not show the keys as they are; cmake --build BUILD --target "
                 "readme_keys writes them\n";
    return 1;
}
