// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "conformance/engine.hpp"
#include "support/odbc_asker.hpp"

#include <hadr/odbc.hpp>

#include <fmt/format.h>

namespace hadr::test {

inline constexpr std::string_view counts_in_seconds =
    "its client library counts logins in seconds; the runtime gives them up";
inline constexpr std::string_view makes_none_as_new =
    "nothing makes a session as new: a dirty one is closed";

/// An engine on real time, whose driver may block.
class real_engine : public engine_under_test {
public:
    std::shared_ptr<driver> by() final { return driver_; }
    std::shared_ptr<world> shared_world() final { return world_; }
    std::shared_ptr<executor> calls() final { return calls_; }
    const phrases& speaks() const final { return speaks_; }

protected:
    explicit real_engine(const phrases& speaks, std::shared_ptr<driver> by = odbc::make_driver())
        : speaks_(speaks)
        , driver_(std::move(by)) {}

private:
    const phrases speaks_;
    const std::shared_ptr<driver> driver_;
    const std::shared_ptr<world> world_ = real_world();
    const std::shared_ptr<executor> calls_ = make_executor(world_);
};

/// One whose tables are looked after over a session of our own, by ODBC.
class engine_with_tables : public real_engine {
public:
    std::string writing(std::string_view token) final {
        return fmt::format("insert into tokens (token) values ('{}')", token);
    }

    std::string writing_once(std::string_view token) final {
        return fmt::format("insert into once values ('{}')", token);
    }

    std::vector<std::string> written() final {
        auto all = aside().must("select token from tokens order by at");
        aside().must("delete from tokens");
        return all;
    }

protected:
    using real_engine::real_engine;

    virtual odbc_asker& aside() = 0;
};

}
