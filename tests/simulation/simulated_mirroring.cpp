// SPDX-License-Identifier: Apache-2.0
// What the simulated SQL Server pair does by itself: each case is one of the documented situations.
#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <memory>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using testing::commit_step;
using testing::site;

namespace {

using settings = testing::simulated_store::settings;

constexpr std::string_view question = "SELECT 1 FROM sys.database_mirroring";

settings mirrored(settings how = {}) {
    how.kind = engine::sql_server;
    how.ping_period = 100ms;
    how.partner_timeout = 1s;
    return how;
}

struct ended final : completion {
    void completed(expected<void> with) noexcept override {
        how = std::move(with);
        over = true;
    }
    expected<void> how;
    bool over = false;
};

/// Two partners and a witness, and whoever logs in to them.
struct pair {
    explicit pair(settings how = {}) : servers(world, mirrored(std::move(how))) {}

    expected<std::unique_ptr<session>> login(site where, std::string database = {}) {
        target to;
        to.at = testing::simulated_store::at(where, engine::sql_server);
        to.address = "10.0.0." + std::to_string(static_cast<int>(where));
        profile with;
        with.database = "d";
        to.with = std::make_shared<const profile>(std::move(with));
        to.database = std::move(database);
        return by->connect(to, world.now() + 1s, world, nullptr);
    }

    int refusal(site where) {
        const auto how = login(where);
        return how ? 0 : how.error().native;
    }

    std::unique_ptr<session> in(site where, std::string database = {}) {
        auto made = login(where, std::move(database));
        BOOST_REQUIRE(made.has_value());
        return std::move(*made);
    }

    expected<void> run(session& on, std::string_view text, answer& into, duration within = 5s) {
        ended how;
        on.start({text}, into, how);
        const auto until = world.now() + within;
        while (!how.over && world.now() < until) {
            world.wait(on.waits_for().descriptor, readiness::readable, until);
            on.advance();
        }
        if (!how.over)
            return make_failure(errc::deadline_exceeded, advice::verify, "no answer");
        return how.how;
    }

    int error_of(session& on, std::string_view text) {
        answer brought;
        const auto how = run(on, text, brought);
        return how ? 0 : how.error().native;
    }

    bool writes(site where, const std::string& token) {
        auto on = login(where);
        answer brought;
        return on && run(**on, "append " + token, brought).has_value();
    }

    /// A column of what a server says of the mirroring.
    std::string said(site where, std::size_t column) {
        const auto on = in(where, "master");
        answer brought;
        BOOST_REQUIRE(run(*on, question, brought).has_value());
        return std::string(brought.at(0, column).value_or("NULL"));
    }

    int administer(site where, std::string_view what) {
        const auto how = servers.administer(where, "ALTER DATABASE [d] SET " + std::string(what));
        return how ? 0 : how.error().native;
    }

    bool eventually(const std::function<bool()>& what) { return world.eventually(what, 30s); }
    bool whole() {
        return eventually([this] { return servers.protected_now(); });
    }
    void isolate(site one, site two) {
        servers.cut(one, two);
        servers.cut(two, one);
    }
    void rejoin(site one, site two) {
        servers.mend(one, two);
        servers.mend(two, one);
    }

    testing::manual_world world;
    testing::simulated_store servers;
    std::shared_ptr<driver> by = servers.through();
};

}

BOOST_AUTO_TEST_SUITE(the_simulated_sql_server)

BOOST_AUTO_TEST_CASE(lets_in_to_the_principal_alone) {
    pair on;
    BOOST_TEST(on.by->name() == "odbc");
    BOOST_TEST(on.servers.protected_now());
    BOOST_TEST(on.writes(site::one, "x"));
    BOOST_TEST(on.servers.ledger(site::two).size() == 1U);
    BOOST_TEST(on.refusal(site::two) == 954);
    BOOST_TEST((on.login(site::two).error().code == errc::wrong_role));
    BOOST_TEST(on.login(site::two, "master").has_value());
    BOOST_TEST(on.login(site::one, "other").error().native == 4060);
    on.servers.set_door(site::one, testing::simulated_store::door::locked);
    BOOST_TEST(on.refusal(site::one) == 18456);
    on.servers.set_door(site::one, testing::simulated_store::door::full);
    BOOST_TEST(on.refusal(site::one) == 17809);
    on.servers.set_door(site::one, testing::simulated_store::door::starting);
    BOOST_TEST(on.refusal(site::one) == 18401);
    pair other({.mirror_refusal = 4060});
    BOOST_TEST(other.refusal(site::two) == 4060);
}

