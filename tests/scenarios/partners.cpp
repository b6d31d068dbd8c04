// SPDX-License-Identifier: Apache-2.0
#include "scenarios/partners.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

}

simulated_store::settings quick_store() {
    simulated_store::settings how;
    how.kind = engine::sql_server;
    how.ping_period = 20ms;
    how.partner_timeout = 300ms;
    how.promotion_time = 20ms;
    how.start_time = 50ms;
    how.rewind_time = 50ms;
    return how;
}

bool is_whole(const simulated_store& of, bool synchronous) {
    const auto leads = of.named();
    return of.protected_now() ||
           (leads != site::client && !synchronous && of.state(leads).assigned == "SYNCHRONIZED");
}

template <class Function>
auto partners::with(Function what) {
    std::optional<decltype(what(std::declval<simulated_store&>()))> made;
    scene_->with([&](simulated_store& of) { made.emplace(what(of)); });
    return *std::move(made);
}

partners::partners(std::string_view more, const simulated_store::settings& how)
    : synchronous_(how.safety_full)
    , scene_(make_scene(how)) {
    BOOST_TEST_REQUIRE(whole());
    store_ = scene_->open(more, [into = book_](const event& what) {
        const std::lock_guard guard(into->mutex);
        into->lines.push_back({what.what, to_string(what)});
    });
}

partners::~partners() {
    close();
    for (const auto& one : told())
        BOOST_TEST_MESSAGE(one.text);
}

void partners::kill(site which) {
    scene_->with([=](simulated_store& of) { of.kill(which); });
}

void partners::restart(site which) {
    scene_->with([=](simulated_store& of) { of.restart(which); });
}

void partners::freeze(site which) {
    scene_->with([=](simulated_store& of) { of.freeze(which); });
}

void partners::thaw(site which) {
    scene_->with([=](simulated_store& of) { of.thaw(which); });
}

void partners::cut(site one, site two) {
    scene_->with([=](simulated_store& of) {
        of.cut(one, two);
        of.cut(two, one);
    });
}

void partners::mend(site one, site two) {
    scene_->with([=](simulated_store& of) {
        of.mend(one, two);
        of.mend(two, one);
    });
}

void partners::reset_sessions(site which) {
    scene_->with([=](simulated_store& of) { of.reset(site::client, which); });
}

void partners::set_door(site which, simulated_store::door how) {
    scene_->with([=](simulated_store& of) { of.set_door(which, how); });
}

expected<void> partners::administer(site which, std::string_view statement) {
    return with([&](simulated_store& of) { return of.administer(which, statement); });
}

void partners::when(testing::commit_step step, std::function<void()> then) {
    scene_->with([&](simulated_store& of) { of.when(step, std::move(then)); });
}

std::size_t partners::hooks_left() {
    return with([](simulated_store& of) { return of.hooks_left(); });
}

site partners::named() {
    return with([](simulated_store& of) { return of.named(); });
}

simulated_store::server_state partners::state(site which) {
    return with([=](simulated_store& of) { return of.state(which); });
}

std::vector<std::string> partners::ledger(site which) {
    return with([=](simulated_store& of) { return of.ledger(which); });
}

simulated_store::counters partners::counted() {
    return with([](simulated_store& of) { return of.counted(); });
}

expected<lease> partners::acquire(duration within) {
    return store_->acquire({.intent = intent::write, .until = deadline::in(within)});
}

expected<void> partners::append(lease& by, std::string_view token) {
    const auto done = by.execute(fmt::format("INSERT INTO ledger VALUES ('{}')", token));
    return done ? expected<void>() : done.error();
}

expected<site> partners::write(duration within) {
    const auto until = deadline::at(now() + within);
    auto held = store_->acquire({.intent = intent::write, .until = until});
    if (!held)
        return held.error();
    const auto token = fmt::format("row-{}", ++last_);
    const auto how =
        held->execute(fmt::format("INSERT INTO ledger VALUES ('{}')", token), {}, until);
    if (!how)
        return how.error();
    if (const auto where = scene_->answered_at(token))
        return *where;
    return make_failure(errc::rejected_by_server, advice::give_up, "no such row there");
}

bool partners::writes_at(site which, duration within) {
    const auto until = now() + within;
    while (now() < until) {
        const auto where = write(until - now());
        if (where)
            return *where == which;
        BOOST_TEST_MESSAGE(to_string(where.error()));
    }
    return false;
}

bool partners::follows(site which) {
    return eventually([&] {
        auto held = acquire();
        return held && held->execute("SELECT token FROM ledger").has_value() &&
               held->server() == place(which);
    });
}

commit_result partners::commit(std::string_view token, duration within) {
    return store_->transact({.until = deadline::in(within), .attempts_max = 1}, [&](lease& on) {
        return append(on, token);
    });
}

bool partners::eventually(const std::function<bool()>& is) {
    return scene_->eventually(is, patience);
}

bool partners::serves(site which) {
    return eventually([&] { return named() == which && state(which).writable; });
}

bool partners::whole() {
    return eventually([&] {
        return with([this](simulated_store& of) { return is_whole(of, synchronous_); });
    });
}

bool partners::shows(availability wanted) {
    return shows([wanted](const topology& view) { return view.state == wanted; });
}

bool partners::shows(const std::function<bool(const topology&)>& is) {
    return eventually([&] { return is(*store_->view()); });
}

bool partners::tells(event_kind kind, std::string_view part) {
    return eventually([&] {
        const auto all = told();
        return std::any_of(all.begin(), all.end(), [&](const heard& one) {
            return one.what == kind && one.text.find(part) != std::string::npos;
        });
    });
}

std::vector<partners::heard> partners::told() const {
    const std::lock_guard guard(book_->mutex);
    return book_->lines;
}

std::size_t partners::count(event_kind kind) const {
    const auto all = told();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [kind](const heard& one) {
        return one.what == kind;
    }));
}

void partners::forget_what_was_told() {
    const std::lock_guard guard(book_->mutex);
    book_->lines.clear();
}

bool partners::does(const operation& what) {
    return eventually([&] {
        const auto plan = store_->plan(what);
        return plan && store_->execute(*plan, deadline::in(5s)).has_value();
    });
}

std::string partners::why_not(const operation& what) {
    const auto plan = store_->plan(what);
    if (!plan)
        BOOST_TEST_MESSAGE(to_string(plan.error()));
    return plan ? std::string() : plan.error().message;
}

bool partners::warns(const operation& what, std::string_view part) {
    const auto plan = store_->plan(what);
    return plan &&
           std::any_of(
               plan->warnings.begin(),
               plan->warnings.end(),
               [part](const std::string& one) { return one.find(part) != std::string::npos; }
           );
}

}
