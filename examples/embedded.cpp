// SPDX-License-Identifier: Apache-2.0
// Needs no server: the store is a file of SQLite's, behind its ODBC driver. The calls are those of
// any other store, so that a program can begin here and be pointed at a mirrored pair later.
#include <hadr/hadr.hpp>
#include <hadr/odbc.hpp>

#include <iostream>
#include <string>

int main(int count, char** words) {
    const std::string file = count > 1 ? words[1] : "embedded.db";
    const auto store = hadr::open(
        "Driver={SQLite3};Database={" + file + "}", {.drivers = {hadr::odbc::make_driver()}}
    );
    if (!store) {
        std::cerr << store.error() << '\n';
        return 1;
    }
    {
        auto held = (*store)->acquire();
        if (!held) {
            std::cerr << held.error() << '\n';
            return 1;
        }
        // By itself: in some engines a definition commits the transaction around it.
        const auto made =
            held->execute("create table if not exists visits (at text default current_timestamp)");
        if (!made) {
            std::cerr << made.error() << '\n';
            return 1;
        }
    }
    std::string visits;
    const auto said = (*store)->transact({}, [&](hadr::lease& on) -> hadr::expected<void> {
        if (const auto done = on.execute("insert into visits default values"); !done)
            return done.error();
        const auto counted = on.execute("select count(*) from visits");
        if (!counted)
            return counted.error();
        visits = counted->at(0, 0).value_or("?");
        return {};
    });
    if (said.ended != hadr::outcome::committed) {
        std::cerr << to_string(said.ended) << ": " << *said.cause << '\n';
        return 1;
    }
    std::cout << "visit " << visits << " of " << file << '\n';
}
