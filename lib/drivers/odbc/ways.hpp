// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/shared/postgresql_resets.hpp"

#include <string_view>

namespace hadr::inline v0::odbc {

/// How a session is asked whether a transaction is open, as ODBC has no question for it.
enum class probe {
    none,      ///< What is not certain stays unknown.
    question,  ///< One number: open transactions; or two, of which the second is -1 if it has
               ///< failed.
    savepoint, ///< "SAVEPOINT" is refused outside of a transaction (25P01), and in a failed one.
    begin,     ///< "BEGIN" is refused inside a transaction.
};

/// Whose table of errors is read.
enum class error_table {
    sql_server,
    sqlstate, ///< PostgreSQL's, which the others more or less follow.
    mysql,
    sqlite,
};

/// The ways of the engine behind a driver: the part of a profile that statements need. As they
/// stand here, of any.
struct engine_ways {
    error_table errors = error_table::sqlstate;
    probe asked_by = probe::none;
    std::string_view question;
    std::string_view begin = "BEGIN"; ///< What the text "BEGIN" of transact() is to it.
    /// Makes a session as new but for statements that the driver has prepared; its last answer is
    /// 0 unless others are left, and then only the profile's reset will do.
    std::string_view reset_but_kept;
    bool errors_fail = false;       ///< Any error inside a transaction fails it, and does no more.
    bool others_keep = false;       ///< Only statements about transactions change one.
    bool statements_commit = false; ///< Statements about tables and users end a transaction.
    bool nests = false; ///< A second BEGIN is counted, and so is the COMMIT that undoes it.
    bool wide_parameters = false; ///< A text parameter must be national, or loses letters.
    /// A statement that cannot commit gets a limit, by which the client leaves it and asks the
    /// server to stop. Where the engine is the one to keep it, none is set: it would end a COMMIT
    /// by it as well, which may make that commit a local one (C6).
    bool own_limit = false;
    /// A text that is not prepared first and holds an error leaves a lock of the driver's taken,
    /// and every other agent waiting for it.
    bool prepares_all = false;
    /// The driver's own number for an answer that is none. 0: it has none.
    int broken_protocol = 0;
    bool numbers_errors = true;    ///< Else native numbers are the driver's own.
    bool numbered_markers = false; ///< Its own markers are "$1".
};

constexpr engine_ways ways_of_sql_server() {
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

constexpr engine_ways ways_of_postgresql() {
    engine_ways of;
    of.asked_by = probe::savepoint;
    of.reset_but_kept = drivers::discard_but_prepared;
    of.errors_fail = true;
    of.others_keep = true;
    of.numbers_errors = false;
    of.numbered_markers = true;
    return of;
}

constexpr engine_ways ways_of_mariadb() {
    engine_ways of;
    of.errors = error_table::mysql;
    of.asked_by = probe::question;
    of.question = "SELECT @@in_transaction";
    of.statements_commit = true;
    of.prepares_all = true;
    return of;
}

constexpr engine_ways ways_of_sqlite() {
    engine_ways of;
    of.errors = error_table::sqlite;
    of.asked_by = probe::begin;
    of.others_keep = true;
    return of;
}

}
