// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::test {

/// Where a scenario is played: a simulated store and the library on it. A program plays all of its
/// scenarios on the scene that it links: on_virtual_time.cpp, or over_sockets.cpp.
class scene {
public:
    virtual ~scene() = default;

    /// Opens the library on the store, with more keys.
    virtual std::unique_ptr<connection_manager>
    open(std::string_view more, std::function<void(const event&)> hears) = 0;

    /// What is done to the store: while it runs, no time passes there.
    virtual void with(const std::function<void(testing::simulated_store&)>& what) = 0;

    virtual time_point now() const = 0;
    virtual void pass(duration time) = 0;
    /// Whether it becomes true within that time. It may call the library, and wait there.
    virtual bool eventually(const std::function<bool()>& is, duration within) = 0;
    /// What a machine may be late by beyond what a rule allows.
    virtual duration lateness() const = 0;

    virtual endpoint place(testing::site which) const = 0;
    /// Where the commit of that token was answered.
    virtual std::optional<testing::site> answered_at(std::string_view token) = 0;
    /// Logins for applications' sessions there.
    virtual std::size_t logins(testing::site which) = 0;
    /// How often somebody came to the witness.
    virtual std::size_t contacts_of_the_witness() = 0;
};

std::unique_ptr<scene> make_scene(const testing::simulated_store::settings& how);

}
