// SPDX-License-Identifier: Apache-2.0
// Runs SELECT 1 many times inside one function, whose instructions callgrind counts. Usage:
// query_subject MODE PORT COUNT.
#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <cstdio>
#include <cstdlib>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <libpq-fe.h>

namespace {

using namespace std::chrono_literals;

constexpr int warm = 100;
constexpr const char* query_text = "SELECT 1";
constexpr const char* query_name = "one";

[[noreturn]] void stop(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

void check(PGresult* one) {
    if (PQresultStatus(one) != PGRES_TUPLES_OK || *PQgetvalue(one, 0, 0) != '1')
        stop(PQresultErrorMessage(one));
    PQclear(one);
}

void raw_text_once(PGconn* on) {
    check(PQexec(on, query_text));
}

void raw_prepared_once(PGconn* on) {
    check(PQexecPrepared(on, query_name, 0, nullptr, nullptr, nullptr, 0));
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

template <class Once>
void repeat(int count, const Once& once) {
    for (int i = 0; i < count; ++i)
        once();
}

}

// Named for callgrind's --toggle-collect, once warm.
extern "C" {
[[gnu::noinline]] void measured_raw_text(PGconn* on, int count) {
    repeat(count, [&] { raw_text_once(on); });
}

[[gnu::noinline]] void measured_raw_prepared(PGconn* on, int count) {
    repeat(count, [&] { raw_prepared_once(on); });
}

[[gnu::noinline]] void measured_lease(
    hadr::connection_manager* store, const hadr::statement* what, hadr::answer* into, int count
) {
    repeat(count, [&] { lease_once(*store, *what, *into); });
}

[[gnu::noinline]] void measured_native_prepared(PGconn* on, int count) {
    repeat(count, [&] { raw_prepared_once(on); });
}
}

namespace {

void prepare(PGconn* on) {
    PGresult* const one = PQprepare(on, query_name, query_text, 0, nullptr);
    if (PQresultStatus(one) != PGRES_COMMAND_OK)
        stop(PQresultErrorMessage(one));
    PQclear(one);
}

// With a second thread, as any program with a pool has: the allocator then takes locks.
void run_raw(std::string_view mode, const std::string& port, int count) {
    std::latch over(1);
    const std::jthread other([&] { over.wait(); });
    const std::unique_ptr<PGconn, decltype(&PQfinish)> on(
        PQconnectdb(("hostaddr=127.0.0.1 user=postgres dbname=postgres sslmode=disable port=" + port
        )
                        .c_str()),
        &PQfinish
    );
    if (PQstatus(on.get()) != CONNECTION_OK)
        stop(PQerrorMessage(on.get()));
    prepare(on.get());
    if (mode == "raw_text") {
        repeat(warm, [&] { raw_text_once(on.get()); });
        measured_raw_text(on.get(), count);
    } else {
        repeat(warm, [&] { raw_prepared_once(on.get()); });
        measured_raw_prepared(on.get(), count);
    }
    over.count_down();
}

void run_store(std::string_view mode, const std::string& port, int count) {
    auto store = hadr::open(
        "Driver=libpq;Database=postgres;UID=postgres;Server=127.0.0.1:" + port,
        {.drivers = {hadr::libpq::make_driver()}}
    );
    if (!store)
        stop(to_string(store.error()));
    if (mode == "native_prepared") {
        auto held = (*store)->acquire({.until = hadr::deadline::in(60s)});
        if (!held)
            stop(to_string(held.error()));
        auto* const on = hadr::libpq::native(*held);
        prepare(on);
        repeat(warm, [&] { raw_prepared_once(on); });
        measured_native_prepared(on, count);
        return;
    }
    const hadr::statement what{
        .text = query_text,
        .prepare = mode == "lease_prepared" ? hadr::preparation::kept : hadr::preparation::none};
    hadr::answer into;
    repeat(warm, [&] { lease_once(**store, what, into); });
    measured_lease(store->get(), &what, &into, count);
}

}

int main(int count, char** words) {
    if (count != 4)
        return 2;
    const std::string_view mode = words[1];
    if (mode.starts_with("raw"))
        run_raw(mode, words[2], std::atoi(words[3]));
    else
        run_store(mode, words[2], std::atoi(words[3]));
}