BOOST_AUTO_TEST_CASE(keeps_its_ledger_out_of_master) {
    pair on;
    const auto held = on.in(site::two, "master");
    BOOST_TEST(on.error_of(*held, "append x") == 208);
    BOOST_TEST(on.error_of(*held, "ledger") == 208);
    BOOST_TEST(on.error_of(*held, "USE [d]") == 954);
    BOOST_TEST(on.error_of(*held, "USE [nothing]") == 911);
    const auto moved = on.in(site::one, "master");
    BOOST_TEST(on.error_of(*moved, "USE [d]") == 0);
    BOOST_TEST(on.error_of(*moved, "append x") == 0);
    BOOST_TEST(on.error_of(*moved, "append once x") == 2627);
    BOOST_TEST(on.administer(site::one, "READ_ONLY") == 0);
    BOOST_TEST(on.error_of(*moved, "UPDATE t SET a = 1") == 3906);
}

BOOST_AUTO_TEST_CASE(says_of_itself_what_its_rights_show, *utf::label("C26")) {
    pair on;
    const std::array<std::string, 16> principal = {
        "master", "ONE", "d", "ONLINE", "READ_WRITE", "1"};
    for (std::size_t i = 0; i < 6; ++i)
        BOOST_TEST(on.said(site::one, i) == principal[i]);
    BOOST_TEST(on.said(site::one, 9) == "1");
    BOOST_TEST(on.said(site::one, 10) == "SYNCHRONIZED");
    BOOST_TEST(on.said(site::one, 12) == "1");
    BOOST_TEST(on.said(site::one, 13) == "TWO");
    BOOST_TEST(on.said(site::one, 14) == "1");
    BOOST_TEST(on.said(site::two, 3) == "RESTORING");
    BOOST_TEST(on.said(site::two, 9) == "NULL");
    BOOST_TEST(on.in(site::one)->reported("failover_partner") == "TWO");
    BOOST_TEST(on.in(site::one, "master")->reported("failover_partner").empty());
    pair seen({.sysadmin = true});
    BOOST_TEST(seen.said(site::two, 9) == "2");
    pair without({.has_witness = false});
    BOOST_TEST(without.said(site::one, 12) == "NULL");
}

BOOST_AUTO_TEST_CASE(passes_all_steps_of_a_commit, *utf::label("F22")) {
    pair on;
    std::vector<commit_step> passed;
    on.servers.watch_commits([&](commit_step step, site, std::string_view) {
        passed.push_back(step);
    });
    const auto held = on.in(site::one);
    BOOST_TEST(on.error_of(*held, "BEGIN TRANSACTION") == 0);
    BOOST_TEST(on.error_of(*held, "append x") == 0);
    BOOST_TEST(on.error_of(*held, "COMMIT TRANSACTION") == 0);
    BOOST_TEST(passed.size() == 7U);
}

// C28, first row; C35.
BOOST_AUTO_TEST_CASE(
    fails_over_by_itself_and_takes_the_old_principal_as_mirror,
    *utf::label("C28") * utf::label("C35")
) {
    pair on;
    BOOST_TEST(on.writes(site::one, "before"));
    on.servers.kill(site::one);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::two; }));
    BOOST_TEST(on.servers.state(site::two).timeline == 2U);
    BOOST_TEST(on.writes(site::two, "after"));
    BOOST_TEST(on.said(site::two, 10) == "DISCONNECTED");
    on.servers.restart(site::one);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.refusal(site::one) == 954);
    BOOST_TEST(on.servers.ledger(site::one).size() == 2U);
}

BOOST_AUTO_TEST_CASE(recovers_before_it_lets_in) {
    pair on({.promotion_time = 500ms});
    on.servers.kill(site::one);
    BOOST_TEST(on.eventually([&] { return !on.servers.state(site::two).in_recovery; }));
    BOOST_TEST(on.refusal(site::two) == 952);
    BOOST_TEST(on.eventually([&] { return on.refusal(site::two) == 0; }));
}

BOOST_AUTO_TEST_CASE(
    kills_the_sessions_of_its_database_when_roles_change, *utf::label("C36") * utf::label("C27")
) {
    pair on;
    const auto held = on.in(site::one);
    const auto kept = on.in(site::one, "master");
    BOOST_TEST(on.error_of(*held, "BEGIN") == 0);
    BOOST_TEST(on.error_of(*held, "append x") == 0);
    BOOST_TEST(on.error_of(*kept, "ALTER DATABASE [d] SET PARTNER FAILOVER") == 0);
    BOOST_TEST(on.error_of(*held, "COMMIT") == 596);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::two; }));
    BOOST_TEST(on.servers.ledger(site::two).empty());
    BOOST_TEST(on.error_of(*kept, question) == 0);
    BOOST_TEST(on.whole());
}

