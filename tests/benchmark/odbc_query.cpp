// SPDX-License-Identifier: Apache-2.0
// The price of a query through ODBC over bare calls of the same driver: instructions of all threads
// together, which no other load of the machine changes, and so a gate; and the time, which is only
// stated. No driver that is known keeps its deadlines, so that calls are handed to another thread;
// what they would cost on the caller's own is measured beside it. Usage: odbc_query.
#include "benchmark/callgrind.hpp"
#include "support/guardian.hpp"
#include "support/postgres.hpp"

#include <charconv>
#include <string>
#include <vector>

namespace hadr::benchmark {

using namespace std::chrono_literals;

namespace {

constexpr int repetitions = 500;
constexpr int timed = 2000;
constexpr int turns = 5;
constexpr double handed_over_most = 1500;
constexpr double own_thread_most = 600;

/// The same place for both; the store asks nothing by itself meanwhile.
struct subject {
    std::string raw;
    std::string store;
};

constexpr std::string_view quiet = ";Watch_Interval=1min;Pool_Max=1";

double instructions(const std::string& mode, const std::string& with) {
    return instructions_of(
               {"--instr-atstart=no"},
               {.words = {HADR_ODBC_SUBJECT, mode, with, std::to_string(repetitions)},
                .as_servers = false}
           ) /
           repetitions;
}

double nanoseconds(const std::string& mode, const std::string& with) {
    const auto text = test::run(
        {.words = {HADR_ODBC_SUBJECT, mode, with, std::to_string(timed)}, .as_servers = false}, 60s
    );
    double made = 0;
    std::from_chars(text.data(), text.data() + text.size(), made);
    return made;
}

double added(const subject& of, const std::string& mode) {
    return instructions(mode, of.store) - instructions("raw", of.raw);
}

// Both in turns, so that what else runs on the machine hits both.
double wall_ratio(const subject& of, const std::string& mode) {
    std::vector<double> raw;
    std::vector<double> lease;
    for (int i = 0; i < turns; ++i) {
        raw.push_back(nanoseconds("raw", of.raw));
        lease.push_back(nanoseconds(mode, of.store));
    }
    return least(lease) / least(raw);
}

int measure() {
    const test::temporary_folder folder("hadr-odbc-query");
    test::postgres_server server(folder, "server");
    server.start();
    const subject psqlodbc{
        fmt::format(
            "Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={};Database=postgres;UID=postgres;"
            "SSLmode=disable;Debug=0;CommLog=0;Protocol=7.4-0;UseServerSidePrepare=1;"
            "UseDeclareFetch=0;LFConversion=0;ByteaAsLongVarBinary=1",
            server.port()
        ),
        fmt::format(
            "Driver={{PostgreSQL Unicode}};Server=127.0.0.1:{};Database=postgres;UID=postgres{}",
            server.port(),
            quiet
        )};
    const auto file = folder.path() + "/file";
    const subject sqlite{
        fmt::format("Driver=SQLite3;Database={};SyncPragma=FULL;Timeout=5000", file),
        fmt::format("Driver=SQLite3;Database={}{}", file, quiet)};
    bool good = keeps(added(psqlodbc, "lease"), handed_over_most, "odbc_instructions_over_raw");
    figure("odbc_instructions_over_raw_sqlite", added(sqlite, "lease"));
    good &= keeps(added(sqlite, "own"), own_thread_most, "odbc_instructions_own_thread");
    good &= keeps(added(psqlodbc, "own"), own_thread_most, "odbc_instructions_own_thread_psqlodbc");
    figure("odbc_wall_ratio_to_raw", wall_ratio(psqlodbc, "lease"));
    figure("odbc_wall_ratio_to_raw_sqlite", wall_ratio(sqlite, "lease"));
    figure("odbc_wall_ratio_own_thread", wall_ratio(sqlite, "own"));
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
