// SPDX-License-Identifier: Apache-2.0
#include "scenarios/scene.hpp"

#include <map>
#include <stdexcept>

namespace hadr::test {

namespace {

using testing::simulated_store;
using testing::site;

class on_virtual_time final : public scene {
public:
    explicit on_virtual_time(const simulated_store::settings& how)
        : servers_(*world_, how)
        , kind_(how.kind) {
        servers_.watch_commits([this](testing::commit_step step, site where, std::string_view of) {
            if (step == testing::commit_step::answered)
                answered_.insert_or_assign(std::string(of), where);
        });
    }

    std::unique_ptr<connection_manager>
    open(std::string_view more, std::function<void(const event&)> hears) override {
        auto made = hadr::open(
            servers_.connection_string() + ";" + std::string(more),
            {.drivers = {servers_.through()}, .world = world_, .on_event = std::move(hears)}
        );
        if (!made)
            throw std::runtime_error(to_string(made.error()));
        return std::move(*made);
    }

    void with(const std::function<void(simulated_store&)>& what) override { what(servers_); }

    time_point now() const override { return world_->now(); }
    void pass(duration time) override { world_->advance(time); }
    bool eventually(const std::function<bool()>& is, duration within) override {
        return world_->eventually(is, within);
    }
    duration lateness() const override { return {}; }

    endpoint place(site which) const override { return simulated_store::at(which, kind_); }
    std::optional<site> answered_at(std::string_view token) override {
        const auto found = answered_.find(token);
        return found != answered_.end() ? std::optional(found->second) : std::nullopt;
    }
    std::size_t logins(site which) override { return servers_.login_times(which).size(); }
    std::size_t contacts_of_the_witness() override { return servers_.counted().witness_logins; }

private:
    const std::shared_ptr<testing::manual_world> world_ = std::make_shared<testing::manual_world>();
    simulated_store servers_;
    const engine kind_;
    std::map<std::string, site, std::less<>> answered_;
};

}

std::unique_ptr<scene> make_scene(const simulated_store::settings& how) {
    return std::make_unique<on_virtual_time>(how);
}

}