// What C27 and C36 to C38 ask for first.
BOOST_AUTO_TEST_CASE(refuses_a_failover_that_could_lose, *utf::label("C36") * utf::label("C37")) {
    pair on;
    BOOST_TEST(on.administer(site::two, "PARTNER FAILOVER") == 1470);
    BOOST_TEST(on.administer(site::two, "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS") == 1455);
    BOOST_TEST(on.administer(site::one, "PARTNER SUSPEND") == 0);
    BOOST_TEST(on.administer(site::one, "PARTNER FAILOVER") == 1422);
    BOOST_TEST(on.said(site::one, 10) == "SUSPENDED");
    BOOST_TEST(on.administer(site::one, "PARTNER RESUME") == 0);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.administer(site::one, "PARTNER SAFETY OFF") == 0);
    BOOST_TEST(on.administer(site::one, "PARTNER FAILOVER") == 1477);
    BOOST_TEST(on.administer(site::one, "PARTNER SAFETY FULL") == 0);
    BOOST_TEST(on.whole());
    on.isolate(site::one, site::two);
    BOOST_TEST(on.administer(site::one, "PARTNER FAILOVER") == 1447);
}

BOOST_AUTO_TEST_CASE(
    goes_on_without_a_mirror_or_a_witness_and_stops_without_both,
    *utf::label("C20") * utf::label("C31") * utf::label("C32")
) {
    pair on;
    on.servers.kill(site::two);
    BOOST_TEST(on.writes(site::one, "alone"));
    BOOST_TEST(on.said(site::one, 10) == "DISCONNECTED");
    const auto held = on.in(site::one);
    on.servers.kill(site::witness);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::client; }));
    BOOST_TEST(on.refusal(site::one) == 955);
    BOOST_TEST((on.login(site::one).error().code == errc::no_quorum));
    BOOST_TEST(on.error_of(*held, "ledger") == 596);
    BOOST_TEST(on.said(site::one, 9) == "NULL");
    on.servers.restart(site::witness);
    BOOST_TEST(on.eventually([&] { return on.refusal(site::one) == 0; }));
    on.servers.restart(site::two);
    BOOST_TEST(on.whole());
    on.servers.kill(site::witness);
    BOOST_TEST(on.writes(site::one, "unwitnessed"));
    BOOST_TEST(on.eventually([&] { return on.said(site::one, 12) == "2"; }));
    on.servers.kill(site::one);
    on.world.advance(10s);
    BOOST_TEST((on.servers.named() == site::client)); // C28, second row
    on.servers.restart(site::one);
    BOOST_TEST(on.eventually([&] { return on.refusal(site::one) == 0; }));
}

BOOST_AUTO_TEST_CASE(stays_when_only_the_partners_are_parted, *utf::label("C30")) {
    pair on;
    on.isolate(site::one, site::two);
    on.world.advance(10s);
    BOOST_TEST((on.servers.named() == site::one));
    BOOST_TEST(on.writes(site::one, "exposed"));
    on.servers.kill(site::one); // C31: what the mirror lacks is acknowledged.
    on.world.advance(10s);
    BOOST_TEST((on.servers.named() == site::client));
    BOOST_TEST(on.refusal(site::two) == 954);
}

BOOST_AUTO_TEST_CASE(is_not_served_by_a_mirror_that_was_alone, *utf::label("C33")) {
    pair on;
    on.isolate(site::one, site::two);
    on.isolate(site::one, site::witness);
    on.isolate(site::two, site::witness);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::client; }));
    on.world.advance(2s);
    on.rejoin(site::two, site::witness);
    on.world.advance(20s);
    BOOST_TEST((on.servers.named() == site::client));
    BOOST_TEST(on.refusal(site::one) == 955);
    on.rejoin(site::one, site::witness);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::one; }));
}

BOOST_AUTO_TEST_CASE(leaves_a_returning_principal_down_that_lost_its_role, *utf::label("C34")) {
    pair on;
    on.servers.kill(site::one);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::two; }));
    BOOST_TEST(on.writes(site::two, "later"));
    on.servers.kill(site::two);
    on.servers.restart(site::one);
    on.world.advance(20s);
    BOOST_TEST((on.servers.named() == site::client));
    BOOST_TEST(on.refusal(site::one) == 954);
    on.servers.restart(site::two);
    BOOST_TEST(on.whole());
    BOOST_TEST((on.servers.named() == site::two));
    BOOST_TEST(on.servers.ledger(site::one).size() == 1U);
}

