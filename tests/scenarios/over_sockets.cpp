// SPDX-License-Identifier: Apache-2.0
#include "scenarios/scene.hpp"
#include "support/tds/tds_double.hpp"

#include <hadr/odbc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace hadr::test {

namespace {

using testing::simulated_store;
using testing::site;
using clock = std::chrono::steady_clock;

class over_sockets final : public scene {
public:
    explicit over_sockets(const simulated_store::settings& how) : served_({.store = how}) {}

    std::unique_ptr<connection_manager>
    open(std::string_view more, std::function<void(const event&)> hears) override {
        open_options options{.drivers = {odbc::make_driver()}};
        options.on_event = std::move(hears);
        auto made =
            hadr::open(fmt::format("{};{}", served_.connection_string(), more), std::move(options));
        if (!made)
            throw std::runtime_error(to_string(made.error()));
        return std::move(*made);
    }

    void with(const std::function<void(simulated_store&)>& what) override { served_.with(what); }

    time_point now() const override { return clock::now(); }
    void pass(duration time) override { std::this_thread::sleep_for(time); }
    bool eventually(const std::function<bool()>& is, duration within) override {
        constexpr auto between = std::chrono::milliseconds(2);
        for (const auto until = clock::now() + within; !is(); std::this_thread::sleep_for(between))
            if (clock::now() >= until)
                return false;
        return true;
    }
    duration lateness() const override { return std::chrono::milliseconds(100); }

    endpoint place(site which) const override {
        return {
            tds::tds_double::address(which), static_cast<std::uint16_t>(served_.port(which)), {}};
    }
    std::optional<site> answered_at(std::string_view token) override {
        const auto all = served_.acknowledgements();
        const auto found = std::find_if(all.begin(), all.end(), [token](const auto& one) {
            return one.token == token;
        });
        return found != all.end() ? std::optional(found->at) : std::nullopt;
    }
    std::size_t logins(site which) override { return served_.counted(which).logins; }
    std::size_t contacts_of_the_witness() override {
        return served_.counted(site::witness).accepted;
    }

private:
    tds::tds_double served_;
};

}

std::unique_ptr<scene> make_scene(const simulated_store::settings& how) {
    return std::make_unique<over_sockets>(how);
}

}
