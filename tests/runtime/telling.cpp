// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

#include <stdexcept>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr const char* to_a = "Mode=standalone;Server=a:1;Database=d;UID=u;Encrypt=disable;";

/// Stores of one runtime on one server, each with a log.
struct telling_stores {
    explicit telling_stores(std::uint64_t seed = 1)
        : in(std::make_shared<testing::manual_world>(seed)) {
        in->set_name("a", {{"10.0.0.1"}, 1ms});
    }

    ~telling_stores() {
        runtime.reset();
        in->advance(1min);
    }

    std::unique_ptr<connection_manager>
    open(const std::string& more, listener on_event, log_sink log = {}) {
        auto made = hadr::open(
            to_a + more,
            {.drivers = {std::make_shared<testing::scripted_driver>(*in, std::vector{&a})},
             .world = in,
             .runtime = runtime,
             .on_event = std::move(on_event),
             .log = std::move(log)}
        );
        BOOST_TEST_REQUIRE(made.has_value());
        in->advance(100ms);
        return std::move(*made);
    }

    // Two lines a round: the primary is lost, and back.
    void make_noise(connection_manager& in_store, int rounds) {
        for (int i = 0; i < rounds; ++i) {
            BOOST_TEST(in_store.offline(a.at).has_value());
            in->advance(1ms);
            BOOST_TEST(in_store.online(a.at).has_value());
            in->advance(1ms);
        }
    }

    std::shared_ptr<testing::manual_world> in;
    testing::fake_server a{{"a", 1, {}}};
    std::shared_ptr<runtime_handle> runtime = make_runtime(in);
};

}

BOOST_AUTO_TEST_SUITE(telling)

BOOST_AUTO_TEST_CASE(ends_with_the_store, *utf::label("P8") * utf::label("F55")) {
    telling_stores all;
    const auto other = all.open("Store_Name=other", {});
    bool gone = false;
    int late = 0;
    std::vector<event_kind> told;
    auto store = all.open("Store_Name=one", [&](const event& what) {
        late += gone ? 1 : 0;
        told.push_back(what.what);
    });
    store.reset();
    gone = true;
    BOOST_TEST_REQUIRE(!told.empty());
    BOOST_TEST((told.back() == event_kind::closed));
    all.in->advance(1min);
    BOOST_TEST(late == 0);
}

BOOST_AUTO_TEST_CASE(ends_the_log_with_the_store, *utf::label("P8") * utf::label("F55")) {
    telling_stores all;
    const auto other = all.open("Store_Name=other", {});
    bool gone = false;
    int late = 0;
    std::vector<std::string> lines;
    auto store = all.open("Store_Name=one", {}, [&](log_level, std::string_view line) {
        late += gone ? 1 : 0;
        lines.emplace_back(line);
    });
    store.reset();
    gone = true;
    BOOST_TEST_REQUIRE(!lines.empty());
    BOOST_TEST(lines.back().find("closed") != std::string::npos);
    all.in->advance(1min);
    BOOST_TEST(late == 0);
}

BOOST_AUTO_TEST_CASE(
    keeps_no_close_waiting_beyond_its_deadline, *utf::label("P8") * utf::label("T2")
) {
    telling_stores all;
    bool blocks = false;
    int calls = 0;
    auto& in = *all.in;
    auto store = all.open("Close_Timeout=2s", [&](const event&) {
        ++calls;
        for (const auto until = in.now() + 1h; blocks && in.now() < until;)
            in.park(in.self(), until);
    });
    auto handle = store->subscribe([](const event&) {});
    blocks = true;
    BOOST_TEST(store->offline(all.a.at).has_value());
    in.advance(10ms);
    const auto begun = in.now();
    handle.reset(); // Its own listener is not the one that blocks.
    BOOST_TEST((in.now() == begun));
    const auto calls_then = calls;
    store.reset();
    BOOST_TEST((in.now() - begun == 2s));
    in.advance(2h);
    BOOST_TEST(calls == calls_then);
}

BOOST_AUTO_TEST_CASE(
    keeps_nobody_waiting_for_a_listener_that_blocks, *utf::label("T2") * utf::label("F45")
) {
    telling_stores all;
    bool blocks = true;
    auto& in = *all.in;
    auto store = all.open("Close_Timeout=3s", {});
    auto handle = store->subscribe([&](const event&) {
        for (const auto until = in.now() + 1h; blocks && in.now() < until;)
            in.park(in.self(), until);
    });
    BOOST_TEST(store->offline(all.a.at).has_value());
    in.advance(10ms);
    const auto begun = in.now();
    handle.reset();
    BOOST_TEST((in.now() - begun == 3s));
    blocks = false;
    in.advance(2h);
}

