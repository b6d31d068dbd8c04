// SPDX-License-Identifier: Apache-2.0
#include <hadr/hadr.hpp>
#include <hadr/testing/scripted_adapter.hpp>
#include <hadr/testing/scripted_driver.hpp>

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;

namespace {

/// A store on two servers whose view a test sets.
struct scripted_pair {
    scripted_pair() {
        world->set_name("a", {{"10.0.0.1"}, 1ms});
        world->set_name("b", {{"10.0.0.2"}, 1ms});
        mode = std::make_shared<testing::scripted_adapter>(view_with(0, 1));
        const std::vector servers = {&a, &b};
        auto made = hadr::open(
            "Mode=mirroring;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;Encrypt=disable",
            {.drivers = {std::make_shared<testing::scripted_driver>(*world, servers)},
             .world = world,
             .adapter = mode}
        );
        BOOST_REQUIRE(made.has_value());
        store = std::move(*made);
    }

    ~scripted_pair() { store.reset(); }

    static topology view_with(std::optional<std::size_t> writer, std::uint64_t term) {
        topology made;
        made.state = writer ? availability::serving : availability::action_required;
        made.writer = writer;
        made.accepted = epoch{.lineage = "1", .term = term};
        made.members.resize(2);
        made.members[0].at = {"a", 1, {}};
        made.members[1].at = {"b", 2, {}};
        for (std::size_t i = 0; i < 2; ++i)
            made.members[i].plays = writer == i ? role::primary : role::standby;
        return made;
    }

    expected<lease> take(intent wanted) {
        return store->acquire(
            {.intent = wanted, .until = deadline::in(2s), .primary_fallback = false}
        );
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    testing::fake_server a{{"a", 1, {}}};
    testing::fake_server b{{"b", 2, {}}};
    std::shared_ptr<testing::scripted_adapter> mode;
    std::unique_ptr<connection_manager> store;
};

}

BOOST_AUTO_TEST_SUITE(a_scripted_mode)

BOOST_AUTO_TEST_CASE(gives_sessions_where_the_test_says, *utf::label("E1")) {
    scripted_pair pair;
    const auto first = pair.take(intent::write);
    BOOST_REQUIRE(first.has_value());
    BOOST_TEST(first->server() == pair.a.at);
    BOOST_TEST(pair.take(intent::read)->server() == pair.b.at);

    const auto before = pair.store->view()->version;
    pair.mode->set_view(scripted_pair::view_with(1, 2));
    pair.world->advance(1s);
    BOOST_TEST(pair.take(intent::write)->server() == pair.b.at);
    BOOST_TEST(pair.store->counters().failovers == 1U);
    BOOST_TEST(pair.store->view()->version > before);
}

BOOST_AUTO_TEST_CASE(shows_what_an_application_does_without_a_primary) {
    scripted_pair pair;
    BOOST_TEST(pair.take(intent::write).has_value());
    auto alone = scripted_pair::view_with(std::nullopt, 1);
    alone.cause = "the test took it away";
    pair.mode->set_view(alone);
    pair.world->advance(1s);
    const auto none = pair.take(intent::write);
    BOOST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().message.find(alone.cause) != std::string::npos);
    BOOST_TEST(pair.take(intent::read).has_value());
}

BOOST_AUTO_TEST_CASE(records_what_the_library_wanted_of_it) {
    scripted_pair pair;
    BOOST_TEST(pair.take(intent::write).has_value());
    BOOST_TEST(!pair.store->plan({}).has_value());
    const auto& seen = pair.mode->recorded();
    BOOST_TEST(seen.plans > 0U);
    BOOST_TEST(!seen.events.empty());
    BOOST_TEST(!seen.judged.empty());
    BOOST_TEST(seen.considered.size() == 1U);
}

BOOST_AUTO_TEST_CASE(judges_sessions_as_the_test_says, *utf::label("E4")) {
    scripted_pair pair;
    BOOST_TEST(pair.take(intent::write).has_value());
    pair.mode->judges = [](std::size_t, const answer&) {
        session_standing made;
        made.refused = make_failure(errc::wrong_role, advice::retry, "by the test");
        return made;
    };
    pair.mode->set_view(scripted_pair::view_with(1, 2));
    pair.world->advance(1s);
    BOOST_TEST(!pair.take(intent::write).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
