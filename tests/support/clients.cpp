// SPDX-License-Identifier: Apache-2.0
#include "support/clients.hpp"

#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>
#include <hadr/odbc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include <libpq-fe.h>
#include <poll.h>

namespace hadr::test {

namespace {

constexpr std::string_view insert_text =
    "insert into ledger (token) values ($1) returning inet_server_port(), "
    "(current_setting('synchronous_standby_names') <> '')::int";

constexpr client_library libraries[] = {
    {"libpq", "libpq", "real", 2, false, libpq::make_driver},
    {"psqlodbc", "PostgreSQL Unicode", "odbc_psqlodbc", 3, true, odbc::make_driver}};

int number(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}

const client_library& client_library_under_trial() {
    static const client_library& chosen = []() -> const client_library& {
        const char* const named = std::getenv("HADR_CLIENT");
        const std::string_view wanted = named != nullptr ? named : libraries[0].name;
        for (const auto& one : libraries)
            if (one.name == wanted)
                return one;
        throw std::runtime_error("no client library is called " + std::string(wanted));
    }();
    return chosen;
}

append_result hadr_client::append(int /*writer*/, const std::string& token, duration within) {
    const auto until = deadline::at(std::chrono::steady_clock::now() + within);
    auto held = store_.acquire({.intent = intent::write, .until = until});
    if (!held)
        return {append_result::end::refused, 0, false, to_string(held.error())};
    const std::array<parameter, 1> with = {std::string_view(token)};
    const auto how = held->execute(insert_text, with, until);
    if (how)
        return {
            append_result::end::acknowledged,
            number(how->at(0, 0).value_or("")),
            how->at(0, 1) == "1",
            {}};
    const bool unknown = how.error().code == errc::outcome_unknown;
    return {
        unknown ? append_result::end::unknown : append_result::end::refused,
        held->server().port,
        false,
        to_string(how.error())};
}

struct naive_client::session {
    PGconn* on = nullptr;

    ~session() { PQfinish(on); }
};

naive_client::naive_client(std::vector<int> ports, int writers) : ports_(std::move(ports)) {
    for (int i = 0; i < writers; ++i)
        sessions_.push_back(std::make_unique<session>());
}

naive_client::~naive_client() = default;

append_result naive_client::append(int writer, const std::string& token, duration /*within*/) {
    auto& mine = *sessions_[static_cast<std::size_t>(writer)];
    if (mine.on == nullptr || PQstatus(mine.on) != CONNECTION_OK) {
        PQfinish(mine.on);
        mine.on =
            PQconnectdb(fmt::format(
                            "host={0} port={1} user=postgres dbname=postgres "
                            "target_session_attrs=read-write connect_timeout=2 sslmode=disable",
                            fmt::join(std::vector<std::string>(ports_.size(), "127.0.0.1"), ","),
                            fmt::join(ports_, ",")
            )
                            .c_str());
        if (PQstatus(mine.on) != CONNECTION_OK)
            return {append_result::end::refused, 0, false, "no connection"};
    }
    const char* const values[] = {token.c_str()};
    PGresult* const one = PQexecParams(
        mine.on, std::string(insert_text).c_str(), 1, nullptr, values, nullptr, nullptr, 0
    );
    append_result made;
    if (PQresultStatus(one) == PGRES_TUPLES_OK)
        made = {
            append_result::end::acknowledged,
            number(PQgetvalue(one, 0, 0)),
            *PQgetvalue(one, 0, 1) == '1',
            {}};
    else
        made = {append_result::end::unknown, 0, false, PQresultErrorMessage(one)};
    PQclear(one);
    return made;
}

observed_store::observed_store(const std::string& connection_string) {
    open_options options{.drivers = {client_library_under_trial().make()}};
    options.on_event = [into = book_](const event& what) {
        const std::lock_guard guard(into->mutex);
        into->told.push_back(what);
    };
    auto store = hadr::open(connection_string, std::move(options));
    if (!store)
        throw std::runtime_error(to_string(store.error()));
    store_ = std::move(*store);
}

expected<lease> observed_store::write(duration within) const {
    return store_->acquire({.intent = intent::write, .until = deadline::in(within)});
}

expected<lease> observed_store::read(duration within) const {
    return store_->acquire({.intent = intent::read, .until = deadline::in(within)});
}

std::vector<event> observed_store::told() const {
    const std::lock_guard guard(book_->mutex);
    return book_->told;
}

std::size_t observed_store::count(event_kind what) const {
    const auto all = told();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const event& one) {
        return one.what == what;
    }));
}

std::string standalone_string(int port) {
    return fmt::format(
        "Driver={{{}}};Server=127.0.0.1:{};Database=postgres;UID=postgres",
        client_library_under_trial().driver,
        port
    );
}

std::string mirroring_string(int primary_port, int mirror_port, std::string_view more) {
    return fmt::format(
        "Mode=mirroring;Driver={{{}}};Server=127.0.0.1:{};Failover_Partner=127.0.0.1:{};Database="
        "postgres;{}{}",
        client_library_under_trial().driver,
        primary_port,
        mirror_port,
        more.starts_with("UID=") ? "" : "UID=postgres;",
        more
    );
}

}
