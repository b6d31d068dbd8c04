// SPDX-License-Identifier: Apache-2.0
#include "conformance/engines/all.hpp"
#include "conformance/engines/real.hpp"
#include "support/listener.hpp"
#include "support/process.hpp"
#include "support/tds/tds_double.hpp"

namespace hadr::test {

namespace {

using testing::simulated_store;
using testing::site;

simulated_store::settings as_sql_server() {
    simulated_store::settings made;
    made.kind = engine::sql_server;
    return made;
}

constexpr phrases free_tds_speech{
    .echo = "SELECT CAST(? AS nvarchar(max))",
    .nine = "SELECT 'a1', 'b1', 'c1' UNION ALL SELECT CAST(? AS nvarchar(max)), CAST(? AS "
            "nvarchar(max)), CAST(? AS nvarchar(max)) UNION ALL SELECT 'a3', 'b3', 'c3'",
    .null_and_empty = "SELECT NULL AS [nothing], '' AS [empty]",
    .large = "SELECT REPLICATE('a', 1000000)",
    .large_size = 1'000'000,
    .many = "SELECT value FROM GENERATE_SERIES(1, 100000)",
    .slow = "WAITFOR DELAY '00:00:30'"};

/// FreeTDS with the double behind it: SQL Server's protocol over real sockets, and a model of a
/// mirrored pair. It is not a SQL Server.
class free_tds_engine final : public real_engine {
public:
    free_tds_engine() : real_engine(free_tds_speech) {}

    std::string_view name() const override { return "freetds_on_the_double"; }

    std::string_view lacks(ability which) const override {
        if (which == ability::keep_state || which == ability::forget)
            return "what the double keeps of a session cannot be asked";
        if (which == ability::be_cancelled)
            return "its driver's SQLCancel is not safe beside the statement under way";
        if (which == ability::end_logins)
            return counts_in_seconds;
        return {};
    }

    target place(condition which) override {
        using door = simulated_store::door;
        auto with = std::make_shared<profile>();
        with->odbc_driver = "FreeTDS";
        with->encrypt = encryption::disable;
        with->database = "d";
        with->user = "u";
        with->password = secret("p");
        double_.clear(site::one);
        auto how = door::open;
        int port = double_.port(site::one);
        switch (which) {
        case condition::up: break;
        case condition::locked: with->password = secret("not this one"); break;
        case condition::full: how = door::full; break;
        case condition::starting: how = door::starting; break;
        case condition::mute:
            double_.set(site::one, {.at = tds::point::login, .what = tds::effect::mute});
            break;
        case condition::down: port = free_port(); break;
        case condition::reading:
            double_.set(
                site::one,
                {.at = tds::point::statement, .what = tds::effect::refuse, .numbers = {3906}}
            );
            break;
        }
        double_.with([how](simulated_store& on) { on.set_door(site::one, how); });
        return {
            {"db.test", static_cast<std::uint16_t>(port), {}},
            tds::tds_double::address(site::one),
            with,
            purpose::lend,
            {}};
    }

    std::vector<silence> silences() override {
        const auto at = [this](tds::point which) {
            return [this, which] {
                auto to = place(condition::up);
                double_.set(site::one, {.at = which, .what = tds::effect::mute});
                return to;
            };
        };
        return {
            {"before the first packet",
             [this] {
                 auto to = place(condition::up);
                 to.at.port = static_cast<std::uint16_t>(hole_.port());
                 to.address = "127.0.0.1";
                 return to;
             }},
            {"behind the connection", at(tds::point::accept)},
            {"in the greeting", at(tds::point::prelogin)},
            {"in the login", at(tds::point::login)}};
    }

    refusal says(condition which) const override {
        switch (which) {
        case condition::locked: return {{}, 18456};
        case condition::full: return {{}, 17809};
        case condition::starting: return {{}, 18401};
        case condition::reading: return {{}, 3906};
        case condition::up:
        case condition::mute:
        case condition::down: break;
        }
        return {};
    }

    std::string writing(std::string_view token) override {
        return fmt::format("INSERT INTO ledger VALUES ('{}')", token);
    }

    std::string writing_once(std::string_view token) override {
        return fmt::format("append once {}", token);
    }

    refusal says_of_the_second() const override { return {{}, 2627}; }
    std::string_view wrong() const override { return "THROW 208, 'Invalid object name', 1"; }
    refusal says_of_wrong() const override { return {{}, 208}; }

    std::vector<std::string> written() override {
        const auto all = double_.with([](simulated_store& on) { return on.ledger(site::one); });
        const std::vector<std::string> fresh(
            all.begin() + static_cast<std::ptrdiff_t>(taken_), all.end()
        );
        taken_ = all.size();
        return fresh;
    }

    void freeze() override {
        double_.with([](simulated_store& on) { on.freeze(site::one); });
    }
    void thaw() override {
        double_.with([](simulated_store& on) { on.thaw(site::one); });
    }
    void end_sessions() override {
        double_.with([](simulated_store& on) { on.reset(site::client, site::one); });
    }
    std::size_t sessions() override { return double_.counted(site::one).open; }

private:
    tds::tds_double double_{{.store = as_sql_server()}};
    std::size_t taken_ = 0; ///< Of the ledger.
    full_backlog hole_;
};

}

std::unique_ptr<engine_under_test> make_free_tds() {
    return std::make_unique<free_tds_engine>();
}

}
