// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"

#include "conformance/engines/all.hpp"

#include <boost/test/results_collector.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>

namespace hadr::test {

namespace {

struct ending final : completion {
    std::optional<expected<void>> how;

    void completed(expected<void> told) noexcept override { how = std::move(told); }
};

std::map<const engine_under_test*, claims>& counted() {
    static std::map<const engine_under_test*, claims> all;
    return all;
}

const ability*
first_lacking(const engine_under_test& on, const std::initializer_list<ability>& needed) {
    const auto* const found = std::find_if(needed.begin(), needed.end(), [&](ability one) {
        return !on.lacks(one).empty();
    });
    return found == needed.end() ? nullptr : found;
}

}

std::string_view to_string(ability which) noexcept {
    constexpr std::string_view names[abilities] = {
        "ask_for_passwords", "be_full",       "be_starting",        "be_mute",
        "be_away",           "refuse_writes", "stop_answering",     "end_sessions",
        "repeat_values",     "bring_nulls",   "bring_large_values", "bring_many_rows",
        "refuse_statements", "run_slowly",    "be_cancelled",       "keep_state",
        "end_logins",        "forget",        "serve_stores",       "run_threads"};
    return names[static_cast<std::size_t>(which)];
}

std::string engine_under_test::store_text(const target& to) {
    const auto& as = *to.with;
    std::string text = fmt::format(
        "Driver={{{}}};Database={{{}}};Encrypt=disable;",
        by()->name() == "odbc" ? as.odbc_driver : by()->name(),
        as.database
    );
    if (!to.at.host.empty())
        text += fmt::format("Server={}:{};", to.address, to.at.port);
    if (!as.user.empty())
        text += fmt::format("UID={};", as.user);
    if (!as.password.empty())
        text += fmt::format("PWD={};", as.password.reveal());
    return text;
}

const std::vector<std::unique_ptr<engine_under_test>>& engines() {
    static const auto all = [] {
        std::vector<std::unique_ptr<engine_under_test>> made;
        for (const auto make : engine_makers())
            made.push_back(make());
        return made;
    }();
    return all;
}

void on_each(
    std::initializer_list<ability> needed, const std::function<void(engine_under_test&)>& claim
) {
    const auto& running = boost::unit_test::framework::current_test_case();
    for (const auto& one : engines()) {
        if (const auto* const without = first_lacking(*one, needed)) {
            const std::string_view about = running.p_name.get();
            counted()[one.get()].declared.push_back({one->name(), about, *without});
            std::cout << fmt::format(
                "declared: {} {}: {}\n", one->name(), about, one->lacks(*without)
            );
            continue;
        }
        const auto& results = boost::unit_test::results_collector.results(running.p_id);
        const auto before = results.p_assertions_failed.get();
        BOOST_TEST_CONTEXT("on " << one->name())
        claim(*one);
        if (results.p_assertions_failed.get() == before)
            ++counted()[one.get()].held;
    }
}

claims claims_on(const engine_under_test& which) {
    return counted()[&which];
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
    auto& through = with.through();
    return with.by()->connect(to, through.now() + within, through, with.calls());
}

std::unique_ptr<session> session_of(engine_under_test& with) {
    auto made = log_in(with, with.place(engine_under_test::condition::up));
    if (!made)
        BOOST_FAIL(to_string(made.error()));
    return *std::move(made);
}

std::size_t times_written(engine_under_test& with, std::string_view token) {
    const auto all = with.written();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), token));
}

void check_failure(const failure& found, errc code, advice next, const refusal& said) {
    BOOST_TEST_CONTEXT(to_string(found)) {
        BOOST_TEST(found.code == code);
        BOOST_TEST((found.next == next));
        if (!said.sqlstate.empty())
            BOOST_TEST(found.sqlstate == said.sqlstate);
        if (said.native != 0)
            BOOST_TEST(found.native == said.native);
    }
}

}
