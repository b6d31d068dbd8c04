// SPDX-License-Identifier: Apache-2.0
#include "support/mariadb.hpp"

#include "conformance/engines/all.hpp"
#include "conformance/engines/real.hpp"
#include "support/listener.hpp"

namespace hadr::test {

namespace {

constexpr phrases mariadb_speech{
    .echo = "select cast(? as char)",
    .nine = "select 'a1', 'b1', 'c1' union all select cast(? as char), cast(? as char), "
            "cast(? as char) union all select 'a3', 'b3', 'c3'",
    .null_and_empty = "select null as nothing, '' as empty",
    .types = "select 1 as a, 1.50 as b, 1.25e0 as c, 'x ' as d, cast('2026-01-02' as date) as e, "
             "cast('2026-01-02 03:04:05.67' as datetime(2)) as f, 12345678901 as g, null as h",
    .large = "select repeat('a', 3000000)",
    .definition = "create table defined (a int)",
    .many = "select seq from seq_1_to_100000",
    .slow = "select sleep(30)",
    .dirt = "set @dirt = 1",
    .is_dirty = "select @dirt is not null"};

class mariadb_engine final : public engine_with_tables {
public:
    mariadb_engine() : engine_with_tables(mariadb_speech) {
        aside_.must("create table tokens (at serial, token text)");
        aside_.must("create table once (token varchar(20) primary key)");
    }

    std::string_view name() const override { return "mariadb"; }

    std::string_view lacks(ability which) const override {
        if (which == ability::be_starting)
            return "it listens only once it is ready";
        if (which == ability::be_cancelled)
            return "its driver's SQLCancel gives up a lock that is not its own";
        if (which == ability::forget)
            return makes_none_as_new;
        if (which == ability::end_logins)
            return counts_in_seconds;
        return {};
    }

    target place(condition which) override {
        auto with = std::make_shared<profile>();
        with->odbc_driver = "MariaDB Unicode";
        with->encrypt = encryption::disable;
        with->database = "hadr";
        with->user = "app";
        with->password = secret("right-horse");
        int port = server_.port();
        crowd_.clear();
        switch (which) {
        case condition::up:
        case condition::starting: break;
        case condition::locked: with->password = secret("not this one"); break;
        case condition::full: crowd(); break;
        case condition::mute: port = mute_.port(); break;
        case condition::down: port = free_port(); break;
        case condition::reading: with->user = "reader"; break;
        }
        if (with->user != "app")
            with->password = {};
        return {
            {"127.0.0.1", static_cast<std::uint16_t>(port), {}},
            "127.0.0.1",
            with,
            purpose::lend,
            {}};
    }

    std::vector<silence> silences() override {
        return {
            {"before the first packet",
             [this] {
                 auto to = place(condition::up);
                 to.at.port = static_cast<std::uint16_t>(hole_.port());
                 return to;
             }},
            {"behind the connection", [this] { return place(condition::mute); }}};
    }

    refusal says(condition which) const override {
        switch (which) {
        case condition::locked: return {{}, 1045};
        case condition::full: return {{}, 1040};
        case condition::reading: return {{}, 1792};
        case condition::up:
        case condition::starting:
        case condition::mute:
        case condition::down: break;
        }
        return {};
    }

    refusal says_of_the_second() const override { return {{}, 1062}; }
    refusal says_of_wrong() const override { return {{}, 1146}; }

    void freeze() override { server_.freeze(); }
    void thaw() override { server_.thaw(); }

    void end_sessions() override {
        for (const auto& one : aside_.must(fmt::format("select id from {}", mine)))
            aside_.ask("kill " + one); // It may have ended meanwhile.
    }

    std::size_t sessions() override {
        return std::stoul(aside_.must(fmt::format("select count(*) from {}", mine)).at(0));
    }

private:
    odbc_asker& aside() override { return aside_; }

    static constexpr std::string_view mine =
        "information_schema.processlist where user in ('app', 'reader')";

    /// Takes all sessions that there are but the one that is kept for administrators.
    void crowd() {
        for (int i = 0; i < 2 * mariadb_server::sessions_max; ++i) {
            auto one = std::make_unique<odbc_asker>(fmt::format(
                "Driver={{MariaDB Unicode}};Server=127.0.0.1;Port={};UID=reader;Database=hadr",
                server_.port()
            ));
            if (!one->ask("select 1"))
                return;
            crowd_.push_back(std::move(one));
        }
    }

    const temporary_folder folder_{"hadr-mariadb"};
    mariadb_server server_{folder_};
    odbc_asker aside_{server_.odbc_text()};
    std::vector<std::unique_ptr<odbc_asker>> crowd_;
    scripted_listener mute_{silent()};
    full_backlog hole_;
};

}

std::unique_ptr<engine_under_test> make_mariadb() {
    return std::make_unique<mariadb_engine>();
}

}
