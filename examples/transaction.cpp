// SPDX-License-Identifier: Apache-2.0
// A whole transaction with exactly one outcome. It runs again only after the former run surely did
// nothing.
#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <array>
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
    const auto ended = (*store)->transact(
        {.until = hadr::deadline::in(10s)},
        [](hadr::lease& on) -> hadr::expected<void> {
            const std::array<hadr::parameter, 2> values = {"alice", "-10"};
            const auto moved = on.execute("SELECT $1::text, $2::int", values);
            return moved ? hadr::expected<void>() : hadr::expected<void>(moved.error());
        }
    );
    std::cout << to_string(ended.ended) << '\n';
    switch (ended.ended) {
    case hadr::outcome::committed:
    case hadr::outcome::committed_local: return 0; // The latter may be lost by a failover.
    case hadr::outcome::not_committed: break;      // Nothing was done: it may be tried again.
    case hadr::outcome::in_doubt: break;           // Perhaps: only under a unique key again.
    }
    std::cerr << *ended.cause << '\n';
    return 1;
}
