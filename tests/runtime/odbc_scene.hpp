// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/session.hpp"
#include "runtime/scripted_odbc.hpp"

#include <hadr/testing/manual_world.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace hadr::test {

/// Takes a job and runs it when the test says so.
class patient_executor final : public executor {
public:
    bool run(std::shared_ptr<job> what) override {
        waiting.push_back(std::move(what));
        return true;
    }
    void abandon(const std::shared_ptr<job>& which) noexcept override {
        abandoned += static_cast<int>(which != nullptr);
    }

    void work() {
        for (const auto& one : std::exchange(waiting, {}))
            one->run();
    }

    std::vector<std::shared_ptr<job>> waiting;
    int abandoned = 0;
};

struct ended final : completion {
    void completed(expected<void> with) noexcept override {
        how = std::move(with);
        ++times;
    }
    expected<void> how;
    int times = 0;
};

/// One session, as it is after its login. One at a time.
struct odbc_scene {
    explicit odbc_scene(std::string_view driver = "FreeTDS") : profile(odbc::profile_of(driver)) {
        odbc_now = &script;
        auto in = std::make_shared<odbc::environment>(odbc::make_environment());
        auto connected = std::make_unique<odbc::connection>(std::move(in));
        connected->connected();
        auto call =
            std::make_shared<odbc::call>(std::move(connected), profile, odbc::answer_limits{});
        on = std::make_unique<odbc::odbc_session>(
            std::move(call), odbc::odbc_session::surroundings{*world, by, profile}
        );
    }
    ~odbc_scene() {
        close();
        odbc_now = nullptr;
    }

    void close() {
        on.reset();
        by->waiting.clear();
    }

    /// Asks, and lets the driver do it.
    expected<void> run(const statement& what) {
        ended how;
        on->start(what, brought, how);
        by->work();
        on->advance();
        BOOST_TEST_REQUIRE(how.times == 1);
        return how.how;
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    odbc_script script;
    odbc::driver_profile profile;
    std::shared_ptr<patient_executor> by = std::make_shared<patient_executor>();
    std::unique_ptr<odbc::odbc_session> on;
    answer brought;
};

}
