// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

#include <map>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// What happens at an address.
enum class address_is {
    refusing,
    silent,
};

/// Some addresses of a host are dead; the scripted driver itself looks at names only.
class addressed_driver final : public driver {
public:
    addressed_driver(
        testing::manual_world& in, testing::fake_server& at, std::map<std::string, address_is>& dead
    )
        : inner_(in, {&at})
        , dead_(dead) {}

    std::string_view name() const noexcept override { return "libpq"; }

    expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& by
    ) override {
        tried.push_back(to.address);
        const auto found = dead_.find(to.address);
        if (found == dead_.end())
            return inner_.connect(to, until, through, by);
        if (found->second == address_is::refusing)
            return make_failure(errc::unreachable, advice::retry, to.address + " refused");
        while (through.now() < until)
            through.park(through.self(), until);
        return make_failure(errc::deadline_exceeded, advice::retry, to.address + " is silent");
    }

    std::vector<std::string> tried;

private:
    testing::scripted_driver inner_;
    std::map<std::string, address_is>& dead_;
};

/// A lone server known by name, and a store that is opened on it.
struct named_server {
    std::shared_ptr<testing::manual_world> world_owner = std::make_shared<testing::manual_world>();
    testing::manual_world& world = *world_owner;
    testing::fake_server server{{"db", 1, {}}};
    std::map<std::string, address_is> dead;
    std::shared_ptr<addressed_driver> by = std::make_shared<addressed_driver>(world, server, dead);
    std::unique_ptr<connection_manager> store;

    void open(std::string_view host = "db") {
        auto made = hadr::open(
            "Server=" + std::string(host) + ":1;Database=d;UID=u;Encrypt=disable",
            {.drivers = {by}, .world = world_owner}
        );
        BOOST_TEST_REQUIRE(made.has_value());
        store = std::move(*made);
    }

    expected<lease> take(duration within) {
        return store->acquire({.until = deadline::in(within)});
    }
};

}

BOOST_FIXTURE_TEST_SUITE(names, named_server)

BOOST_AUTO_TEST_CASE(that_do_not_resolve_are_named, *utf::label("F9") * utf::label("P4")) {
    open();
    const auto begun = world.now();
    const auto none = take(2s);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().code == errc::deadline_exceeded);
    BOOST_TEST((none.error().next == advice::retry));
    BOOST_TEST(none.error().message.find("db") != std::string::npos);
    BOOST_TEST((world.now() - begun == 2s));
    BOOST_TEST(by->tried.empty());
}

BOOST_AUTO_TEST_CASE(that_resolve_to_nothing_are_named, *utf::label("F9")) {
    world.set_name("db", {{}, 1ms});
    open();
    const auto none = take(2s);
    BOOST_TEST_REQUIRE(!none.has_value());
    BOOST_TEST(none.error().message.find("db has no address") != std::string::npos);
    BOOST_TEST(by->tried.empty());
}

BOOST_AUTO_TEST_CASE(that_resolve_too_late_keep_nobody, *utf::label("F9") * utf::label("P4")) {
    world.set_name("db", {{"10.0.0.1"}, 1h});
    open();
    const auto begun = world.now();
    BOOST_TEST(!take(3s).has_value());
    BOOST_TEST((world.now() - begun == 3s));
}

BOOST_AUTO_TEST_CASE(that_resolve_after_the_end_harm_nobody, *utf::label("F9") * utf::label("P8")) {
    world.set_name("db", {{"10.0.0.1"}, 3s});
    open();
    world.advance(1ms);
    store.reset();
    world.advance(1h);
    BOOST_TEST(by->tried.empty());
    BOOST_TEST(world.agents() == 0U);
}

BOOST_AUTO_TEST_CASE(are_resolved_anew_for_each_attempt, *utf::label("F9") * utf::label("E9")) {
    world.set_name("db", {{"10.0.0.1"}, 1ms});
    dead["10.0.0.1"] = address_is::refusing;
    open();
    BOOST_TEST(!take(1s).has_value());
    world.set_name("db", {{"10.0.0.2"}, 1ms});
    BOOST_TEST(take(5s).has_value());
    BOOST_TEST(by->tried.front() == "10.0.0.1");
    BOOST_TEST(by->tried.back() == "10.0.0.2");
}

