// SPDX-License-Identifier: Apache-2.0
// Opens a mirrored store and writes one row, whichever server is the primary now.
#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <iostream>

using namespace std::chrono_literals;

int main(int count, char** words) {
    if (count < 2) {
        std::cerr << "usage: first_program 'Mode=mirroring;Server=db1;Failover_Partner=db2;...'\n";
        return 2;
    }
    auto store = hadr::open(words[1], {.drivers = {hadr::libpq::make_driver()}});
    if (!store) {
        std::cerr << store.error() << '\n';
        return 1;
    }
    auto lease =
        (*store)->acquire({.intent = hadr::intent::write, .until = hadr::deadline::in(2s)});
    if (!lease) {
        std::cerr << lease.error() << '\n'; // What was tried, and why each candidate was refused.
        return 1;
    }
    const auto answer = lease->execute("SELECT current_database(), inet_server_port()");
    if (!answer) {
        std::cerr << answer.error() << '\n';
        return 1;
    }
    std::cout << "writing to " << lease->server() << ", database " << answer->at(0, 0).value_or("?")
              << '\n';
}
