// SPDX-License-Identifier: Apache-2.0
#include "support/auto_failover.hpp"
#include "support/clients.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <thread>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

/// One cluster for all cases of the suite; none of them changes it for good.
std::unique_ptr<auto_failover_cluster> engine;

struct one_engine {
    one_engine() { engine = std::make_unique<auto_failover_cluster>(); }
    ~one_engine() { engine.reset(); }
};

std::string with_witness(int primary, int mirror, std::string_view more = {}) {
    return mirroring_string(
        primary,
        mirror,
        fmt::format("Witness=pg_auto_failover:127.0.0.1:{};{}", engine->monitor_port(), more)
    );
}

std::string of_engine(std::string_view more = {}) {
    return with_witness(engine->port(0), engine->port(1), more);
}

endpoint primary_of_engine() {
    return {"127.0.0.1", static_cast<std::uint16_t>(engine->port(engine->primary())), {}};
}

}

BOOST_AUTO_TEST_SUITE(a_witness_that_is_none, *utf::fixture<one_engine>())

BOOST_AUTO_TEST_CASE(because_it_is_of_another_formation_or_group, *utf::label("E9")) {
    for (const auto* wrong : {"Witness_Formation=other", "Witness_Group=7"}) {
        const observed_store store(of_engine(wrong));
        const auto held = store.write(); // On the word of both members (rulings 12).
        BOOST_TEST_REQUIRE(held.has_value());
        BOOST_TEST(held->server() == primary_of_engine());
        wait_until("the witness to be heard", 5s, [&] {
            return store->view()->witness == witness_state::lost;
        });
        wait_until("that to be told", 5s, [&] {
            return store.count(event_kind::foreign_member) == 1U;
        });
        BOOST_TEST((store->view()->accepted->strength == proof::both_members));
    }
}

BOOST_AUTO_TEST_CASE(because_it_is_of_another_cluster, *utf::label("E9") * utf::label("C43")) {
    postgres_pair others(postgres_pair::replication::asynchronous);
    const observed_store store(with_witness(others.first().port(), others.second().port()));
    // Before it is heard, the word of both members is enough (rulings 12).
    wait_until("the witness to be heard", 5s, [&] {
        return store->view()->witness == witness_state::connected;
    });
    const auto refused = store.write(2s);
    BOOST_TEST_REQUIRE(!refused.has_value());
    const auto named = to_string(primary_of_engine());
    BOOST_TEST_CONTEXT(to_string(refused.error()))
    BOOST_TEST(refused.error().message.find(named) != std::string::npos); // Whom it would name.
    BOOST_TEST(!store->view()->writer.has_value());
}

BOOST_AUTO_TEST_CASE(or_a_partner_that_is_of_another_cluster, *utf::label("E9")) {
    const temporary_folder folder("hadr-foreign");
    postgres_server foreign(folder, "foreign");
    foreign.start();
    const auto primary = primary_of_engine();
    const observed_store store(with_witness(primary.port, foreign.port()));
    for (int i = 0; i < 20; ++i) {
        for (const auto& held : {store.write(), store.read()}) {
            BOOST_TEST_REQUIRE(held.has_value());
            BOOST_TEST(held->server() == primary);
        }
        std::this_thread::sleep_for(20ms);
    }
    BOOST_TEST(store.count(event_kind::foreign_member) == 1U);
    BOOST_TEST(store->view()->members[1].refused);
}

BOOST_AUTO_TEST_CASE(
    because_it_refuses_the_password_and_the_primary_serves_all_the_same,
    *utf::label("E10") * utf::label("F18") * utf::label("F26")
) {
    must(engine->monitor_port(), "create role looker login password 'right'", "pg_auto_failover");
    must(engine->monitor_port(), "grant autoctl_node to looker", "pg_auto_failover");
    engine->prepend_monitor_access("host pg_auto_failover looker 127.0.0.0/8 scram-sha-256");
    const observed_store store(of_engine("Witness_UID=looker;Witness_PWD=wrong"));
    const auto held = store.write();
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(held->server() == primary_of_engine());
    wait_until("the witness to be missed", 5s, [&] {
        return store->view()->witness == witness_state::lost;
    });
    BOOST_TEST(store->view()->witness_trouble->sqlstate == "28P01");
    BOOST_TEST(store.count(event_kind::login_refused) == 0U); // No member refuses anything.
    const observed_store right(of_engine("Witness_UID=looker;Witness_PWD=right"));
    BOOST_TEST(right.write().has_value());
    wait_until("the witness to be heard", 5s, [&] {
        const auto view = right->view();
        return view->witness == witness_state::connected &&
               view->accepted->strength == proof::engine_named;
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
