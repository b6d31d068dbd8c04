// SPDX-License-Identifier: Apache-2.0
#include "prober.hpp"

#include <memory>
#include <optional>

#include <libpq-fe.h>
#include <poll.h>

namespace demo {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

struct finish {
    void operator()(PGconn* one) const { PQfinish(one); }
};

using connection = std::unique_ptr<PGconn, finish>;

bool wait(PGconn* on, short events, moment until) {
    pollfd one{PQsocket(on), events, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now());
    return left.count() > 0 && poll(&one, 1, static_cast<int>(left.count())) > 0;
}

connection connect(int port, const char* database, moment until) {
    const auto text = std::to_string(port);
    const char* const keys[] = {
        "hostaddr", "port", "user", "dbname", "sslmode", "gssencmode", nullptr};
    const char* const values[] = {
        "127.0.0.1", text.c_str(), "postgres", database, "disable", "disable", nullptr};
    connection on(PQconnectStartParams(keys, values, 0));
    auto stage = PGRES_POLLING_WRITING;
    while (on && stage != PGRES_POLLING_OK) {
        if (stage == PGRES_POLLING_FAILED || PQstatus(on.get()) == CONNECTION_BAD ||
            !wait(on.get(), stage == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
            return nullptr;
        stage = PQconnectPoll(on.get());
    }
    return on;
}

std::optional<std::string> value(PGconn* on, const std::string& text, moment until) {
    std::optional<std::string> found;
    bool good = PQsendQuery(on, text.c_str()) == 1;
    while (good) {
        while (good && PQisBusy(on) != 0)
            good = wait(on, POLLIN, until) && PQconsumeInput(on) == 1;
        if (!good)
            break;
        PGresult* const one = PQgetResult(on);
        if (one == nullptr)
            return found;
        const auto status = PQresultStatus(one);
        good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
        if (good)
            found = PQntuples(one) > 0 ? PQgetvalue(one, 0, 0) : "";
        PQclear(one);
    }
    return std::nullopt;
}

void probe(const std::stop_token& stop, int port, gap_book& into) {
    connection on;
    std::optional<bool> was_writable;
    while (!stop.stop_requested()) {
        const auto until = steady::now() + 300ms;
        if (!on)
            on = connect(port, "postgres", until);
        const auto said =
            on ? value(on.get(), "select current_setting('transaction_read_only')", until)
               : std::nullopt;
        if (!said)
            on.reset();
        const bool writable = said == "off";
        if (writable != was_writable)
            into.writable(port, writable);
        was_writable = writable;
        std::this_thread::sleep_for(2ms);
    }
}

void follow(const std::stop_token& stop, int witness, gap_book& into) {
    const std::string question =
        "select primary_port from pgautofailover.get_primary('default', 0)";
    connection on;
    std::string before;
    while (!stop.stop_requested()) {
        const auto until = steady::now() + 300ms;
        if (!on)
            on = connect(witness, "pg_auto_failover", until);
        const auto said = on ? value(on.get(), question, until) : std::nullopt;
        if (!said)
            on.reset();
        else if (!said->empty() && *said != before) {
            before = *said;
            into.named(std::stoi(before));
        }
        std::this_thread::sleep_for(2ms);
    }
}

}

prober::prober(const std::vector<int>& ports, int witness, gap_book& into) {
    threads_.emplace_back([witness, &into](const std::stop_token& stop) {
        follow(stop, witness, into);
    });
    for (const int port : ports)
        threads_.emplace_back([port, &into](const std::stop_token& stop) {
            probe(stop, port, into);
        });
}

std::string ask(int port, const std::string& text) {
    const auto until = steady::now() + 10s;
    const auto on = connect(port, "postgres", until);
    return on ? value(on.get(), text, until).value_or("") : "";
}

}
