// SPDX-License-Identifier: Apache-2.0
// As consumer.cpp, through ODBC.
#include <hadr/hadr.hpp>
#include <hadr/odbc.hpp>

#include <chrono>
#include <iostream>

int main() {
    using namespace std::chrono_literals;
    const auto opened = hadr::open(
        "Driver={PostgreSQL Unicode};Server=127.0.0.1:1;Database=app;UID=app;PWD=opensesame",
        {.drivers = {hadr::odbc::make_driver()}}
    );
    if (!opened) {
        std::cout << opened.error() << '\n';
        return 1;
    }
    const auto& store = *opened;
    std::cout << hadr::print(store->specification()) << '\n';

    const auto session = store->acquire({.until = hadr::deadline::in(300ms)});
    if (session)
        return 1;
    std::cout << session.error() << '\n' << store->explain().summary << '\n';
    return store->close(hadr::deadline::in(5s)) == 0 ? 0 : 1;
}
