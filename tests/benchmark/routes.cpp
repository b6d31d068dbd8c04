// SPDX-License-Identifier: Apache-2.0
#include "benchmark/routes.hpp"

#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <charconv>
#include <stdexcept>
#include <thread>

#include <libpq-fe.h>

namespace hadr::benchmark {

using namespace std::chrono_literals;

namespace {

constexpr const char* insert_text =
    "insert into ledger (token) values ($1) returning inet_server_port()";

int number(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}

hadr_route::hadr_route(const std::string& connection_string) {
    auto store = open(connection_string, {.drivers = {libpq::make_driver()}});
    if (!store)
        throw std::runtime_error(to_string(store.error()));
    store_ = std::move(*store);
}

hadr_route::~hadr_route() = default;

attempt hadr_route::append(int /*writer*/) {
    auto held = store_->acquire({.intent = intent::write, .until = deadline::in(30s)});
    if (!held)
        return {attempt::end::refused, 0, to_string(held.error())};
    const parameter with[] = {std::string_view("x")};
    const auto how = held->execute(insert_text, with);
    if (how)
        return {attempt::end::committed, number(how->at(0, 0).value_or(""))};
    const auto& why = how.error();
    const bool marked = (why.code == errc::outcome_unknown && why.next == advice::verify) ||
                        (why.code == errc::unreachable && why.next == advice::retry);
    return {marked ? attempt::end::cut : attempt::end::unexplained, 0, to_string(why)};
}

// Warm sessions as many as the default says, and both members known.
bool hadr_route::ready() {
    const auto warm = static_cast<std::uint64_t>(store_->specification().warm);
    return store_->view()->writer.has_value() && store_->counters().sessions_warm_now >= warm;
}

std::uint64_t hadr_route::connects_failed() const {
    return store_->counters().logins_failed;
}

std::uint64_t hadr_route::probes() const {
    return store_->counters().probes;
}

struct loop_route::session {
    PGconn* on = nullptr;

    ~session() { PQfinish(on); }
};

loop_route::loop_route(std::string conninfo, int writers, duration pause)
    : conninfo_(std::move(conninfo))
    , pause_(pause) {
    for (int i = 0; i < writers; ++i)
        sessions_.push_back(std::make_unique<session>());
}

loop_route::~loop_route() = default;

attempt loop_route::append(int writer) {
    auto& mine = *sessions_[static_cast<std::size_t>(writer)];
    if (mine.on == nullptr || PQstatus(mine.on) != CONNECTION_OK) {
        PQfinish(mine.on);
        mine.on = PQconnectdb(conninfo_.c_str());
        if (PQstatus(mine.on) != CONNECTION_OK) {
            ++failed_;
            attempt made{attempt::end::refused, 0, PQerrorMessage(mine.on)};
            std::this_thread::sleep_for(pause_);
            return made;
        }
    }
    const char* const values[] = {"x"};
    PGresult* const one =
        PQexecParams(mine.on, insert_text, 1, nullptr, values, nullptr, nullptr, 0);
    attempt made;
    if (PQresultStatus(one) == PGRES_TUPLES_OK)
        made = {attempt::end::committed, number(PQgetvalue(one, 0, 0))};
    else
        made = {attempt::end::cut, 0, PQresultErrorMessage(one)};
    PQclear(one);
    return made;
}

}