BOOST_AUTO_TEST_CASE(with_dead_first_addresses_reach_the_live_one_in_time, *utf::label("F9")) {
    struct row {
        const char* when;
        address_is first;
        duration most;
    };
    // The watcher's login and the session's own pass the dead ones, 200 ms each where they are
    // silent.
    const row rows[] = {
        {"nobody listens there", address_is::refusing, 100ms},
        {"they are silent", address_is::silent, 2 * 3 * 200ms + 100ms}};
    for (const auto& [when, first, most] : rows)
        BOOST_TEST_CONTEXT(when) {
            world.set_name("db", {{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.9"}, 1ms});
            for (const auto* address : {"127.0.0.2", "127.0.0.3", "127.0.0.4"})
                dead[address] = first;
            open();
            const auto begun = world.now();
            BOOST_TEST(take(5s).has_value());
            BOOST_TEST((world.now() - begun <= most));
            store.reset();
        }
}

BOOST_AUTO_TEST_CASE(that_are_numbers_are_not_asked_for, *utf::label("F9")) {
    testing::fake_server numeric{{"10.0.0.7", 1, {}}};
    by = std::make_shared<addressed_driver>(world, numeric, dead);
    open("10.0.0.7");
    BOOST_TEST(take(1s).has_value());
    BOOST_TEST(by->tried.front() == "10.0.0.7");
    store.reset();
}

// A name of two servers, or a listener that moved: the watcher's login and a session's own may end
// at different ones.
BOOST_AUTO_TEST_CASE(
    that_lead_sessions_elsewhere_leave_the_writer_alone,
    *utf::label("F10") * utf::label("F20") * utf::label("E4")
) {
    simulated_pair pair("Pool_Warm=0");
    bool astray = false;
    pair.reopen("Pool_Warm=0;Pool_Max=4", {.login = [&](target& to) {
                    if (astray && to.why == purpose::lend && to.at.port == 1)
                        to.at = {"b", 2, {}};
                }});
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    astray = true;
    const auto told = pair.told.size();
    const auto logins = pair.b.logins;
    BOOST_TEST(!pair.write(3s).has_value());
    BOOST_TEST(pair.told.size() == told);
    BOOST_TEST((pair.store->view()->writer == 0U));
    BOOST_TEST(pair.b.logins > logins);
    BOOST_TEST(pair.b.logins - logins < 40U);
    answer into;
    BOOST_TEST(held->execute({"append 1"}, into, deadline::in(1s)).has_value());
    astray = false;
    BOOST_TEST(pair.write().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(behind_a_proxy)

BOOST_AUTO_TEST_CASE(every_hand_out_asks_the_session_who_is_there, *utf::label("F53")) {
    struct row {
        const char* declared;
        bool asks;
    };
    for (const auto& [declared, asks] : {row{"Proxy=other_session;", true}, row{"", false}})
        BOOST_TEST_CONTEXT(declared) {
            simulated_pair pair(std::string(declared) + "Pool_Max=1;Pool_Warm=0");
            BOOST_TEST(pair.write().has_value());
            pair.world.advance(10ms);
            const auto before = pair.a.statements;
            const auto begun = pair.world.now();
            BOOST_TEST(pair.write().has_value());
            BOOST_TEST((pair.a.statements > before) == asks);
            BOOST_TEST((pair.world.now() > begun) == asks);
        }
}

BOOST_AUTO_TEST_CASE(
    a_server_swapped_behind_the_socket_is_not_handed_out, *utf::label("F53") * utf::label("E4")
) {
    simulated_pair pair("Proxy=other_session;Pool_Max=1;Pool_Warm=0");
    BOOST_TEST(pair.write().has_value());
    pair.world.advance(10ms);
    pair.a.lineage = "another cluster";
    BOOST_TEST(!pair.write(1s).has_value());
    pair.a.lineage = "1";
    BOOST_TEST(pair.write(10s).has_value());
    pair.a.plays = role::standby;
    BOOST_TEST(!pair.write(1s).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}
