// SPDX-License-Identifier: Apache-2.0
// Reads go to a standby that is not too far behind, else to the primary; writes go to the primary
// alone.
#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <iostream>

using namespace std::chrono_literals;

int main(int count, char** words) {
    if (count < 2)
        return 2;
    auto store = hadr::open(words[1], {.drivers = {hadr::libpq::make_driver()}});
    if (!store) {
        std::cerr << store.error() << '\n';
        return 1;
    }
    for (const auto intent : {hadr::intent::write, hadr::intent::read}) {
        auto lease = (*store)->acquire(
            {.intent = intent, .until = hadr::deadline::in(5s), .lag_bytes_max = 1 << 20}
        );
        if (!lease) {
            std::cerr << lease.error() << '\n';
            return 1;
        }
        const auto answer = lease->execute("SELECT pg_is_in_recovery()");
        std::cout << (intent == hadr::intent::write ? "write" : "read") << " session on "
                  << lease->server() << ", standby: " << (answer ? *answer->at(0, 0) : "?") << '\n';
    }
}
