// SPDX-License-Identifier: Apache-2.0
#include "platform/resolver.hpp"

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using platform::resolver;

namespace {

constexpr auto patience = 20s;

time_point in(duration length) {
    return std::chrono::steady_clock::now() + length;
}

/// A name service of our own, of whose names some hang until they are let go. Its look-ups outlive
/// the resolver, as those of the system do.
class name_service {
public:
    explicit name_service(std::set<std::string> hanging) : hanging_(std::move(hanging)) {}

    world::addresses answer(const std::string& host) {
        std::unique_lock lock(mutex_);
        ++asked_[host];
        changed_.notify_all();
        changed_.wait(lock, [&] { return !hanging_.contains(host); });
        return std::vector<std::string>{"10.0.0.1"};
    }

    void let_go() {
        const std::lock_guard guard(mutex_);
        hanging_.clear();
        changed_.notify_all();
    }

    int asked(const std::string& host) {
        const std::lock_guard guard(mutex_);
        return asked_[host];
    }

    bool wait_until_asked(const std::string& host, int times) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] { return asked_[host] >= times; });
    }

private:
    std::mutex mutex_; // Guards everything below.
    std::condition_variable changed_;
    std::set<std::string> hanging_;
    std::map<std::string, int> asked_;
};

struct fixture {
    std::shared_ptr<name_service> names = std::make_shared<name_service>(std::set<std::string>{
        "stuck", "stuck1", "stuck2", "stuck3", "stuck4", "stuck5"});
    resolver by =
        resolver([names = names](const std::string& host) { return names->answer(host); }, 50ms);

    ~fixture() { names->let_go(); }

    std::future<world::addresses> ask(std::string host, duration within = patience) {
        auto told = std::make_shared<std::promise<world::addresses>>();
        auto later = told->get_future();
        by.resolve(std::move(host), in(within), [told](world::addresses found) {
            told->set_value(std::move(found));
        });
        return later;
    }
};

}

BOOST_FIXTURE_TEST_SUITE(the_resolver, fixture)

BOOST_AUTO_TEST_CASE(answers_one_name_while_others_hang, *utf::label("F9")) {
    std::vector<std::future<world::addresses>> stuck;
    for (const auto* host : {"stuck1", "stuck2", "stuck3", "stuck4", "stuck5"})
        for (int i = 0; i < 20; ++i)
            stuck.push_back(ask(host, 10min));
    const auto found = ask("db1").get();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(found->front() == "10.0.0.1");
    names->let_go();
    for (auto& one : stuck)
        BOOST_TEST(one.get().has_value());
}

BOOST_AUTO_TEST_CASE(asks_once_for_all_who_ask_meanwhile, *utf::label("F9")) {
    resolver patient([names = names](const std::string& host) { return names->answer(host); }, 1h);
    std::vector<std::future<world::addresses>> all;
    for (int i = 0; i < 50; ++i) {
        auto told = std::make_shared<std::promise<world::addresses>>();
        all.push_back(told->get_future());
        patient.resolve("stuck", in(10min), [told](world::addresses found) {
            told->set_value(std::move(found));
        });
    }
    BOOST_TEST(names->wait_until_asked("stuck", 1));
    names->let_go();
    for (auto& one : all)
        BOOST_TEST(one.get().has_value());
    BOOST_TEST(names->asked("stuck") == 1);
}

BOOST_AUTO_TEST_CASE(asks_anew_once_where_a_look_up_hangs_and_no_more, *utf::label("F9")) {
    const auto ask_and_wait = [&] {
        const auto none = ask("stuck", 60ms).get(); // Longer than is usual.
        BOOST_TEST_REQUIRE(!none.has_value());
        BOOST_TEST(none.error().native == local_cause);
    };
    const auto until = in(patience);
    while (names->asked("stuck") < resolver::per_host_max && in({}) < until)
        ask_and_wait();
    for (int i = 0; i < 3; ++i)
        ask_and_wait();
    BOOST_TEST(names->asked("stuck") == resolver::per_host_max);
}

BOOST_AUTO_TEST_CASE(answers_by_the_deadline_whatever_hangs, *utf::label("F9") * utf::label("T2")) {
    const auto none = ask("stuck", 10ms).get();
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::unreachable);
    BOOST_TEST((none.error().next == advice::retry));
    BOOST_TEST(none.error().native == local_cause);
    BOOST_TEST(none.error().message.find("stuck") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(takes_a_bounded_number_of_questions, *utf::label("F9")) {
    std::vector<std::future<world::addresses>> all;
    for (std::size_t i = 0; i < resolver::questions_max; ++i)
        all.push_back(ask("stuck", 10min));
    const auto refused = ask("db1").get();
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().native == local_cause);
    BOOST_TEST(ask("10.0.0.7").get().value().front() == "10.0.0.7", "a number is its own answer");
}

BOOST_AUTO_TEST_CASE(by_the_system_knows_this_machine) {
    resolver real;
    std::promise<world::addresses> told;
    real.resolve("localhost", in(patience), [&](world::addresses found) {
        told.set_value(std::move(found));
    });
    const auto found = told.get_future().get();
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST((found->front() == "127.0.0.1" || found->front() == "::1"));
}

BOOST_AUTO_TEST_SUITE_END()

}
