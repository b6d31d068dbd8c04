// SPDX-License-Identifier: Apache-2.0
#include "conformance/engines/all.hpp"
#include "conformance/engines/real.hpp"
#include "conformance/server.hpp"
#include "support/listener.hpp"

#include <hadr/libpq.hpp>
#include <hadr/odbc.hpp>

#include <iterator>
#include <sstream>

namespace hadr::test {

namespace {

constexpr phrases postgresql_speech{
    .echo = "select $1::text",
    .nine = "select 'a1', 'b1', 'c1' union all select $1::text, $2::text, $3::text union all "
            "select 'a3', 'b3', 'c3'",
    .null_and_empty = "select null as nothing, '' as empty",
    .types = "select 1::int2 as a, 12345678901::int8 as b, 1.50::numeric as c, 1.25::float8 as d, "
             "true as e, '2026-01-02 03:04:05.67'::timestamp as f, date '2026-01-02' as g, "
             "'x'::char(3) as h, '\\x00ff'::bytea as i, array['a', null] as j, null::int as k",
    .large = "select repeat('a', 3000000)",
    .definition = "create table defined (a int)",
    .many = "select i from generate_series(1, 100000) i",
    .slow = "select pg_sleep(30)",
    .dirt = "set work_mem = '1MB'",
    .is_dirty = "select (current_setting('work_mem') = '1MB')::int"};

/// One server behind two drivers; each has tables and users of its own.
class postgresql_engine final : public real_engine {
public:
    postgresql_engine(std::string_view name, std::string_view key, std::shared_ptr<driver> by)
        : real_engine(postgresql_speech, std::move(by))
        , name_(name)
        , key_(key) {
        const int port = server().port();
        must(port, fmt::format("create table tokens_{} (at serial, token text)", name_));
        must(port, fmt::format("create table once_{} (token text primary key)", name_));
        must(port, fmt::format("create role crowded_{} login connection limit 0", name_));
        must(port, fmt::format("create role {} login superuser", user()));
    }

    std::string_view name() const override { return name_; }

    std::string_view lacks(ability which) const override {
        if (which == ability::end_logins && key_ != "libpq")
            return counts_in_seconds;
        return {};
    }

    target place(condition which) override {
        auto with = superuser();
        with.user = user();
        with.odbc_driver = key_ == "libpq" ? "" : key_;
        int port = server().port();
        switch (which) {
        case condition::up: break;
        case condition::locked:
            with.user = "app";
            with.password = secret("not this one");
            break;
        case condition::full: with.user = "crowded_" + name_; break;
        case condition::starting: port = starting_.port(); break;
        case condition::mute: port = mute_.port(); break;
        case condition::down: port = free_port(); break;
        case condition::reading: with.user = "reader"; break;
        }
        return target_of(port, with);
    }

    std::vector<silence> silences() override {
        const auto at = [this](int port) {
            return [this, port] {
                auto to = place(condition::locked); // Which is asked for a password.
                to.at.port = static_cast<std::uint16_t>(port);
                return to;
            };
        };
        return {
            {"before the first packet", at(hole_.port())},
            {"behind the connection", at(mute_.port())},
            {"in the proof of the password", at(asking_.port())}};
    }

    refusal says(condition which) const override {
        switch (which) {
        case condition::locked: return {"28P01"};
        case condition::full: return {"53300"};
        case condition::starting: return {"57P03"};
        case condition::reading: return {"25006"};
        case condition::up:
        case condition::mute:
        case condition::down: break;
        }
        return {};
    }

    std::string writing(std::string_view token) override {
        return fmt::format("insert into tokens_{} (token) values ('{}')", name_, token);
    }

    std::string writing_once(std::string_view token) override {
        return fmt::format("insert into once_{} values ('{}')", name_, token);
    }

    refusal says_of_the_second() const override { return {"23505"}; }
    refusal says_of_wrong() const override { return {"42P01"}; }
    std::string_view says_of_a_cancel() const override { return "57014"; }

    std::vector<std::string> written() override {
        std::istringstream all(must(
            server().port(),
            fmt::format(
                "with gone as (delete from tokens_{} returning at, token) "
                "select coalesce(string_agg(token, ' ' order by at), '') from gone",
                name_
            )
        ));
        return {std::istream_iterator<std::string>(all), {}};
    }

    void freeze() override { server().freeze(); }
    void thaw() override { server().thaw(); }

    void end_sessions() override {
        must(
            server().port(), fmt::format("select count(pg_terminate_backend(pid)) from {}", mine())
        );
    }

    std::size_t sessions() override {
        return std::stoul(must(server().port(), fmt::format("select count(*) from {}", mine())));
    }

private:
    static postgres_server& server() { return the_server().at; }

    std::string user() const { return "suite_" + name_; }

    std::string mine() const {
        return fmt::format("pg_stat_activity where usename = '{}'", user());
    }

    const std::string name_;
    const std::string key_; ///< Driver=
    scripted_listener mute_{silent()};
    scripted_listener asking_{silent_in_the_login()};
    scripted_listener starting_{refuses_the_login("57P03", "the database system is starting up")};
    full_backlog hole_;
};

}

std::unique_ptr<engine_under_test> make_libpq() {
    return std::make_unique<postgresql_engine>("libpq", "libpq", libpq::make_driver());
}

std::unique_ptr<engine_under_test> make_psqlodbc() {
    return std::make_unique<postgresql_engine>(
        "psqlodbc", "PostgreSQL Unicode", odbc::make_driver()
    );
}

}
