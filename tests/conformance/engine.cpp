// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"

#include "conformance/server.hpp"
#include "support/listener.hpp"

#include <hadr/libpq.hpp>
#include <hadr/testing/scripted_driver.hpp>

#include <iterator>
#include <sstream>

namespace hadr::test {

namespace {

class scripted_engine final : public engine_under_test {
public:
    std::string_view name() const override { return "scripted_driver"; }
    driver& by() override { return driver_; }
    world& through() override { return *world_; }

    target place(condition which) override {
        using is = testing::fake_server::condition;
        constexpr is conditions[] = {
            is::up, is::locked, is::full, is::starting, is::mute, is::down, is::up};
        server_.is = conditions[static_cast<std::size_t>(which)];
        server_.writable = which != condition::reading;
        return {server_.at, "10.0.0.1", std::make_shared<profile>(), purpose::lend, {}};
    }

    std::string writing(std::string_view token) override { return "append " + std::string(token); }

    std::vector<std::string> written() override { return std::exchange(server_.ledger, {}); }
    void freeze() override { server_.freeze(); }
    void thaw() override { server_.thaw(); }

private:
    std::shared_ptr<testing::manual_world> world_ = std::make_shared<testing::manual_world>();
    testing::fake_server server_{{"fake", 1, {}}};
    testing::scripted_driver driver_{*world_, {&server_}};
};

class libpq_engine final : public engine_under_test {
public:
    libpq_engine() {
        must(server().port(), "create table tokens (at serial, token text)");
        must(server().port(), "create role crowded login connection limit 0");
    }

    std::string_view name() const override { return "libpq"; }
    driver& by() override { return *driver_; }
    world& through() override { return *world_; }

    target place(condition which) override {
        auto with = superuser();
        int port = server().port();
        switch (which) {
        case condition::up: break;
        case condition::locked:
            with.user = "app";
            with.password = secret("not this one");
            break;
        case condition::full: with.user = "crowded"; break;
        case condition::starting: port = starting_.port(); break;
        case condition::mute: port = mute_.port(); break;
        case condition::down: port = free_port(); break;
        case condition::reading: with.user = "reader"; break;
        }
        return target_of(port, with);
    }

    std::string writing(std::string_view token) override {
        return "insert into tokens (token) values ('" + std::string(token) + "')";
    }

    std::vector<std::string> written() override {
        std::istringstream all(must(
            server().port(),
            "with gone as (delete from tokens returning at, token) "
            "select coalesce(string_agg(token, ' ' order by at), '') from gone"
        ));
        return {std::istream_iterator<std::string>(all), {}};
    }

    void freeze() override { server().freeze(); }
    void thaw() override { server().thaw(); }

private:
    static postgres_server& server() { return the_server().at; }

    std::shared_ptr<driver> driver_ = libpq::make_driver();
    std::shared_ptr<world> world_ = real_world();
    scripted_listener mute_{silent()};
    scripted_listener starting_{refuses_the_login("57P03")};
};

struct ending final : completion {
    std::optional<expected<void>> how;

    void completed(expected<void> told) noexcept override { how = std::move(told); }
};

}

const std::vector<engine_under_test*>& engines() {
    static scripted_engine scripted;
    static libpq_engine real;
    static const std::vector<engine_under_test*> all{&scripted, &real};
    return all;
}

ended run(world& through, session& on, const statement& what, duration within) {
    ending end;
    answer brought;
    on.start(what, brought, end);
    on.advance();
    const auto until = through.now() + within;
    while (!end.how && through.now() < until) {
        const auto wanted = on.waits_for();
        if (wanted.descriptor >= 0)
            through.wait(wanted.descriptor, wanted.wanted, until);
        else
            through.park(through.self(), until);
        on.advance();
    }
    if (!end.how) {
        on.sever();
        on.advance();
    }
    BOOST_TEST_REQUIRE(end.how.has_value());
    return {*std::move(end.how), std::move(brought)};
}

expected<std::unique_ptr<session>>
log_in(engine_under_test& with, const target& to, duration within) {
    return with.by().connect(to, with.through().now() + within, with.through(), nullptr);
}

std::unique_ptr<session> session_of(engine_under_test& with) {
    auto made = log_in(with, with.place(engine_under_test::condition::up));
    if (!made)
        BOOST_FAIL(to_string(made.error()));
    return *std::move(made);
}

}
