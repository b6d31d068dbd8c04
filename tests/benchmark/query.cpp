// SPDX-License-Identifier: Apache-2.0
// The price of a query in user-space instructions, which callgrind counts and no other load of the
// machine changes: so this one is a gate. Usage: query.
#include "benchmark/figures.hpp"
#include "support/guardian.hpp"
#include "support/postgres.hpp"

#include <cmath>
#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

namespace hadr::benchmark {

using namespace std::chrono_literals;

namespace {

constexpr int repetitions = 500;
constexpr double lease_most = 400;
constexpr double native_most = 0;

/// Instructions for each query, all threads but the one that asks left out.
double instructions(const std::string& mode, const std::string& function, int port) {
    const test::temporary_folder folder("hadr-callgrind");
    const auto out = folder.path() + "/out";
    test::run(
        {.words =
             {"valgrind",
              "--tool=callgrind",
              "--callgrind-out-file=" + out,
              "--toggle-collect=" + function,
              HADR_QUERY_SUBJECT,
              mode,
              std::to_string(port),
              std::to_string(repetitions)},
         .as_servers = false},
        120s
    );
    std::ifstream in(out);
    for (std::string word; in >> word;)
        if (word == "totals:" || word == "summary:") {
            double sum = 0;
            in >> sum;
            return sum / repetitions;
        }
    throw std::runtime_error("callgrind wrote no totals");
}

bool keeps(double value, double limit, std::string_view name) {
    figure(name, value);
    if (value <= limit)
        return true;
    say(fmt::format("{} is {:.0f}, more than {:.0f}", name, value, limit));
    return false;
}

int measure() {
    const test::temporary_folder folder("hadr-query");
    test::postgres_server server(folder, "server");
    server.start();
    const auto raw_text = instructions("raw_text", "measured_raw_text", server.port());
    const auto raw = instructions("raw_prepared", "measured_raw_prepared", server.port());
    const auto native = instructions("native_prepared", "measured_native_prepared", server.port());
    const auto text = instructions("lease_text", "measured_lease", server.port());
    const auto prepared = instructions("lease_prepared", "measured_lease", server.port());
    figure("query_instructions_libpq_prepared", raw);
    figure("query_instructions_libpq_text", raw_text);
    figure("query_instructions_text_over_libpq", text - raw_text);
    // To tens: the C library copies a string in two instructions more or less by where it lies.
    const auto added = std::round((native - raw) / 10) * 10;
    bool good = keeps(added, native_most, "query_instructions_native");
    good = keeps(prepared - raw, lease_most, "query_instructions_over_libpq") && good;
    return good ? 0 : 1;
}

int run(int /*count*/, char** /*words*/) {
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

}

int main(int count, char** words) {
    return hadr::test::guarded(&hadr::benchmark::run, count, words);
}