BOOST_AUTO_TEST_CASE(holds_commits_back_from_a_mirror_that_is_mute, *utf::label("F39")) {
    pair on;
    on.servers.freeze(site::two);
    const auto held = on.in(site::one);
    answer brought;
    BOOST_TEST(!on.run(*held, "append held", brought, 500ms).has_value());
    BOOST_TEST(on.servers.ledger(site::one).empty());
    on.world.advance(2s); // PARTNER TIMEOUT: the principal goes on exposed.
    BOOST_TEST(on.servers.ledger(site::one).size() == 1U);
    on.servers.thaw(site::two);
    BOOST_TEST(on.whole());
    BOOST_TEST(on.servers.ledger(site::two).size() == 1U);
}

// A principal that was stopped acknowledges nothing that its successor lacks.
BOOST_AUTO_TEST_CASE(lets_no_frozen_principal_acknowledge_alone, *utf::label("F2")) {
    pair on;
    const auto held = on.in(site::one);
    on.servers.freeze(site::one);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::two; }));
    BOOST_TEST(on.writes(site::two, "new"));
    on.world.later(1ms, [&] { on.servers.thaw(site::one); });
    answer brought;
    const auto how = on.run(*held, "append old", brought);
    BOOST_REQUIRE(!how.has_value());
    BOOST_TEST((how.error().code == errc::outcome_unknown));
    BOOST_TEST(on.whole());
    const std::vector<std::string> all = {"new"};
    BOOST_TEST(on.servers.ledger(site::one) == all, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(
    goes_on_alone_once_its_witness_knows_and_not_before, *utf::label("C20") * utf::label("C31")
) {
    pair on;
    const auto held = on.in(site::one);
    on.isolate(site::one, site::witness);
    on.servers.kill(site::two);
    answer brought;
    BOOST_TEST(!on.run(*held, "append lonely", brought).has_value());
    BOOST_TEST(on.servers.counted().exposures == 0U);
    BOOST_TEST(on.refusal(site::one) == 955);
    on.rejoin(site::one, site::witness);
    BOOST_TEST(on.eventually([&] { return on.writes(site::one, "known"); }));
    BOOST_TEST(on.servers.counted().exposures == 1U);
}

BOOST_AUTO_TEST_CASE(
    is_forced_into_service_and_stays_suspended, *utf::label("C37") * utf::label("C38")
) {
    pair on;
    on.isolate(site::one, site::two);
    BOOST_TEST(on.writes(site::one, "exposed"));
    on.servers.kill(site::one);
    on.world.advance(3s);
    on.servers.promote_apart(site::two);
    BOOST_TEST(on.eventually([&] { return on.servers.named() == site::two; }));
    BOOST_TEST(on.servers.state(site::two).timeline == 2U);
    BOOST_TEST(on.writes(site::two, "forced"));
    on.rejoin(site::one, site::two);
    on.servers.restart(site::one);
    on.world.advance(10s);
    BOOST_TEST(on.said(site::two, 10) == "SUSPENDED");
    BOOST_TEST(on.refusal(site::one) == 954);
    BOOST_TEST(on.administer(site::two, "PARTNER RESUME") == 0);
    BOOST_TEST(on.whole());
    const std::vector<std::string> all = {"forced"};
    BOOST_TEST(on.servers.ledger(site::one) == all, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(goes_on_alone_where_no_witness_is_configured, *utf::label("C32")) {
    pair on({.has_witness = false});
    BOOST_TEST(on.servers.protected_now());
    on.servers.kill(site::one);
    on.world.advance(10s);
    BOOST_TEST((on.servers.named() == site::client));
    on.servers.restart(site::one);
    BOOST_TEST(on.whole());
    on.servers.kill(site::two);
    BOOST_TEST(on.writes(site::one, "alone"));
}

BOOST_AUTO_TEST_CASE(refuses_requests_for_what_it_is_not) {
    pair on;
    const auto is_bug = [](const std::function<void()>& request) {
        try {
            request();
        } catch (const std::logic_error& why) {
            return std::string_view(why.what()).starts_with("bug in test: ");
        }
        return false;
    };
    BOOST_TEST(is_bug([&] { on.servers.kill_keeper(site::one); }));
    BOOST_TEST(is_bug([&] { on.servers.set_stale(true); }));
    BOOST_TEST(is_bug([&] { static_cast<void>(on.servers.cancel_waiting(site::one)); }));
    BOOST_TEST(is_bug([&] { on.servers.promote_apart(site::one); }));
    BOOST_TEST(is_bug([&] {
        const testing::simulated_store made(on.world, mirrored({.mirror_refusal = 1}));
    }));
    testing::simulated_store other(on.world);
    BOOST_TEST(is_bug([&] { static_cast<void>(other.administer(site::one, "ALTER")); }));
}

BOOST_AUTO_TEST_SUITE_END()

}
