// SPDX-License-Identifier: Apache-2.0
#include "conformance/engines/all.hpp"
#include "conformance/engines/real.hpp"
#include "support/process.hpp"

namespace hadr::test {

namespace {

constexpr std::string_view no_server = "there is no server: the engine is in this process";

constexpr phrases sqlite_speech{
    .echo = "select ?",
    .nine = "select 'a1', 'b1', 'c1' union all select ?, ?, ? union all select 'a3', 'b3', 'c3'",
    .null_and_empty = "select null as \"nothing\", '' as empty",
    .types = "select 1 as a, 1.5 as b, -12345678901 as c, 'x ' as d, x'4142' as e, null as f",
    .large = "select replace(hex(zeroblob(1500000)), '0', 'a')",
    .definition = "create table defined (a int)",
    .many = "with recursive n(i) as (select 1 union all select i + 1 from n limit 100000) "
            "select i from n",
    // Once given up nothing stops it, and it takes a core from the other claims.
    .slow = "with recursive n(i) as (select 1 union all select i + 1 from n limit 12000000) "
            "select max(i) from n",
    .dirt = "create temp table dirt (i int)",
    .is_dirty = "select count(*) from sqlite_temp_master where name = 'dirt'"};

/// A file in a folder of its own. What blocks its writers is another connection that reads it.
class sqlite_engine final : public engine_with_tables {
public:
    sqlite_engine() : engine_with_tables(sqlite_speech) {
        aside_.must("create table tokens (at integer primary key autoincrement, token text)");
        aside_.must("create table once (token text primary key)");
    }

    std::string_view name() const override { return "sqlite"; }

    std::string_view lacks(ability which) const override {
        switch (which) {
        case ability::ask_for_passwords: return "it knows no users";
        case ability::be_full:
        case ability::be_starting:
        case ability::be_mute:
        case ability::end_logins:
        case ability::end_sessions: return no_server;
        case ability::be_cancelled: return "its driver cancels nothing";
        case ability::forget: return makes_none_as_new;
        case ability::be_away:
        case ability::refuse_writes:
        case ability::stop_answering:
        case ability::repeat_values:
        case ability::bring_nulls:
        case ability::bring_large_values:
        case ability::bring_many_rows:
        case ability::refuse_statements:
        case ability::run_slowly:
        case ability::keep_state:
        case ability::serve_stores:
        case ability::run_threads: break;
        }
        return {};
    }

    target place(condition which) override {
        auto with = std::make_shared<profile>();
        with->odbc_driver = "SQLite3";
        with->encrypt = encryption::disable;
        with->database = file_;
        if (which == condition::down)
            with->database = folder_.path() + "/none/db";
        return {{}, {}, with, purpose::lend, {}};
    }

    refusal says(condition which) const override {
        return which == condition::reading ? refusal{{}, 8} : refusal{};
    }

    std::string_view turns_read_only() const override { return "pragma query_only = on"; }

    refusal says_of_the_second() const override { return {{}, 19}; }
    refusal says_of_wrong() const override { return {{}, 1}; }

    void freeze() override {
        aside_.must("begin");
        aside_.must("select count(*) from tokens"); // Nobody else can commit while this is read.
    }

    void thaw() override { aside_.must("rollback"); }
    void end_sessions() override {}
    std::size_t sessions() override { return 0; }

private:
    odbc_asker& aside() override { return aside_; }

    const temporary_folder folder_{"hadr-sqlite"};
    const std::string file_ = folder_.path() + "/db";
    odbc_asker aside_{"Driver={SQLite3};Database=" + file_};
};

}

std::unique_ptr<engine_under_test> make_sqlite() {
    return std::make_unique<sqlite_engine>();
}

}
