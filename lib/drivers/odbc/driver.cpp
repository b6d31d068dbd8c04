// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/connection_text.hpp"
#include "drivers/odbc/session.hpp"
#include "drivers/odbc/trace.hpp"
#include "drivers/shared/login.hpp"

#include <hadr/odbc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace hadr::inline v0::odbc {

namespace {

constexpr std::string_view own_name = "odbc";
constexpr answer_limits own_limits{10'000, 1U << 20U};

/// By so much a driver may end its wait early.
constexpr duration clock_grain = std::chrono::milliseconds(50);

using drivers::place_of;
using std::chrono::seconds;

/// One login under way, on an agent that can be given up.
class login {
public:
    login(const target& to, world& through, std::shared_ptr<environment> in)
        : to_(to)
        , through_(through)
        , profile_(profile_of(to.with->odbc_driver))
        , of_(std::make_unique<connection>(std::move(in)))
        , begun_(through.now()) {}

    expected<std::unique_ptr<session>> run(time_point until, std::shared_ptr<executor> by) {
        if (!*of_)
            return no_handle();
        const auto limit = limit_until(until);
        if (limit <= seconds(0))
            return too_late({});
        real_surroundings around(of_->get(), through_);
        if (auto alone = unobserved(profile_, to_, around); !alone)
            return alone.error();
        auto text = text_for(limit);
        if (!text)
            return text.error();
        set_limit(limit);
        const auto how = connect(*text);
        text = secret();
        if (!SQL_SUCCEEDED(how))
            return failed(limit);
        of_->connected();
        return established(std::move(by));
    }

private:
    // Whole seconds are all that there is: what is left over is for whoever waits to cut.
    seconds limit_until(time_point until) const {
        const auto left = until - through_.now();
        if (left <= duration::zero())
            return seconds(0);
        constexpr seconds most(3600);
        return std::clamp(std::chrono::floor<seconds>(left), seconds(1), most);
    }

    expected<secret> text_for(seconds limit) const {
        auto password = drivers::password_for(*to_.with, through_);
        if (!password)
            return password.error();
        return connection_text(profile_, to_, *password, limit);
    }

    void set_limit(seconds limit) {
        SQLSetConnectAttr(
            of_->get(),
            SQL_ATTR_LOGIN_TIMEOUT,
            reinterpret_cast<SQLPOINTER>(static_cast<std::uintptr_t>(limit.count())),
            SQL_IS_UINTEGER
        );
    }

    SQLRETURN connect(const secret& text) {
        const auto bytes = text.reveal();
        return SQLDriverConnect(
            of_->get(),
            nullptr,
            reinterpret_cast<SQLCHAR*>(const_cast<char*>(bytes.data())),
            static_cast<SQLSMALLINT>(bytes.size()),
            nullptr,
            0,
            nullptr,
            SQL_DRIVER_NOPROMPT
        );
    }

    static failure no_handle() {
        auto why = make_failure(
            errc::unreachable, advice::retry, "the driver manager has no handle for a session (F48)"
        );
        why.native = local_cause;
        return why;
    }

    failure too_late(failure why) const {
        why.code = errc::deadline_exceeded;
        why.next = advice::retry;
        why.message = place_of(to_) + " did not answer the login in time";
        return why;
    }

    failure failed(seconds limit) const {
        const auto all = diagnostics_of(SQL_HANDLE_DBC, of_->get());
        auto why = login_failure(profile_.ways, all, place_of(to_));
        const bool timed_out = std::any_of(all.begin(), all.end(), [](const diagnostic& one) {
            return one.sqlstate == "HYT00" || one.sqlstate == "HYT01";
        });
        // A driver that gives up at its own limit may say the same as of a server that refuses.
        const bool as_long = through_.now() - begun_ + clock_grain >= limit;
        const bool silent = why.code == errc::unreachable && (timed_out || as_long);
        return silent ? too_late(std::move(why)) : why;
    }

    // Behind a data source, whose driver nobody has named.
    const driver_profile& reached() const {
        std::array<char, 128> name{};
        SQLSMALLINT length = 0;
        SQLGetInfo(
            of_->get(),
            SQL_DRIVER_NAME,
            name.data(),
            static_cast<SQLSMALLINT>(name.size() - 1),
            &length
        );
        return profile_of(name.data());
    }

    expected<std::unique_ptr<session>> established(std::shared_ptr<executor> by) {
        const bool own = to_.why == purpose::watch || to_.why == purpose::witness;
        const bool encrypted = to_.with->encrypt != encryption::disable && !to_.at.local_socket();
        const auto& present = to_.with->odbc_driver.empty() ? reached() : profile_;
        auto made =
            std::make_shared<call>(std::move(of_), present, own ? own_limits : answer_limits{});
        return std::unique_ptr<session>(std::make_unique<odbc_session>(
            std::move(made),
            odbc_session::surroundings{
                through_, std::move(by), present, present.libpq_inside && encrypted}
        ));
    }

    const target& to_;
    world& through_;
    const driver_profile& profile_;
    std::unique_ptr<connection> of_;
    const time_point begun_;
};

class odbc_driver final : public driver {
public:
    std::string_view name() const noexcept override { return own_name; }

    expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& by
    ) override {
        return login(to, through, in_).run(until, by);
    }

private:
    const std::shared_ptr<environment> in_ = std::make_shared<environment>(make_environment());
};

}

std::shared_ptr<driver> make_driver() {
    return std::make_shared<odbc_driver>();
}

void* native(lease& held) noexcept {
    return held.driver() == own_name ? held.native() : nullptr;
}

}
