// SPDX-License-Identifier: Apache-2.0
// A process of its own that writes down whom the engine names, whenever that changes:
// "MONOTONIC_NANOSECONDS PORT" a line. Usage: observer FILE monitor PORT | observer FILE members
// PORT...
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <libpq-fe.h>
#include <poll.h>

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct finish {
    void operator()(PGconn* one) const { PQfinish(one); }
};

/// One server, asked again and again over one connection; a silent one is given up after half a
/// second.
class watched {
public:
    watched(std::string port, std::string database, std::string text)
        : port_(std::move(port))
        , database_(std::move(database))
        , text_(std::move(text)) {}

    std::optional<std::string> ask() {
        if (!on_ && !connect())
            return std::nullopt;
        const auto until = clock_type::now() + 500ms;
        std::optional<std::string> found;
        bool good = PQsendQuery(on_.get(), text_.c_str()) == 1;
        while (good) {
            while (good && PQisBusy(on_.get()) != 0)
                good = wait(POLLIN, until) && PQconsumeInput(on_.get()) == 1;
            if (!good)
                break;
            PGresult* const one = PQgetResult(on_.get());
            if (one == nullptr)
                return found;
            good = PQresultStatus(one) == PGRES_TUPLES_OK;
            if (good && PQntuples(one) > 0)
                found = PQgetvalue(one, 0, 0);
            PQclear(one);
        }
        on_.reset();
        return std::nullopt;
    }

private:
    bool wait(short events, clock_type::time_point until) {
        pollfd one{PQsocket(on_.get()), events, 0};
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_type::now());
        return left.count() > 0 && poll(&one, 1, static_cast<int>(left.count())) > 0;
    }

    bool connect() {
        const char* const keys[] = {
            "hostaddr", "port", "user", "dbname", "sslmode", "gssencmode", nullptr};
        const char* const values[] = {
            "127.0.0.1",
            port_.c_str(),
            "postgres",
            database_.c_str(),
            "disable",
            "disable",
            nullptr};
        on_.reset(PQconnectStartParams(keys, values, 0));
        const auto until = clock_type::now() + 500ms;
        auto stage = PGRES_POLLING_WRITING;
        while (on_ && stage != PGRES_POLLING_OK) {
            if (stage == PGRES_POLLING_FAILED || PQstatus(on_.get()) == CONNECTION_BAD ||
                !wait(stage == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
                on_.reset();
            else
                stage = PQconnectPoll(on_.get());
        }
        return on_ != nullptr;
    }

    std::string port_;
    std::string database_;
    std::string text_;
    std::unique_ptr<PGconn, finish> on_;
};

/// Writes down the naming whenever it changes; each server is asked on a thread of its own, so that
/// a silent one delays nobody.
class notebook {
public:
    explicit notebook(std::FILE* to) : to_(to) {}

    // What a server said: who is named, or its own timeline while it is writable.
    void heard(const std::string& port, const std::string& said, bool monitor) {
        const std::lock_guard guard(mutex_);
        std::string named = said;
        if (!monitor) {
            if (said.empty())
                timelines_.erase(port);
            else
                timelines_[port] = said;
            // The writable member of the highest timeline: what promotion by hand means.
            std::string best;
            for (const auto& [one, timeline] : timelines_)
                if (timeline > best) {
                    best = timeline;
                    named = one;
                }
            if (timelines_.empty())
                named.clear();
        }
        if (named.empty() || named == last_)
            return;
        last_ = named;
        std::fprintf(
            to_,
            "%lld %s\n",
            static_cast<long long>(clock_type::now().time_since_epoch().count()),
            named.c_str()
        );
        std::fflush(to_);
    }

private:
    std::mutex mutex_; // Guards the rest.
    std::FILE* to_;
    std::map<std::string, std::string> timelines_;
    std::string last_;
};

}

int main(int count, char** words) {
    if (count < 4)
        return 2;
    std::FILE* const out = std::fopen(words[1], "a");
    if (out == nullptr)
        return 1;
    const bool monitor = std::strcmp(words[2], "monitor") == 0;
    notebook notes(out);
    std::vector<std::thread> all;
    for (int i = 3; i < count; ++i)
        all.emplace_back([&notes, monitor, port = std::string(words[i])] {
            watched one(
                port,
                monitor ? "pg_auto_failover" : "postgres",
                monitor ? "select primary_port from pgautofailover.get_primary('default', 0)"
                        : "select case when not pg_is_in_recovery() and "
                          "current_setting('transaction_read_only') = "
                          "'off' then substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) "
                          "else '' end"
            );
            for (;;) {
                if (const auto said = one.ask())
                    notes.heard(port, *said, monitor);
                std::this_thread::sleep_for(3ms);
            }
        });
    for (auto& one : all)
        one.join();
}
