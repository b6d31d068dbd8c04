// SPDX-License-Identifier: Apache-2.0
// What an application outside of this tree sees: opens a store, prints it, and is told why there is
// no session, since nobody listens on port 1.
#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <chrono>
#include <iostream>

int main() {
    using namespace std::chrono_literals;
    const auto opened = hadr::open(
        "Mode=standalone;Driver=libpq;Server=127.0.0.1:1;Database=app;UID=app;PWD=opensesame",
        {.drivers = {hadr::libpq::make_driver()}}
    );
    if (!opened) {
        std::cout << opened.error() << '\n';
        return 1;
    }
    const auto& store = *opened;
    std::cout << hadr::print(store->specification()) << '\n' << *store->view() << '\n';

    const auto session = store->acquire({.until = hadr::deadline::in(300ms)});
    if (session)
        return 1;
    std::cout << session.error() << '\n' << store->explain().summary << '\n';

    const auto linked = hadr::version();
    const bool same = linked.major == HADR_VERSION_MAJOR && linked.minor == HADR_VERSION_MINOR;
    return store->close(hadr::deadline::in(5s)) == 0 && same ? 0 : 1;
}
