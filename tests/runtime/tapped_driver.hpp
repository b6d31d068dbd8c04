// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hadr::test {

/// What a test sees and changes between the library and a driver.
struct taps {
    std::function<void(target& to)> login = [](target&) {};
    std::function<std::optional<failure>(const target& to)> refused = [](const target&) {
        return std::nullopt;
    };
    std::function<void(const statement& what)> sent = [](const statement&) {};
    /// What it is told of the transaction, likewise.
    std::function<transaction_status(transaction_status)> status = [](transaction_status server) {
        return server;
    };
    /// The command tag that the library gets instead of the server's.
    std::function<std::string(std::string_view tag)> tag = [](std::string_view server) {
        return std::string(server);
    };
};

class tapped_session final : public session, private completion {
public:
    tapped_session(std::unique_ptr<session> inner, std::shared_ptr<const taps> with)
        : inner_(std::move(inner))
        , with_(std::move(with)) {}

    void start(const statement& what, answer& into, completion& done) override {
        with_->sent(what);
        into_ = &into;
        done_ = &done;
        inner_->start(what, into, *this);
    }

    waiting waits_for() const noexcept override { return inner_->waits_for(); }
    void advance() override { inner_->advance(); }
    void sever() noexcept override { inner_->sever(); }

    expected<void> request_cancel(time_point until) override {
        return inner_->request_cancel(until);
    }

    bool usable() const noexcept override { return inner_->usable(); }
    transaction_status transaction() const noexcept override { return inner_->transaction(); }

    std::string_view reported(std::string_view name) const noexcept override {
        return inner_->reported(name);
    }

    std::optional<push> take_push() override { return inner_->take_push(); }
    void* native() noexcept override { return inner_->native(); }
    bool closes_slowly() const noexcept override { return inner_->closes_slowly(); }
    void abandon() noexcept override { inner_->abandon(); }

private:
    void completed(expected<void> how) noexcept override {
        into_->finish(
            with_->tag(into_->tag()), into_->affected(), with_->status(into_->transaction())
        );
        done_->completed(std::move(how));
    }

    const std::unique_ptr<session> inner_;
    const std::shared_ptr<const taps> with_;
    answer* into_ = nullptr;
    completion* done_ = nullptr;
};

/// Another driver, tapped.
class tapped_driver final : public driver {
public:
    tapped_driver(std::shared_ptr<driver> inner, taps with)
        : inner_(std::move(inner))
        , with_(std::make_shared<const taps>(std::move(with))) {}

    std::string_view name() const noexcept override { return inner_->name(); }

    expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& by
    ) override {
        auto there = to;
        with_->login(there);
        if (auto why = with_->refused(there))
            return *std::move(why);
        auto made = inner_->connect(there, until, through, by);
        if (!made)
            return made.error();
        return std::unique_ptr<session>(std::make_unique<tapped_session>(std::move(*made), with_));
    }

private:
    const std::shared_ptr<driver> inner_;
    const std::shared_ptr<const taps> with_;
};

}
