// SPDX-License-Identifier: Apache-2.0
// Runs a prepared SELECT many times through ODBC, by bare calls or through a lease. Under callgrind
// all threads count from the first measured one to the last. Prints the nanoseconds of each. Usage:
// odbc_query_subject raw|lease|own CONNECTION-STRING COUNT.
#include <hadr/hadr.hpp>
#include <hadr/odbc.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <sqlext.h>
#include <valgrind/callgrind.h>

namespace {

using namespace std::chrono_literals;

constexpr int warm = 100;
constexpr std::string_view query_text = "SELECT 1";

[[noreturn]] void stop(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

void need(SQLRETURN how, const char* what) {
    if (!SQL_SUCCEEDED(how))
        stop(what);
}

SQLCHAR* text_of(std::string_view text) {
    return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text.data()));
}

template <class Once>
void measure(int count, const Once& once) {
    for (int i = 0; i < warm; ++i)
        once();
    const auto begun = std::chrono::steady_clock::now();
    CALLGRIND_START_INSTRUMENTATION;
    for (int i = 0; i < count; ++i)
        once();
    CALLGRIND_STOP_INSTRUMENTATION;
    const auto took = std::chrono::steady_clock::now() - begun;
    std::printf("%.1f\n", std::chrono::duration<double, std::nano>(took).count() / count);
}

// What any application does for all rows of a statement that it has prepared.
void raw_once(SQLHSTMT on) {
    need(SQLExecute(on), "SQLExecute");
    std::array<char, 64> value{};
    SQLLEN length = 0;
    int rows = 0;
    while (SQL_SUCCEEDED(SQLFetch(on))) {
        need(SQLGetData(on, 1, SQL_C_CHAR, value.data(), value.size(), &length), "SQLGetData");
        ++rows;
    }
    need(SQLFreeStmt(on, SQL_CLOSE), "SQLFreeStmt");
    if (rows != 1 || length != 1 || value[0] != '1')
        stop("not 1");
}

// With a second thread, as any program with a pool has: the allocator then takes locks.
void run_raw(const std::string& with, int count) {
    std::latch over(1);
    const std::jthread other([&] { over.wait(); });
    SQLHENV environment = SQL_NULL_HANDLE;
    SQLHDBC connection = SQL_NULL_HANDLE;
    SQLHSTMT statement = SQL_NULL_HANDLE;
    need(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment), "no environment");
    SQLSetEnvAttr(
        environment, SQL_ATTR_ODBC_VERSION, reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3), 0
    );
    need(SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection), "no connection");
    const auto length = static_cast<SQLSMALLINT>(with.size());
    need(
        SQLDriverConnect(
            connection, nullptr, text_of(with), length, nullptr, 0, nullptr, SQL_DRIVER_NOPROMPT
        ),
        "SQLDriverConnect"
    );
    need(SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement), "no statement");
    need(SQLPrepare(statement, text_of(query_text), SQL_NTS), "SQLPrepare");
    measure(count, [&] { raw_once(statement); });
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    SQLDisconnect(connection);
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
    over.count_down();
}

void lease_once(hadr::connection_manager& store, const hadr::statement& what, hadr::answer& into) {
    const auto until = hadr::deadline::in(5s);
    auto held = store.acquire({.intent = hadr::intent::write, .until = until});
    if (!held)
        stop(to_string(held.error()));
    if (const auto how = held->execute(what, into, until); !how)
        stop(to_string(how.error()));
    if (into.at(0, 0) != "1")
        stop("not 1");
}

/// The driver as it is where a profile trusts the ODBC driver with its deadlines: without an
/// executor every call is made where it is asked for.
class on_own_thread final : public hadr::driver {
public:
    std::string_view name() const noexcept override { return of_->name(); }

    hadr::expected<std::unique_ptr<hadr::session>> connect(
        const hadr::target& to,
        hadr::time_point until,
        hadr::world& through,
        const std::shared_ptr<hadr::executor>& /*by*/
    ) override {
        return of_->connect(to, until, through, nullptr);
    }

private:
    const std::shared_ptr<hadr::driver> of_ = hadr::odbc::make_driver();
};

void run_lease(const std::string& with, int count, std::shared_ptr<hadr::driver> by) {
    auto store = hadr::open(with, {.drivers = {std::move(by)}});
    if (!store)
        stop(to_string(store.error()));
    const hadr::statement what{.text = query_text, .prepare = hadr::preparation::kept};
    hadr::answer into;
    measure(count, [&] { lease_once(**store, what, into); });
}

}

int main(int count, char** words) {
    if (count != 4)
        return 2;
    const std::string_view mode = words[1];
    const int times = std::atoi(words[3]);
    if (mode == "raw")
        run_raw(words[2], times);
    else if (mode == "lease")
        run_lease(words[2], times, hadr::odbc::make_driver());
    else
        run_lease(words[2], times, std::make_shared<on_own_thread>());
}
