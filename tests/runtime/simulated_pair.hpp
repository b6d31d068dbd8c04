// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/tapped_driver.hpp"

#include <hadr/hadr.hpp>
#include <hadr/testing/scripted_driver.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace hadr::test {

using namespace std::chrono_literals;

/// A mirrored pair without a witness, on virtual time, and a store that is open on it.
struct simulated_pair {
    explicit simulated_pair(std::string more = {}, std::uint64_t seed = 1)
        : world_owner(std::make_shared<testing::manual_world>(seed)) {
        b.follow(a);
        open(more);
    }

    ~simulated_pair() { store.reset(); }

    void open(const std::string& more, std::shared_ptr<driver> by = {}) {
        open_options options{
            .drivers = {by ? std::move(by) : scripted({&a, &b})},
            .world = world_owner,
            .on_event = [this](const event& what) { told.push_back(what); }};
        auto made = hadr::open(
            "Mode=mirroring;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;Encrypt=disable;" +
                more,
            std::move(options)
        );
        if (!made)
            BOOST_FAIL(to_string(made.error()));
        store = std::move(*made);
    }

    /// Again, with taps between the library and the servers.
    void reopen(const std::string& more, taps with, testing::fake_server* third = nullptr) {
        store.reset();
        auto servers = std::vector{&a, &b};
        if (third != nullptr)
            servers.push_back(third);
        open(more, std::make_shared<tapped_driver>(scripted(servers), std::move(with)));
    }

    std::shared_ptr<driver> scripted(const std::vector<testing::fake_server*>& servers) {
        return std::make_shared<testing::scripted_driver>(world, servers);
    }

    expected<lease> write(duration within = 5s) {
        return store->acquire({.intent = intent::write, .until = deadline::in(within)});
    }

    expected<lease> read(duration within = 5s) {
        return store->acquire(
            {.intent = intent::read, .until = deadline::in(within), .primary_fallback = false}
        );
    }

    std::size_t count(event_kind kind) const {
        return static_cast<std::size_t>(std::count_if(
            told.begin(), told.end(), [&](const event& one) { return one.what == kind; }
        ));
    }

    std::shared_ptr<testing::manual_world> world_owner;
    testing::manual_world& world = *world_owner;
    struct names {
        explicit names(testing::manual_world& in) {
            in.set_name("a", {{"10.0.0.1"}, 1ms});
            in.set_name("b", {{"10.0.0.2"}, 1ms});
        }
    } known{world};
    testing::fake_server a{{"a", 1, {}}};
    testing::fake_server b{{"b", 2, {}}};
    std::vector<event> told;
    std::unique_ptr<connection_manager> store;
};

}
