// SPDX-License-Identifier: Apache-2.0
// usage: odbc_trace CASE: what the real driver manager and drivers write of a login, and that the
// check before a login says so. One case in each process: ODBC's files are read once.
#include "drivers/odbc/trace.hpp"
#include "property/scratch_folder.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

#include <sql.h>
#include <sqlext.h>

namespace hadr::test {

namespace {

namespace fs = std::filesystem;

constexpr const char* canary = "canary-in-a-password";

/// A folder with an odbcinst.ini of its own, which ODBC is told to use.
class odbc_folder {
public:
    odbc_folder() {
        setenv("ODBCSYSINI", file("").c_str(), 1);
        setenv("ODBCINI", file("odbc.ini").c_str(), 1);
    }

    void write(const std::string& more) const {
        std::ofstream(file("odbcinst.ini"))
            << "[SQLite3]\nDriver=libsqlite3odbc.so\n[FreeTDS]\nDriver=libtdsodbc.so\n"
            << more;
        std::ofstream(file("odbc.ini")) << "[traced]\nDriver=SQLite3\nTraceFile=trace\n";
    }
    std::string file(const std::string& name) const { return (folder_.path() / name).string(); }

    /// Whether the canary lies in it.
    bool leaked(const std::string& name) const {
        std::ifstream in(file(name), std::ios::binary);
        const std::string all((std::istreambuf_iterator<char>(in)), {});
        return all.find(canary) != std::string::npos;
    }

private:
    const scratch_folder folder_{"hadr-trace"};
};

/// A connection handle and what surrounds it.
class login {
public:
    login() {
        SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment_);
        SQLSetEnvAttr(
            environment_, SQL_ATTR_ODBC_VERSION, reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3), 0
        );
        if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, environment_, &connection_)))
            throw std::runtime_error("no ODBC handle");
    }
    login(const login&) = delete;
    login& operator=(const login&) = delete;
    ~login() {
        SQLDisconnect(connection_);
        SQLFreeHandle(SQL_HANDLE_DBC, connection_);
        SQLFreeHandle(SQL_HANDLE_ENV, environment_);
    }

    std::string refused(const char* driver, const char* source = "") const {
        auto with = std::make_shared<profile>();
        with->odbc_driver = driver;
        with->odbc_source = source;
        const target to{{"db1", 0, {}}, "127.0.0.1", with, purpose::lend, {}};
        const auto through = real_world();
        odbc::real_surroundings around(connection_, *through);
        const auto how = odbc::unobserved(odbc::profile_of(driver), to, around);
        return how ? "" : how.error().message;
    }

    void connect(std::string text) const {
        SQLDriverConnect(
            connection_,
            nullptr,
            reinterpret_cast<SQLCHAR*>(text.data()),
            static_cast<SQLSMALLINT>(text.size()),
            nullptr,
            0,
            nullptr,
            SQL_DRIVER_NOPROMPT
        );
    }

    void trace_into(std::string file) const {
        SQLSetConnectAttr(connection_, SQL_ATTR_TRACEFILE, file.data(), SQL_NTS);
        SQLSetConnectAttr(
            connection_, SQL_ATTR_TRACE, reinterpret_cast<SQLPOINTER>(SQL_OPT_TRACE_ON), 0
        );
    }

private:
    SQLHANDLE environment_ = SQL_NULL_HANDLE;
    SQLHANDLE connection_ = SQL_NULL_HANDLE;
};

bool failed = false;

void check(bool holds, const char* what) {
    if (!holds)
        std::printf("not so: %s\n", what);
    failed = failed || !holds;
}

std::string with_password() {
    return std::string("Driver=SQLite3;Database=:memory:;Password=") + canary + ";";
}

void manager_traces_by_file(const odbc_folder& here) {
    here.write("[ODBC]\nTrace=Yes\nTraceFile=" + here.file("sql.log") + "\n");
    const login of;
    check(of.refused("SQLite3").starts_with("Trace in [ODBC] of odbcinst.ini"), "it is told");
    of.connect(with_password());
    check(here.leaked("sql.log"), "the driver manager writes passwords");
}

void manager_traces_by_attribute(const odbc_folder& here) {
    here.write("");
    const login of;
    check(of.refused("SQLite3").empty(), "nothing to tell");
    of.trace_into(here.file("sql.log"));
    check(of.refused("SQLite3").starts_with("SQL_ATTR_TRACE is on"), "it is told");
    const login another;
    check(another.refused("SQLite3").starts_with("SQL_ATTR_TRACE is on"), "it is the process's");
    another.connect(with_password());
    check(here.leaked("sql.log"), "the driver manager writes passwords");
}

void manager_pools(const odbc_folder& here) {
    here.write("[ODBC]\nPooling=Yes\n");
    const login of;
    check(of.refused("SQLite3").starts_with("Pooling in [ODBC] of odbcinst.ini"), "it is told");
}

void driver_traces_by_file(const odbc_folder& here) {
    here.write("[PostgreSQL Unicode]\nDriver=psqlodbcw.so\nDebug=1\n");
    const login of;
    const auto why = of.refused("PostgreSQL Unicode");
    check(why.starts_with("Debug in [PostgreSQL Unicode] of odbcinst.ini"), "it is told");
    check(of.refused("FreeTDS").empty(), "other drivers do not read that");
}

void source_traces(const odbc_folder& here) {
    here.write("");
    const login of;
    const auto why = of.refused("", "traced");
    check(why.starts_with("TraceFile in [traced] of odbc.ini"), why.c_str());
    check(of.refused("", "untraced").empty(), "others are not traced");
}

void environment_traces(const odbc_folder& here) {
    here.write("");
    setenv("TDSDUMP", here.file("dump").c_str(), 1);
    const login of;
    check(of.refused("FreeTDS").find("TDSDUMP") != std::string::npos, "it is told");
    of.connect("Driver=FreeTDS;Server=127.0.0.1;Port=1;UID=a;PWD=b;TDS_Version=7.4;Encryption=off;"
    );
    check(fs::exists(here.file("dump")), "the driver writes a file");
    unsetenv("TDSDUMP");
    check(of.refused("FreeTDS").empty(), "nothing to tell");
}

int run(const std::string& which) {
    const std::map<std::string, std::function<void(const odbc_folder&)>> cases = {
        {"manager_traces_by_file", manager_traces_by_file},
        {"manager_traces_by_attribute", manager_traces_by_attribute},
        {"manager_pools", manager_pools},
        {"driver_traces_by_file", driver_traces_by_file},
        {"source_traces", source_traces},
        {"environment_traces", environment_traces}};
    const auto found = cases.find(which);
    if (found == cases.end())
        throw std::runtime_error("there is no such case");
    const odbc_folder here;
    found->second(here);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

}

}

int main(int count, char** words) {
    try {
        return hadr::test::run(count > 1 ? words[1] : "");
    } catch (const std::exception& why) {
        std::fprintf(stderr, "odbc_trace: %s\n", why.what());
        return EXIT_FAILURE;
    }
}
