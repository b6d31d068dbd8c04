// SPDX-License-Identifier: Apache-2.0
// Existing libpq code keeps its own calls: the lease lends it the PGconn, and cuts the socket under
// a blocked call when the server dies, is demoted, or the lease is held for longer than asked.
#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <iostream>

#include <libpq-fe.h>

using namespace std::chrono_literals;

int main(int count, char** words) {
    if (count < 2)
        return 2;
    auto store = hadr::open(words[1], {.drivers = {hadr::libpq::make_driver()}});
    if (!store) {
        std::cerr << store.error() << '\n';
        return 1;
    }
    auto lease = (*store)->acquire({.until = hadr::deadline::in(5s), .hold = 30s});
    if (!lease) {
        std::cerr << lease.error() << '\n';
        return 1;
    }
    PGconn* const native = hadr::libpq::native(*lease);
    PGresult* const result = PQexec(native, "SELECT version()");
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        std::cout << PQgetvalue(result, 0, 0) << '\n';
    else
        std::cerr << PQresultErrorMessage(result);
    PQclear(result);
}
