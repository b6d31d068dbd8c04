// SPDX-License-Identifier: Apache-2.0
#include "benchmark/scale.hpp"

#include <hadr/hadr.hpp>
#include <hadr/testing/scripted_driver.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

namespace hadr::benchmark {

using namespace std::chrono_literals;

namespace {

constexpr int sessions_of_the_storm = 1000;
constexpr int connects_per_second = 50; // The default.

/// Servers of stores that share a world, a driver and a runtime.
struct scene {
    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>(1);
    std::vector<std::unique_ptr<testing::fake_server>> servers;
    std::shared_ptr<driver> through;

    testing::fake_server& add(std::string name) {
        world->set_name(name, {{"10.0.0.1"}, 1ms});
        servers.push_back(std::make_unique<testing::fake_server>(endpoint{std::move(name), 5432, {}}
        ));
        return *servers.back();
    }

    void ready() {
        std::vector<testing::fake_server*> all;
        for (const auto& one : servers)
            all.push_back(one.get());
        through = std::make_shared<testing::scripted_driver>(*world, std::move(all));
    }

    std::unique_ptr<connection_manager> open(const std::string& connection_string) const {
        auto made = hadr::open(connection_string, {.drivers = {through}, .world = world});
        if (!made)
            throw std::runtime_error(to_string(made.error()));
        return std::move(*made);
    }

    std::uint64_t statements() const {
        std::uint64_t sum = 0;
        for (const auto& one : servers)
            sum += one->statements;
        return sum;
    }
};

void name_both(answer& into, const std::string& primary, const std::string& mirror) {
    for (const auto* column :
         {"host", "port", "name", "state", "goal", "health", "id", "formation"})
        into.add_column(column);
    const std::array<std::pair<std::string, std::string>, 2> rows = {
        {{primary, "primary"}, {mirror, "secondary"}}};
    for (const auto& [host, part] : rows)
        for (const std::string& value :
             {host,
              std::string("5432"),
              host,
              part,
              part,
              std::string("1"),
              std::string("1"),
              std::string("default")})
            into.add_value(value);
}

std::string add_store(scene& in, std::size_t number) {
    const auto primary = fmt::format("a{}", number);
    const auto mirror = fmt::format("b{}", number);
    const auto& first = in.add(primary);
    in.add(mirror).follow(first);
    auto& witness = in.add(fmt::format("w{}", number));
    witness.answers = [=](std::string_view text, answer& into) -> expected<void> {
        if (text.find("current_state") != std::string_view::npos)
            name_both(into, primary, mirror);
        return {};
    };
    return fmt::format(
        "Mode=mirroring;Server={};Failover_Partner={};Witness=pg_auto_failover:w{}:5432;"
        "Database=d;UID=u;Encrypt=disable;Witness_Encrypt=disable",
        primary,
        mirror,
        number
    );
}

std::size_t busiest_second(const std::vector<time_point>& of, time_point from) {
    std::size_t most = 0;
    auto first = std::lower_bound(of.begin(), of.end(), from);
    for (auto last = first; last != of.end(); ++last) {
        while (*last - *first >= 1s)
            ++first;
        most = std::max(most, static_cast<std::size_t>(last - first) + 1);
    }
    return most;
}

}

void simulate_a_fleet() {
    scene in;
    std::vector<std::string> strings;
    for (std::size_t i = 0; i < stores_of_a_fleet; ++i)
        strings.push_back(add_store(in, i));
    in.ready();
    const auto before = rss_mib();
    std::vector<std::unique_ptr<connection_manager>> all;
    for (const auto& one : strings)
        all.push_back(in.open(one));
    for (const auto& one : all)
        if (const auto held = one->acquire({.until = deadline::in(60s)}); !held)
            throw std::runtime_error(to_string(held.error()));
    in.world->advance(60s);
    const auto asked = in.statements();
    in.world->advance(10s);
    std::size_t sessions = 0;
    for (const auto& one : in.servers)
        sessions += one->sessions();
    figure("simulated_300_servers_threads", static_cast<double>(in.world->agents()));
    figure("simulated_300_servers_sessions", static_cast<double>(sessions));
    figure(
        "simulated_300_servers_statements_per_second",
        static_cast<double>(in.statements() - asked) / 10
    );
    figure("simulated_300_servers_rss_mib", rss_mib() - before);
    all.clear();
}

void simulate_a_storm() {
    const auto world = std::make_shared<testing::manual_world>(1);
    testing::simulated_store servers(*world, {.sessions_max = sessions_of_the_storm + 100});
    auto store = hadr::open(
        fmt::format(
            "{0};Pool_Min={1};Pool_Max={1}", servers.connection_string(), sessions_of_the_storm
        ),
        {.drivers = {servers.through()}, .world = world}
    );
    if (!store)
        throw std::runtime_error(to_string(store.error()));
    const auto whole = [&] {
        return (*store)->counters().sessions_now == sessions_of_the_storm + 2U;
    };
    if (!world->eventually(whole, 5min))
        throw std::runtime_error("the sessions did not come");
    const auto failed = (*store)->counters().logins_failed;
    const auto primary = servers.named();
    const auto lost = world->now();
    servers.reset(testing::site::client, primary);
    world->advance(100ms);
    if (whole() || !world->eventually(whole, 5min))
        throw std::runtime_error("the sessions did not go and come back");
    const auto seconds = std::chrono::duration<double>(world->now() - lost).count();
    figure(
        "storm_1000_failed_connects",
        static_cast<double>((*store)->counters().logins_failed - failed)
    );
    figure("storm_1000_seconds", seconds);
    figure("storm_1000_rate_limit_seconds", double{sessions_of_the_storm} / connects_per_second);
    figure(
        "storm_1000_most_connects_in_a_second",
        static_cast<double>(busiest_second(servers.login_times(primary), lost))
    );
}

}
