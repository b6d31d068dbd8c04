// SPDX-License-Identifier: Apache-2.0
// The price of a query in user-space instructions, which callgrind counts and no other load of the
// machine changes: so this one is a gate. Usage: query.
#include "benchmark/callgrind.hpp"
#include "support/guardian.hpp"
#include "support/postgres.hpp"

#include <cmath>
#include <string>

namespace hadr::benchmark {

namespace {

constexpr int repetitions = 500;
constexpr double lease_most = 400;
constexpr double native_most = 0;

/// Instructions for each query, all threads but the one that asks left out.
double instructions(const std::string& mode, const std::string& function, int port) {
    return instructions_of(
               {"--toggle-collect=" + function},
               {.words =
                    {HADR_QUERY_SUBJECT, mode, std::to_string(port), std::to_string(repetitions)},
                .as_servers = false}
           ) /
           repetitions;
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
    return counted(&measure);
}

}

}

int main(int count, char** words) {
    return hadr::test::guarded(&hadr::benchmark::run, count, words);
}
