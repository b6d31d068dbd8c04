// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace hadr::test {

/// The real world, but for names: they lead where a test says, and the others nowhere.
class named_hosts final : public world {
public:
    void set(const std::string& host, std::string address) {
        const std::lock_guard guard(mutex_);
        all_[host] = std::move(address);
    }

    time_point now() const noexcept override { return real_->now(); }
    time_point coarse_now() const noexcept override { return real_->coarse_now(); }
    agent* self() noexcept override { return real_->self(); }
    glance look() noexcept override { return real_->look(); }
    void park(agent* self, time_point until) noexcept override { real_->park(self, until); }
    void unpark(agent* other) noexcept override { real_->unpark(other); }
    readiness wait(int descriptor, readiness wanted, time_point until) noexcept override {
        return real_->wait(descriptor, wanted, until);
    }
    bool wait_for(int descriptor, readiness wanted, duration& left) noexcept override {
        return real_->wait_for(descriptor, wanted, left);
    }
    std::unique_ptr<descriptor_set> descriptors() override { return real_->descriptors(); }
    expected<std::unique_ptr<started>>
    spawn(std::string_view name, std::function<void()> body) override {
        return real_->spawn(name, std::move(body));
    }
    void
    resolve(std::string host, time_point until, std::function<void(addresses)> completion) override;
    std::uint64_t random() noexcept override { return real_->random(); }
    expected<std::string> load(const std::string& path) override { return real_->load(path); }
    expected<void> save(const std::string& path, std::string_view bytes) override {
        return real_->save(path, bytes);
    }
    expected<std::string> environment(const std::string& name) override {
        return real_->environment(name);
    }
    std::string process_name() const override { return real_->process_name(); }
    const std::atomic<std::uint32_t>& alive() const noexcept override { return real_->alive(); }

    /// How often a name was asked for that leads nowhere.
    std::size_t unknown() const {
        const std::lock_guard guard(mutex_);
        return unknown_;
    }

private:
    std::optional<std::string> address_of(const std::string& host);

    const std::shared_ptr<world> real_ = real_world();
    mutable std::mutex mutex_; // Guards all below.
    std::map<std::string, std::string> all_;
    std::size_t unknown_ = 0;
};

}