BOOST_AUTO_TEST_CASE(
    may_close_the_store_from_within, *utf::label("F45") * utf::label("P8") * utf::label("P11")
) {
    simulated_pair pair;
    BOOST_TEST(pair.write().has_value());
    std::vector<event_kind> told;
    const auto handle = pair.store->subscribe([&](const event& what) {
        told.push_back(what.what);
        if (what.what == event_kind::primary_lost)
            BOOST_TEST(pair.store->close() == 0U);
    });
    pair.a.kill();
    pair.world.advance(10s);
    BOOST_TEST(pair.write().error().code == errc::closed);
    BOOST_TEST_REQUIRE(!told.empty());
    BOOST_TEST((told.back() == event_kind::closed));
    BOOST_TEST(pair.count(event_kind::closed) == 1U);
}

BOOST_AUTO_TEST_CASE(may_destroy_the_store_from_within, *utf::label("F45") * utf::label("P8")) {
    telling_stores all;
    std::unique_ptr<connection_manager> store;
    store = all.open({}, [&](const event& what) {
        if (what.what == event_kind::primary_lost)
            store.reset();
    });
    BOOST_TEST(store->offline(all.a.at).has_value());
    all.in->advance(10s);
    BOOST_TEST(!store);
}

BOOST_AUTO_TEST_CASE(coalesces_what_a_slow_listener_misses, *utf::label("F45") * utf::label("S2")) {
    telling_stores all;
    bool blocks = false;
    std::uint64_t counted = 0;
    std::shared_ptr<const topology> last;
    auto& in = *all.in;
    const auto store = all.open({}, [&](const event& what) {
        counted += what.count;
        last = what.view;
        while (blocks)
            in.park(in.self(), in.now() + 1s);
    });
    blocks = true;
    all.make_noise(*store, 500);
    BOOST_TEST(store->counters().events_coalesced > 0U);
    const auto events = store->counters().events;
    blocks = false;
    in.advance(10s);
    BOOST_TEST(counted == events);
    BOOST_TEST_REQUIRE(last != nullptr);
    BOOST_TEST(last->version == store->view()->version);
}

BOOST_AUTO_TEST_CASE(logs_each_event_with_its_level) {
    telling_stores all;
    std::vector<std::pair<log_level, std::string>> lines;
    const auto store = all.open({}, {}, [&](log_level level, std::string_view line) {
        lines.emplace_back(level, line);
    });
    all.make_noise(*store, 1);
    const auto has = [&](log_level level, std::string_view word) {
        return std::any_of(lines.begin(), lines.end(), [&](const auto& one) {
            return one.first == level && one.second.find(word) != std::string::npos;
        });
    };
    BOOST_TEST(has(log_level::info, "opened"));
    BOOST_TEST(has(log_level::error, "primary_lost"));
    BOOST_TEST(has(log_level::info, "primary_returned"));
}

BOOST_AUTO_TEST_CASE(limits_the_lines_of_each_store_by_itself, *utf::label("F45")) {
    telling_stores all;
    std::vector<std::string> loud_lines;
    std::vector<std::string> quiet_lines;
    const auto into = [](std::vector<std::string>& lines) {
        return [&](log_level, std::string_view line) { lines.emplace_back(line); };
    };
    const auto loud = all.open("Store_Name=loud", {}, into(loud_lines));
    const auto quiet = all.open("Store_Name=quiet", {}, into(quiet_lines));
    all.in->advance(2s);
    loud_lines.clear();
    all.make_noise(*loud, 100); // 200 lines in 0.2 s.
    BOOST_TEST(loud_lines.size() <= 102U);
    BOOST_TEST(loud->counters().log_lines_dropped >= 98U);
    BOOST_TEST(quiet->counters().log_lines_dropped == 0U);
    all.in->advance(2s);
    all.make_noise(*quiet, 1);
    all.make_noise(*loud, 1);
    const auto tells = [](const std::vector<std::string>& lines) {
        return std::any_of(lines.begin(), lines.end(), [](const std::string& one) {
            return one.find("log lines were dropped") != std::string::npos;
        });
    };
    BOOST_TEST(tells(loud_lines));
    BOOST_TEST(!tells(quiet_lines));
}

BOOST_AUTO_TEST_CASE(keeps_no_more_lines_than_its_bound, *utf::label("F45")) {
    telling_stores all;
    bool blocks = true;
    std::size_t lines = 0;
    auto& in = *all.in;
    const auto store = all.open({}, {}, [&](log_level, std::string_view) {
        ++lines;
        while (blocks)
            in.park(in.self(), in.now() + 1s);
    });
    for (int i = 0; i < 20; ++i) {
        all.make_noise(*store, 40);
        in.advance(1s);
    }
    blocks = false;
    in.advance(10s);
    BOOST_TEST(lines <= 300U);
    BOOST_TEST(store->counters().log_lines_dropped >= 1000U);
}

BOOST_AUTO_TEST_CASE(survives_a_log_that_throws, *utf::label("F44")) {
    telling_stores all;
    const auto store = all.open({}, {}, [](log_level, std::string_view) -> void {
        throw std::runtime_error("no");
    });
    all.make_noise(*store, 2);
    BOOST_TEST(store->counters().log_lines_dropped >= 4U);
    BOOST_TEST(store->acquire({.until = deadline::in(1s)}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
