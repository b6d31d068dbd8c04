// SPDX-License-Identifier: Apache-2.0
#include "vectors/files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hadr::test {

namespace {

std::string whole_file(const std::filesystem::path& path) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

vector_file read_vector_file(const std::filesystem::path& path) {
    vector_file made;
    made.suite = path.stem().string();
    auto read = read_vectors(path.filename().string(), whole_file(path));
    if (read)
        made.vectors = *std::move(read);
    else
        made.wrong = read.error().message;
    return made;
}

}

std::vector<vector_file> read_vector_files(const std::string& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& one : std::filesystem::directory_iterator(folder))
        if (one.path().extension() == ".json")
            paths.push_back(one.path());
    std::sort(paths.begin(), paths.end());
    std::vector<vector_file> made;
    for (const auto& path : paths)
        made.push_back(read_vector_file(path));
    return made;
}

std::set<std::string> read_lines(const std::string& path) {
    std::ifstream in(path);
    std::set<std::string> made;
    for (std::string line; std::getline(in, line);)
        if (!line.empty() && line.front() != '#')
            made.insert(line);
    return made;
}

std::set<std::string> read_left_out(const std::string& path) {
    std::ifstream in(path);
    std::set<std::string> made;
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
        inside = line.starts_with("| not covered") || (inside && line.starts_with('|'));
        if (!inside || line.starts_with("|-") || line.starts_with("| not"))
            continue;
        std::stringstream ids(line.substr(1, line.find('|', 1) - 1));
        for (std::string id; ids >> id;)
            made.insert(id.substr(0, id.find(',')));
    }
    return made;
}

}
