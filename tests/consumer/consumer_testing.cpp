// SPDX-License-Identifier: Apache-2.0
#include <hadr/hadr.hpp>
#include <hadr/testing/scripted_driver.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

// An application's own test: its primary dies, and its writes go on at the mirror.
int main() {
    using namespace std::chrono_literals;
    const auto world = std::make_shared<hadr::testing::manual_world>();
    world->set_name("one", {{"10.0.0.1"}, 1ms});
    world->set_name("two", {{"10.0.0.2"}, 1ms});
    hadr::testing::fake_server one({"one", 0, {}});
    hadr::testing::fake_server two({"two", 0, {}});
    two.follow(one);

    auto store = hadr::open(
        "Mode=mirroring;Server=one;Failover_Partner=two;Database=d;UID=u;Encrypt=disable",
        {.drivers =
             {std::make_shared<hadr::testing::scripted_driver>(*world, std::vector{&one, &two})},
         .world = world}
    );
    if (!store) {
        std::puts(hadr::to_string(store.error()).c_str());
        return 1;
    }
    const auto written = [&](const char* what) {
        auto held = (*store)->acquire({.until = hadr::deadline::in(5s)});
        return held && held->execute(what);
    };
    if (!written("append before"))
        return 2;
    one.kill();
    two.promote();
    world->advance(1s);
    return written("append after") && two.ledger.back() == "after" ? 0 : 3;
}
