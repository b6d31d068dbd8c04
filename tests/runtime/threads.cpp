// SPDX-License-Identifier: Apache-2.0
#include <hadr/hadr.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

/// What all sessions of the instant driver share: two members, one of them the primary.
struct instant_state {
    std::atomic<int> primary{0};
    std::atomic<std::uint64_t> timeline{1};
    std::atomic<int> open{0};
    std::atomic<std::uint64_t> lent_twice{0};
};

/// Ends every statement in start(), so that nothing but the library's own code runs.
class instant_session final : public session {
public:
    instant_session(std::shared_ptr<instant_state> of, int member)
        : of_(std::move(of))
        , member_(member) {
        ++of_->open;
    }

    ~instant_session() override { --of_->open; }

    void start(const statement& what, answer& into, completion& done) override {
        const bool shared = in_use_.exchange(true);
        of_->lent_twice += shared ? 1U : 0U;
        into.clear();
        if (what.text.find("pg_is_in_recovery()") != std::string_view::npos)
            describe(into);
        if (what.text == "who")
            into.add_column("member"), into.add_value(member_ == 0 ? "0" : "1");
        into.finish("OK", 0, transaction_status::idle);
        in_use_ = shared;
        done.completed({});
    }

    waiting waits_for() const noexcept override { return {}; }
    void advance() override {}
    void sever() noexcept override { severed_ = true; }
    expected<void> request_cancel(time_point) override { return {}; }
    bool usable() const noexcept override { return !severed_; }
    transaction_status transaction() const noexcept override { return transaction_status::idle; }
    std::string_view reported(std::string_view) const noexcept override { return {}; }
    std::optional<push> take_push() override { return std::nullopt; }
    void* native() noexcept override { return nullptr; }
    bool closes_slowly() const noexcept override { return false; }
    void abandon() noexcept override {}

private:
    void describe(answer& into) const {
        const bool primary = of_->primary == member_;
        for (int i = 0; i < 10; ++i)
            into.add_column("c");
        const auto timeline = std::to_string(of_->timeline.load());
        into.add_value(primary ? "f" : "t");
        into.add_value(primary ? "off" : "on");
        into.add_value("1");
        into.add_value(primary ? std::optional<std::string_view>(timeline) : std::nullopt);
        into.add_value(timeline);
        into.add_value("1");
        into.add_value("f");
        for (int i = 0; i < 3; ++i)
            into.add_value(primary ? std::optional<std::string_view>("1") : std::nullopt);
    }

    std::shared_ptr<instant_state> of_;
    const int member_;
    std::atomic<bool> severed_{false};
    std::atomic<bool> in_use_{false};
};

class instant_driver final : public driver {
public:
    explicit instant_driver(std::shared_ptr<instant_state> of) : of_(std::move(of)) {}

    std::string_view name() const noexcept override { return "libpq"; }

    expected<std::unique_ptr<session>>
    connect(const target& to, time_point, world&, const std::shared_ptr<executor>&) override {
        return std::unique_ptr<session>(
            std::make_unique<instant_session>(of_, to.at.port == 1 ? 0 : 1)
        );
    }

private:
    std::shared_ptr<instant_state> of_;
};

}

BOOST_AUTO_TEST_SUITE(real_threads)

BOOST_AUTO_TEST_CASE(
    share_a_pool_through_failovers, *utf::label("P1") * utf::label("P3") * utf::label("E1")
) {
    auto state = std::make_shared<instant_state>();
    auto store = hadr::open(
        "Mode=mirroring;Server=127.0.0.1:1;Failover_Partner=127.0.0.1:2;Database=d;UID=u;Pool_Max="
        "6;"
        "Connects_Per_Second=10000;Watch_Interval=10ms",
        {.drivers = {std::make_shared<instant_driver>(state)}}
    );
    BOOST_TEST_REQUIRE(store.has_value());
    std::atomic<std::uint64_t> served{0};
    std::atomic<std::uint64_t> failed{0};
    std::atomic<std::uint64_t> went_back{0};
    std::atomic<std::uint64_t> elsewhere{0};
    std::atomic<bool> settled{false};
    {
        std::vector<std::jthread> callers;
        for (int i = 0; i < 16; ++i)
            callers.emplace_back([&](const std::stop_token& stop) {
                std::uint64_t highest = 0;
                while (!stop.stop_requested()) {
                    const bool calm = settled;
                    auto held = (*store)->acquire({.until = deadline::in(5s)});
                    if (!held) {
                        ++failed;
                        continue;
                    }
                    const auto number = held->acceptance();
                    went_back += number < highest ? 1U : 0U;
                    highest = std::max(highest, number);
                    const auto who = held->execute("who");
                    const auto primary = std::to_string(state->primary.load());
                    if (calm && settled && who && who->at(0, 0) != primary)
                        ++elsewhere;
                    ++served;
                }
            });
        for (int round = 0; round < 10; ++round) {
            std::this_thread::sleep_for(50ms);
            settled = false;
            state->timeline += 1;
            state->primary = 1 - state->primary;
            std::this_thread::sleep_for(100ms);
            // Not by the time that passed: the machine may be busy.
            settled = (*store)->view()->writer == static_cast<std::size_t>(state->primary);
        }
        std::this_thread::sleep_for(50ms);
    }
    BOOST_TEST(served > 1000U);
    BOOST_TEST(failed == 0U);
    BOOST_TEST(went_back == 0U);
    BOOST_TEST(elsewhere == 0U);
    BOOST_TEST(state->lent_twice == 0U);
    BOOST_TEST((*store)->counters().sessions_lent_now == 0U);
    BOOST_TEST((*store)->close() == 0U);
}

