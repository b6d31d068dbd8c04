// SPDX-License-Identifier: Apache-2.0
#include "support/asker.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include <libpq-fe.h>
#include <poll.h>

namespace hadr::test {

namespace {

using steady = std::chrono::steady_clock;

bool wait_for(PGconn* on, short events, steady::time_point until) {
    pollfd one{PQsocket(on), events, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now());
    return left.count() > 0 && poll(&one, 1, static_cast<int>(left.count())) > 0;
}

bool connected(PGconn* on, steady::time_point until) {
    auto stage = PGRES_POLLING_WRITING;
    while (stage != PGRES_POLLING_OK) {
        if (stage == PGRES_POLLING_FAILED || PQstatus(on) == CONNECTION_BAD ||
            !wait_for(on, stage == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
            return false;
        stage = PQconnectPoll(on);
    }
    return true;
}

std::optional<std::string> first_value(PGconn* on, steady::time_point until) {
    std::optional<std::string> found;
    for (bool failed = false;;) {
        while (PQisBusy(on) != 0)
            if (!wait_for(on, POLLIN, until) || PQconsumeInput(on) == 0)
                return std::nullopt;
        PGresult* const one = PQgetResult(on);
        if (one == nullptr)
            return failed ? std::nullopt : found;
        const auto status = PQresultStatus(one);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
            found = PQntuples(one) > 0 ? PQgetvalue(one, 0, 0) : "";
        else
            failed = true;
        PQclear(one);
    }
}

}

void asker::finish::operator()(pg_conn* on) const {
    PQfinish(on);
}

asker::asker(int port, std::string_view database)
    : port_(std::to_string(port))
    , database_(database) {}

asker::~asker() = default;

bool asker::connect(steady::time_point until) {
    const char* const keys[] = {
        "hostaddr", "port", "user", "dbname", "sslmode", "gssencmode", "application_name", nullptr};
    const char* const values[] = {
        "127.0.0.1",
        port_.c_str(),
        "postgres",
        database_.c_str(),
        "disable",
        "disable",
        "hadr-harness",
        nullptr};
    on_.reset(PQconnectStartParams(keys, values, 0));
    if (!on_ || !connected(on_.get(), until)) {
        on_.reset();
        return false;
    }
    PQsetNoticeReceiver(
        on_.get(), [](void*, const PGresult*) {}, nullptr
    );
    return true;
}

std::optional<std::string> asker::ask_here(const std::string& text, steady::time_point until) {
    if (PQsendQuery(on_.get(), text.c_str()) == 0) {
        on_.reset();
        return std::nullopt;
    }
    auto found = first_value(on_.get(), until);
    if (PQstatus(on_.get()) != CONNECTION_OK || PQtransactionStatus(on_.get()) == PQTRANS_ACTIVE)
        on_.reset(); // Broken, or an answer that is still to come.
    return found;
}

std::optional<std::string> asker::ask(std::string_view text, duration within) {
    const auto until = steady::now() + within;
    const std::string words(text);
    if (on_) {
        auto found = ask_here(words, until);
        if (found || on_ || steady::now() >= until)
            return found;
    }
    return connect(until) ? ask_here(words, until) : std::nullopt;
}

std::optional<std::string>
ask(int port, std::string_view text, std::string_view database, duration within) {
    return asker(port, database).ask(text, within);
}

std::string must(int port, std::string_view text, std::string_view database) {
    auto found = ask(port, text, database, std::chrono::seconds(20));
    if (!found)
        throw std::runtime_error(fmt::format("port {} did not do: {}", port, text));
    return *found;
}

}
