// SPDX-License-Identifier: Apache-2.0
// What happens to a store, as it happens, for a minute.
#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <iostream>
#include <thread>

using namespace std::chrono_literals;

int main(int count, char** words) {
    if (count < 2)
        return 2;
    auto store = hadr::open(
        words[1],
        {.drivers = {hadr::libpq::make_driver()},
         .on_event = [](const hadr::event& what) { std::cout << what << std::endl; }}
    );
    if (!store) {
        std::cerr << store.error() << '\n';
        return 1;
    }
    std::this_thread::sleep_for(1min);
    std::cout << *(*store)->view() << (*store)->explain().summary << '\n';
}
