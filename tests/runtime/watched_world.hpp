// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/testing/manual_world.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace hadr::test {

/// The manual world, and a call whenever somebody asks who he is: a moment at which others run
/// where no agent would wait.
class watched_world final : public world {
public:
    watched_world(std::shared_ptr<testing::manual_world> in, std::function<void()> asked)
        : in_(std::move(in))
        , asked_(std::move(asked)) {}

    agent* self() noexcept override {
        asked_();
        return in_->self();
    }

    glance look() noexcept override {
        asked_();
        return in_->look();
    }

    time_point now() const noexcept override { return in_->now(); }
    time_point coarse_now() const noexcept override { return in_->coarse_now(); }
    void park(agent* one, time_point until) noexcept override { in_->park(one, until); }
    void unpark(agent* one) noexcept override { in_->unpark(one); }

    readiness wait(int descriptor, readiness wanted, time_point until) noexcept override {
        return in_->wait(descriptor, wanted, until);
    }

    std::unique_ptr<descriptor_set> descriptors() override { return in_->descriptors(); }

    expected<std::unique_ptr<started>>
    spawn(std::string_view name, std::function<void()> body) override {
        return in_->spawn(name, std::move(body));
    }

    void resolve(std::string host, time_point until, std::function<void(addresses)> completion)
        override {
        in_->resolve(std::move(host), until, std::move(completion));
    }

    std::uint64_t random() noexcept override { return in_->random(); }
    expected<std::string> load(const std::string& path) override { return in_->load(path); }

    expected<void> save(const std::string& path, std::string_view bytes) override {
        return in_->save(path, bytes);
    }

    expected<std::string> environment(const std::string& name) override {
        return in_->environment(name);
    }

    std::string process_name() const override { return in_->process_name(); }
    const std::atomic<std::uint32_t>& alive() const noexcept override { return in_->alive(); }

private:
    const std::shared_ptr<testing::manual_world> in_;
    const std::function<void()> asked_;
};

}
