// SPDX-License-Identifier: Apache-2.0
#include "sql_server/pair.hpp"

#include "scenarios/partners.hpp"
#include "support/process.hpp"

#include <hadr/odbc.hpp>

#include <boost/test/results_collector.hpp>
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hadr::test {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
namespace utf = boost::unit_test;

namespace {

constexpr auto patience = 20s;

}

tds_double::settings quick() {
    tds_double::settings how;
    how.store = quick_store();
    return how;
}

mirrored_pair::mirrored_pair(tds_double::settings how)
    : served(how)
    , synchronous_(how.store.safety_full) {
    settle();
}

mirrored_pair::~mirrored_pair() {
    close();
    const std::lock_guard guard(book_->mutex);
    for (const auto& line : book_->lines)
        BOOST_TEST_MESSAGE(line);
}

void mirrored_pair::open_as(const std::string& connection_string, std::string_view more) {
    open_options options{.drivers = {odbc::make_driver()}, .world = hosts};
    options.on_event = [into = book_](const event& what) {
        const std::lock_guard guard(into->mutex);
        into->lines.push_back(to_string(what));
    };
    auto made = hadr::open(fmt::format("{};{}", connection_string, more), std::move(options));
    if (!made)
        throw std::runtime_error(to_string(made.error()));
    store_ = std::move(*made);
}

void mirrored_pair::open_by(
    std::string_view initial, std::string_view partner, std::string_view more
) {
    open_as(
        fmt::format(
            "Driver=FreeTDS;Mode=mirroring;Server={};Failover_Partner={};Database=d;UID=u;PWD=p;"
            "Encrypt=disable",
            initial,
            partner
        ),
        more
    );
}

written mirrored_pair::write(duration within) {
    const auto begun = clock::now();
    const auto until = deadline::at(begun + within);
    const auto token = fmt::format("row-{}", ++last_);
    const auto how = append(token, until);
    const auto ended = clock::now();
    if (!how)
        return {how.error(), ended - begun, ended};
    for (const auto& one : served.acknowledgements())
        if (one.token == token)
            return {one.at, ended - begun, ended};
    return {make_failure(errc::rejected_by_server, advice::give_up, "no such row there"), {}, {}};
}

expected<void> mirrored_pair::append(const std::string& token, deadline until) {
    auto held = store_->acquire({.intent = intent::write, .until = until});
    if (!held)
        return held.error();
    const std::array<parameter, 1> with = {std::string_view(token)};
    const auto how = held->execute("INSERT INTO ledger VALUES (?)", with, until);
    return how ? expected<void>() : how.error();
}

bool mirrored_pair::writes_at(site which, duration within) {
    const auto until = clock::now() + within;
    while (clock::now() < until) {
        const auto row = write(until - clock::now());
        if (row.where)
            return *row.where == which;
        BOOST_TEST_MESSAGE(to_string(row.where.error()));
    }
    return false;
}

site mirrored_pair::named() {
    return served.with([](simulated_store& of) { return of.named(); });
}

void mirrored_pair::settle() {
    await("the engine to be whole", [this](simulated_store& of) {
        return is_whole(of, synchronous_);
    });
}

void mirrored_pair::await(site which) {
    await("another principal", [which](simulated_store& of) {
        return of.named() == which && of.state(which).writable;
    });
}

void mirrored_pair::await(std::string_view what, const std::function<bool(simulated_store&)>& is) {
    wait_until(std::string(what), patience, [&] { return served.with(is); });
}

void mirrored_pair::await_view(
    std::string_view what, const std::function<bool(const topology&)>& is
) {
    wait_until(std::string(what), patience, [&] { return is(*store_->view()); });
}

expected<void> mirrored_pair::administer(site which, std::string_view statement) {
    return served.with([&](simulated_store& of) { return of.administer(which, statement); });
}

std::vector<std::string> mirrored_pair::told() const {
    const std::lock_guard guard(book_->mutex);
    return book_->lines;
}

bool mirrored_pair::was_told(std::string_view part) const {
    const auto all = told();
    return std::any_of(all.begin(), all.end(), [part](const std::string& line) {
        return line.find(part) != std::string::npos;
    });
}

std::string spare_address() {
    for (int host = 10; host < 250; ++host) {
        const auto text = fmt::format("127.0.{}.1", host);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(usual_port);
        inet_pton(AF_INET, text.c_str(), &at.sin_addr);
        const int one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool spare = bind(one, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
        ::close(one);
        if (spare)
            return text;
    }
    throw std::runtime_error("no address is spare");
}

std::size_t passed_cases() {
    struct counter final : utf::test_tree_visitor {
        std::size_t passed = 0;
        void visit(const utf::test_case& one) override {
            const auto& is = utf::results_collector.results(one.p_id);
            passed += is.p_assertions_passed > 0U && is.passed() ? 1U : 0U;
        }
    } all;
    const auto& running = utf::framework::current_test_case();
    utf::traverse_test_tree(running.p_parent_id, all);
    return all.passed;
}

}
