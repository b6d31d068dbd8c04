// SPDX-License-Identifier: Apache-2.0
// The library on a mirrored pair of your own: README.md in this folder. Prints what it does and
// ends with 0 if every situation ended as it should and nothing was lost, doubled or late.
#include "sql_server/own_situations.hpp"
#include "support/ledger.hpp"
#include "support/process.hpp"

#include <hadr/hadr.hpp>
#include <hadr/odbc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

constexpr int writers = 4;
constexpr auto call_deadline = 5s;
constexpr auto failover_within = 120s; // A redo takes what it takes.

std::string setting(const char* name) {
    const char* const found = std::getenv(name);
    return found == nullptr ? std::string() : std::string(found);
}

int number(const char* name, int usual) {
    const auto text = setting(name);
    std::from_chars(text.data(), text.data() + text.size(), usual);
    return usual;
}

void say(std::string_view line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

template <class Value>
Value need(expected<Value> what, std::string_view to_do) {
    if (!what)
        throw std::runtime_error(fmt::format("{}: {}", to_do, to_string(what.error())));
    return *std::move(what);
}

class pair_client final : public ledger_client {
public:
    explicit pair_client(connection_manager& store) : store_(store) {}

    append_result append(int /*writer*/, const std::string& token, duration within) override {
        using end = append_result::end;
        const auto until = deadline::at(std::chrono::steady_clock::now() + within);
        auto held = store_.acquire({.intent = intent::write, .until = until});
        if (!held)
            return no(token, held.error());
        const std::array<parameter, 1> with = {std::string_view(token)};
        const auto how = held->execute("INSERT INTO ledger VALUES (?)", with, until);
        if (how)
            return {end::acknowledged, held->server().port, true, {}};
        if (how.error().code == errc::outcome_unknown)
            return {end::unknown, held->server().port, true, to_string(how.error())};
        return no(token, how.error());
    }

    std::vector<std::string> refused() const {
        const std::lock_guard guard(mutex_);
        return refused_;
    }

private:
    append_result no(const std::string& token, const failure& why) {
        const std::lock_guard guard(mutex_);
        refused_.push_back(token);
        return {append_result::end::refused, 0, true, to_string(why)};
    }

    connection_manager& store_;
    mutable std::mutex mutex_; // Guards refused_.
    std::vector<std::string> refused_;
};

answer run(connection_manager& store, std::string_view text) {
    auto held = need(store.acquire({.until = deadline::in(failover_within)}), "a session");
    return need(held.execute(text), text);
}

void fail_over(connection_manager& store) {
    const auto from = store.view()->writer;
    wait_until("the pair to be whole", failover_within, [&] {
        return store.view()->state == availability::serving;
    });
    const auto plan = need(store.plan({}), "plan");
    for (const auto& step : plan.steps)
        say("executes: " + step.text);
    const auto done = store.execute(plan, deadline::in(failover_within));
    if (!done)
        throw std::runtime_error("execute: " + to_string(done.error()));
    wait_until("the other to serve", failover_within, [&] {
        const auto now = store.view()->writer;
        return now && now != from;
    });
}

bool judge(connection_manager& store, const tally& told, const pair_client& client) {
    const auto rows = run(store, "SELECT token FROM ledger");
    std::map<std::string, int, std::less<>> count;
    for (std::size_t i = 0; i < rows.rows(); ++i)
        ++count[std::string(rows.at(i, 0).value_or(""))];
    const auto there = [&](const std::string& token) { return count.contains(token); };
    std::uint64_t lost = 0;
    for (const auto& one : told.rows)
        lost += there(one.token) ? 0U : 1U;
    std::uint64_t doubled = 0;
    for (const auto& [token, times] : count)
        doubled += times > 1 ? 1U : 0U;
    const auto refused = client.refused();
    const auto wrong = std::count_if(refused.begin(), refused.end(), there);
    const double overrun =
        std::chrono::duration<double, std::milli>(std::max(told.overrun, duration::zero())).count();
    say(fmt::format(
        "{} rows acknowledged, {} of unknown outcome", told.rows.size(), told.unknown.size()
    ));
    say(fmt::format("{} lost, {} doubled, {} refused and there", lost, doubled, wrong));
    say(fmt::format("the latest call was back {:.1f} ms after its deadline", overrun));
    return lost == 0 && doubled == 0 && wrong == 0 && overrun <= 50;
}

bool try_situations(const own_string& pair) {
    const auto all = own_situations(pair);
    std::size_t wrong = 0;
    for (const auto& [name, why] : all) {
        say(fmt::format("{}: {}", name, why.empty() ? "as it should be" : why));
        wrong += why.empty() ? 0U : 1U;
    }
    say(fmt::format("{} situations, {} went wrong", all.size(), wrong));
    return wrong == 0;
}

int run_all() {
    const auto text = setting("HADR_SQL_SERVER_PAIR");
    if (text.empty())
        throw std::runtime_error("HADR_SQL_SERVER_PAIR is not set; see README.md");
    const int failovers = number("HADR_SQL_SERVER_FAILOVERS", 2);
    open_options options{.drivers = {odbc::make_driver()}};
    options.on_event = [](const event& what) { say(to_string(what)); };
    const auto store = need(open(text, std::move(options)), "open");
    run(*store,
        "IF OBJECT_ID(N'ledger') IS NULL CREATE TABLE ledger (token nvarchar(200) NOT NULL)");
    say(to_string(*store->view()));
    const bool as_it_should_be = try_situations(own_string(text));
    const auto begun = std::chrono::system_clock::now().time_since_epoch().count();
    pair_client client(*store);
    ledger_writers ledger(client, writers, fmt::format("run-{}", begun), call_deadline);
    ledger.await(20, failover_within);
    for (int i = 0; i < failovers; ++i) {
        fail_over(*store);
        ledger.await(20, failover_within);
    }
    if (failovers == 0)
        std::this_thread::sleep_for(std::chrono::seconds(number("HADR_SQL_SERVER_SECONDS", 60)));
    return judge(*store, ledger.stop(), client) && as_it_should_be ? 0 : 1;
}

}

}

int main() {
    try {
        return hadr::test::run_all();
    } catch (const std::exception& broken) {
        fmt::print("{}\n", broken.what());
        return 1;
    }
}
