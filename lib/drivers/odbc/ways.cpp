// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/ways.hpp"

namespace hadr::inline v0::odbc {

namespace {

// As for libpq: what DISCARD ALL does, but for the statements that were prepared by the protocol
// (rulings 7); then whether there are others.
constexpr std::string_view discard_but_prepared =
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; "
    "SELECT pg_catalog.pg_advisory_unlock_all(); "
    "DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES; "
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements WHERE from_sql";

constexpr engine_ways sql_server() {
    engine_ways of;
    of.errors = error_table::sql_server;
    of.asked_by = probe::question;
    of.question = "SELECT @@TRANCOUNT, XACT_STATE()";
    of.begin = "BEGIN TRANSACTION";
    of.nests = true;
    of.wide_parameters = true;
    of.own_limit = true;
    return of;
}

constexpr engine_ways postgresql() {
    engine_ways of;
    of.asked_by = probe::savepoint;
    of.reset_but_kept = discard_but_prepared;
    of.errors_fail = true;
    of.others_keep = true;
    of.numbers_errors = false;
    of.numbered_markers = true;
    return of;
}

constexpr engine_ways mariadb() {
    engine_ways of;
    of.errors = error_table::mysql;
    of.asked_by = probe::question;
    of.question = "SELECT @@in_transaction";
    of.statements_commit = true;
    of.prepares_all = true;
    return of;
}

constexpr engine_ways sqlite() {
    engine_ways of;
    of.errors = error_table::sqlite;
    of.asked_by = probe::begin;
    of.others_keep = true;
    return of;
}

constexpr engine_ways of_sql_server = sql_server();
constexpr engine_ways of_postgresql = postgresql();
constexpr engine_ways of_mariadb = mariadb();
constexpr engine_ways of_sqlite = sqlite();
constexpr engine_ways of_others;

}

const engine_ways& ways_of(odbc_family which) noexcept {
    switch (which) {
    case odbc_family::freetds:
    case odbc_family::microsoft_17:
    case odbc_family::microsoft_18: return of_sql_server;
    case odbc_family::psqlodbc: return of_postgresql;
    case odbc_family::mariadb: return of_mariadb;
    case odbc_family::sqlite: return of_sqlite;
    case odbc_family::other: break;
    }
    return of_others;
}

}
