// SPDX-License-Identifier: Apache-2.0
// A process of its own that finds the moment from which a server takes writes: asks it about every
// 200 microseconds over one session. Usage: poller FILE PORT. Writes "ready" once it asks, then the
// moment in nanoseconds of the monotonic clock, and ends with its server.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include <libpq-fe.h>
#include <poll.h>
#include <sys/prctl.h>

namespace {

constexpr auto between = std::chrono::microseconds(100);

PGconn* connect(const char* port) {
    const char* const keys[] = {
        "hostaddr", "port", "user", "dbname", "sslmode", "gssencmode", nullptr};
    const char* const values[] = {
        "127.0.0.1", port, "postgres", "postgres", "disable", "disable", nullptr};
    return PQconnectdbParams(keys, values, 0);
}

enum class answer {
    writable,
    read_only,
    none,
};

answer ask(PGconn* on) {
    PGresult* const one = PQexec(on, "show transaction_read_only");
    auto said = answer::none;
    if (PQresultStatus(one) == PGRES_TUPLES_OK)
        said =
            std::strcmp(PQgetvalue(one, 0, 0), "off") == 0 ? answer::writable : answer::read_only;
    PQclear(one);
    return said;
}

void write_down(std::FILE* to, const char* line) {
    std::fprintf(to, "%s\n", line);
    std::fflush(to);
}

// Ending takes a processor for milliseconds, here and in the server: those that are being measured.
void stay(PGconn* on) {
    pollfd end{PQsocket(on), POLLIN, 0};
    while (poll(&end, 1, -1) < 0)
        ;
}

}

int main(int count, char** words) {
    if (count != 3)
        return 2;
    std::FILE* const out = std::fopen(words[1], "w");
    PGconn* const on = connect(words[2]);
    if (out == nullptr || ask(on) == answer::none)
        return 1;
    prctl(PR_SET_TIMERSLACK, 1);
    write_down(out, "ready");
    for (;;) {
        const auto said = ask(on);
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        if (said == answer::none)
            return 1;
        if (said == answer::writable) {
            char text[32];
            std::snprintf(text, sizeof text, "%lld", static_cast<long long>(now.count()));
            write_down(out, text);
            stay(on);
            break;
        }
        std::this_thread::sleep_for(between);
    }
    PQfinish(on);
    std::fclose(out);
}
