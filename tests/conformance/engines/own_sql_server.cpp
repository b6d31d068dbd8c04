// SPDX-License-Identifier: Apache-2.0
#include "conformance/engines/all.hpp"
#include "conformance/engines/real.hpp"
#include "conformance/server.hpp"
#include "drivers/odbc/profiles.hpp"
#include "support/listener.hpp"
#include "support/own_string.hpp"
#include "support/process.hpp"
#include "support/relay.hpp"

#include <cstdlib>

namespace hadr::test {

namespace {

constexpr phrases transact_sql{
    .echo = "SELECT CAST(? AS nvarchar(max))",
    .nine = "SELECT 'a1', 'b1', 'c1' UNION ALL SELECT CAST(? AS nvarchar(max)), CAST(? AS "
            "nvarchar(max)), CAST(? AS nvarchar(max)) UNION ALL SELECT 'a3', 'b3', 'c3'",
    .null_and_empty = "SELECT NULL AS [nothing], '' AS [empty]",
    .types =
        "SELECT 1 AS a, CAST(1.50 AS decimal(9, 2)) AS b, CAST(1.25 AS float) AS c, 'x ' AS d, "
        "CAST('2026-01-02' AS date) AS e, CAST('2026-01-02 03:04:05.67' AS datetime2(2)) AS f, "
        "CAST(12345678901 AS bigint) AS g, NULL AS h",
    .large = "SELECT REPLICATE(CAST('a' AS varchar(max)), 3000000)",
    .definition = "CREATE TABLE hadr_defined (a int)",
    .many = "SELECT TOP (100000) ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS n FROM "
            "sys.all_columns AS a CROSS JOIN sys.all_columns AS b ORDER BY n",
    .slow = "WAITFOR DELAY '00:00:30'",
    .dirt = "SET LOCK_TIMEOUT 1234",
    .is_dirty = "SELECT CASE WHEN @@LOCK_TIMEOUT = 1234 THEN 1 ELSE 0 END"};

constexpr std::string_view somebodys_own = "the server is somebody's own";

std::string variable(const char* name) {
    const char* const found = std::getenv(name);
    return found == nullptr ? std::string() : std::string(found);
}

/// The principal of a pair of somebody's own, or a server alone, by HADR_SQL_SERVER_PAIR:
/// tests/sql_server/README.md. A relay stands before it, and lets it fall silent.
class own_sql_server final : public real_engine {
public:
    explicit own_sql_server(const std::string& text)
        : real_engine(transact_sql)
        , string_(text)
        , aside_(need(hadr::open(text, {.drivers = {by()}})))
        , at_(need(aside()).server())
        , between_(at_.host, at_.port != 0 ? at_.port : 1433) {
        ask("IF OBJECT_ID(N'ledger') IS NULL CREATE TABLE ledger (token nvarchar(200) NOT NULL)");
        ask("IF OBJECT_ID(N'hadr_once') IS NOT NULL DROP TABLE hadr_once");
        ask("CREATE TABLE hadr_once (token nvarchar(200) PRIMARY KEY)");
        taken_ = ask("SELECT token FROM ledger").rows();
        auto one = need(aside());
        static_cast<void>(need(one.execute(transact_sql.dirt)));
        const auto dirty = need(one.execute(transact_sql.is_dirty));
        keeps_state_ = dirty.rows() == 1 && dirty.at(0, 0) == "1";
    }

    std::string_view name() const override { return "own_sql_server"; }
    bool ours() const override { return false; }

    std::string_view lacks(ability which) const override {
        switch (which) {
        case ability::be_full:
        case ability::be_starting:
        case ability::refuse_writes: return somebodys_own;
        case ability::end_logins:
            return driver_profile().keeps_deadlines ? std::string_view() : counts_in_seconds;
        case ability::be_cancelled:
            return driver_profile().cancels ? std::string_view()
                                            : "its driver's SQLCancel is not used";
        case ability::keep_state:
            return keeps_state_ ? std::string_view() : "it keeps no setting of a session";
        case ability::forget:
            return driver_profile().reset.empty() ? makes_none_as_new : std::string_view();
        default: return {};
        }
    }

    target place(condition which) override {
        auto with = std::make_shared<profile>(*string_.says().with);
        if (with->certificate_host.empty() && with->encrypt >= encryption::verify_full)
            with->certificate_host = at_.host;
        int port = between_.port();
        if (which == condition::locked)
            spoil_password(*with);
        else if (which == condition::mute)
            port = mute_.port();
        else if (which == condition::down)
            port = free_port();
        return {
            {"127.0.0.1", static_cast<std::uint16_t>(port), {}},
            "127.0.0.1",
            with,
            purpose::lend,
            {}};
    }

    std::string store_text(const target& to) override {
        return string_.standalone(to.at, [&](auto&, profile& with) {
            with.certificate_host = to.with->certificate_host;
        });
    }

    refusal says(condition which) const override {
        return {{}, which == condition::locked ? 18456 : 0};
    }

    std::string writing(std::string_view token) override {
        return fmt::format("INSERT INTO ledger VALUES ('{}')", token);
    }

    std::string writing_once(std::string_view token) override {
        return fmt::format("INSERT INTO hadr_once VALUES ('{}')", token);
    }

    refusal says_of_the_second() const override { return {{}, 2627}; }
    std::string_view wrong() const override { return "SELECT token FROM hadr_nowhere"; }
    refusal says_of_wrong() const override { return {{}, 208}; }

    std::vector<std::string> written() override {
        const auto all = ask("SELECT token FROM ledger");
        std::vector<std::string> fresh;
        for (; taken_ < all.rows(); ++taken_)
            fresh.emplace_back(all.at(taken_, 0).value_or(""));
        return fresh;
    }

    void freeze() override { between_.hold(); }
    void thaw() override { between_.go_on(); }
    void end_sessions() override { between_.reset(); }
    std::size_t sessions() override { return static_cast<std::size_t>(between_.connections()); }

private:
    const odbc::driver_profile& driver_profile() const {
        return odbc::profile_of(string_.says().with->odbc_driver);
    }

    expected<lease> aside() { return aside_->acquire({.until = deadline::in(patience)}); }

    answer ask(std::string_view text) {
        auto held = need(aside());
        return need(held.execute(text));
    }

    const own_string string_;
    const std::unique_ptr<connection_manager> aside_;
    const endpoint at_;
    relay between_;
    scripted_listener mute_{silent()};
    bool keeps_state_ = false;
    std::size_t taken_ = 0; ///< Of the ledger.
};

}

std::string own_sql_server_text() {
    return variable("HADR_SQL_SERVER_PAIR");
}

std::unique_ptr<engine_under_test> make_own_sql_server() {
    return std::make_unique<own_sql_server>(own_sql_server_text());
}

}