BOOST_AUTO_TEST_CASE(open_and_close_stores_at_once, *utf::label("P8")) {
    auto state = std::make_shared<instant_state>();
    std::atomic<int> served{0};
    std::atomic<int> stuck{0};
    {
        std::vector<std::jthread> callers;
        for (int i = 0; i < 16; ++i)
            callers.emplace_back([&] {
                for (int n = 0; n < 10; ++n) {
                    auto store = hadr::open(
                        "Server=127.0.0.1:1;Database=d;UID=u",
                        {.drivers = {std::make_shared<instant_driver>(state)}}
                    );
                    if (!store)
                        continue;
                    served += (*store)->acquire({.until = deadline::in(5s)}).has_value() ? 1 : 0;
                    stuck += static_cast<int>((*store)->close());
                }
            });
    }
    BOOST_TEST(served == 160);
    BOOST_TEST(stuck == 0);
}

BOOST_AUTO_TEST_CASE(
    leave_no_session_behind_that_comes_back_during_a_close, *utf::label("P8") * utf::label("F55")
) {
    auto state = std::make_shared<instant_state>();
    for (int round = 0; round < 100; ++round) {
        auto store = hadr::open(
            "Server=127.0.0.1:1;Database=d;UID=u;Connects_Per_Second=10000",
            {.drivers = {std::make_shared<instant_driver>(state)}}
        );
        BOOST_TEST_REQUIRE(store.has_value());
        std::vector<std::jthread> callers;
        for (int i = 0; i < 4; ++i)
            callers.emplace_back([&] {
                while ((*store)->acquire({.until = deadline::in(5s)}).has_value()) {
                }
            });
        std::this_thread::sleep_for(1ms);
        BOOST_TEST((*store)->close() == 0U);
    }
    BOOST_TEST(state->open == 0);
}

BOOST_AUTO_TEST_CASE(tell_the_time_by_the_monotonic_clock, *utf::label("T1") * utf::label("F11")) {
    const auto before = std::chrono::steady_clock::now();
    const auto now = real_world()->now();
    const auto coarse = real_world()->coarse_now();
    const auto glanced = real_world()->look().at;
    const auto after = std::chrono::steady_clock::now();
    BOOST_TEST((before <= now && now <= after));
    BOOST_TEST((before - 1s <= coarse && coarse <= after));
    BOOST_TEST((coarse <= glanced && glanced <= after));
}

BOOST_AUTO_TEST_CASE(have_places_of_their_own_which_later_ones_take_over) {
    const auto places_of = [](std::size_t count) {
        std::vector<std::size_t> places(count);
        std::vector<std::thread> all;
        std::barrier together(static_cast<std::ptrdiff_t>(count));
        for (auto& place : places)
            all.emplace_back([&] {
                place = real_world()->look().place;
                together.arrive_and_wait();
                if (place != real_world()->look().place)
                    place = real_world()->look().place + 1'000'000;
            });
        for (auto& one : all)
            one.join();
        std::sort(places.begin(), places.end());
        return places;
    };
    const auto first = places_of(16);
    BOOST_TEST((std::adjacent_find(first.begin(), first.end()) == first.end()));
    BOOST_TEST(first.back() < 1'000U);
    BOOST_TEST(places_of(16).back() <= first.back());
}

BOOST_AUTO_TEST_CASE(begin_where_they_found_a_session_last) {
    constexpr std::size_t far = 1'000'000;
    std::size_t settled = 0;
    std::thread([&] {
        real_world()->settle(far);
        settled = real_world()->look().place;
    }).join();
    std::size_t next = far;
    std::thread([&] { next = real_world()->look().place; }).join(); // With what the first one had.
    BOOST_TEST(settled == far);
    BOOST_TEST(next < far);
}

BOOST_AUTO_TEST_SUITE_END()

}
