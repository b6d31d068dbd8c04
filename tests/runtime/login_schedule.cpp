// SPDX-License-Identifier: Apache-2.0
// When the whole library logs in to a pair of SQL Server's of which nothing is known, on virtual
// time, and nothing takes any but what is silent.
#include "runtime/tapped_driver.hpp"

#include <hadr/hadr.hpp>
#include <hadr/testing/simulated_store.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test::schedule {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;
using testing::site;
using door = testing::simulated_store::door;

namespace {

struct attempt {
    site at = site::client;
    duration after{};

    friend bool operator==(const attempt&, const attempt&) = default;
};
using attempts = std::vector<attempt>;

std::ostream& operator<<(std::ostream& to, const attempt& one) {
    const auto after = std::chrono::duration_cast<std::chrono::microseconds>(one.after);
    return to << to_string(one.at) << " after " << after.count() << " us";
}

/// Both partners in each of the rounds, who refuse at once.
attempts rounds(std::initializer_list<duration> at) {
    attempts made;
    for (const auto when : at)
        for (const auto which : {site::one, site::two})
            made.push_back({which, when});
    return made;
}

/// Two partners, and when the library began to log in to them, for whatever purpose.
struct sought_pair {
    explicit sought_pair(const std::function<void(testing::simulated_store&)>& before = {}) {
        if (before)
            before(servers);
    }

    ~sought_pair() {
        stores.clear();
        runtime.reset();
        world->advance(2min);
    }

    void open(const std::string& more, const std::string& database = "d") {
        taps with;
        with.login = [this](const target& to) {
            all.push_back({to.at.host == "one" ? site::one : site::two, world->now() - begun});
        };
        auto made = hadr::open(
            "Mode=mirroring;Driver=FreeTDS;Server=one,1433;Failover_Partner=two,1433;UID=u;PWD=p;"
            "Encrypt=disable;Database=" +
                database + ";" + more,
            {.drivers = {std::make_shared<tapped_driver>(servers.through(), std::move(with))},
             .world = world,
             .runtime = runtime}
        );
        BOOST_TEST_REQUIRE(made.has_value());
        stores.push_back(std::move(*made));
    }

    /// Forgets what was, and counts from that time on.
    void begin(duration after) {
        all.clear();
        begun = world->now() + after;
    }

    /// Forgets what was before a login to that place, so many later than its first, and counts from
    /// it.
    void begins_with(site which, int after) {
        const auto first = std::find_if(all.begin(), all.end(), [&](const attempt& one) {
            return one.at == which && after-- == 0;
        });
        BOOST_TEST_REQUIRE((first != all.end()));
        all.erase(all.begin(), first);
        for (const auto begins = all.front().after; auto& one : all)
            one.after -= begins;
    }

    void shows(const attempts& wanted) const {
        BOOST_CHECK_EQUAL_COLLECTIONS(all.begin(), all.end(), wanted.begin(), wanted.end());
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    testing::simulated_store servers{
        *world,
        {.kind = engine::sql_server, .link_delay = {}, .login_time = {}, .answer_time = {}}};
    std::shared_ptr<runtime_handle> runtime = make_runtime(world);
    time_point begun = world->now();
    attempts all;
    std::vector<std::unique_ptr<connection_manager>> stores;
};

void kill_both(testing::simulated_store& servers) {
    servers.kill(site::one);
    servers.kill(site::two);
}

void freeze_both(testing::simulated_store& servers) {
    servers.freeze(site::one);
    servers.freeze(site::two);
}

const auto refused =
    rounds({0ms,     100ms,   300ms,   700ms,  1500ms,  2500ms,  3500ms,  4500ms,  5500ms,
            6500ms,  7500ms,  8500ms,  9500ms, 10500ms, 11500ms, 12500ms, 13500ms,
            14500ms, // A second more would outlast the login time-out,
            15500ms, // which begins anew.
            15600ms, 15800ms, 16200ms, 17000ms});

const attempts initial_mute = {
    {site::one, 0ms},
    {site::two, 1200ms},
    {site::one, 1300ms},
    {site::two, 3700ms},
    {site::one, 3900ms},
    {site::two, 7500ms},
    {site::one, 7900ms},
    {site::two, 12700ms},
    {site::one, 13500ms}, // For 1.5 s, which remain.
    {site::one, 15s}};

const attempts mute = {
    {site::one, 0ms},
    {site::two, 1200ms},
    {site::one, 2500ms},
    {site::two, 4900ms},
    {site::one, 7500ms},
    {site::two, 11100ms},
    {site::one, 15100ms},
    {site::two, 16300ms}};

}

BOOST_AUTO_TEST_SUITE(the_published_schedule_of_logins)

BOOST_AUTO_TEST_CASE(
    is_kept_where_both_partners_refuse,
    *utf::label("C42") * utf::label("C44") * utf::label("C45") * utf::label("F56")
) {
    sought_pair pair(kill_both);
    pair.open("Connect_Timeout=15s");
    pair.world->advance(17s);
    pair.shows(refused);
}

BOOST_AUTO_TEST_CASE(
    is_kept_where_both_partners_are_mute, *utf::label("C42") * utf::label("C44") * utf::label("C50")
) {
    sought_pair pair(freeze_both);
    pair.open("Connect_Timeout=15s");
    pair.world->advance(17s);
    pair.shows(mute);
}

BOOST_AUTO_TEST_CASE(
    gives_the_last_attempt_of_a_login_time_out_what_remains, *utf::label("C44") * utf::label("C50")
) {
    sought_pair pair(freeze_both);
    pair.open("Connect_Timeout=100s");
    pair.world->advance(101s);
    pair.shows(
        {{site::one, 0s},
         {site::two, 8s},
         {site::one, 16100ms},
         {site::two, 32100ms},
         {site::one, 48300ms},
         {site::two, 72300ms},
         {site::one, 96700ms},
         {site::one, 100s}}
    );
}

BOOST_AUTO_TEST_CASE(
    is_kept_where_one_partner_is_mute_and_the_other_refuses,
    *utf::label("C44") * utf::label("C45") * utf::label("F2")
) {
    sought_pair first_mute([](testing::simulated_store& servers) {
        servers.freeze(site::one);
        servers.kill(site::two);
    });
    first_mute.open("Connect_Timeout=15s");
    first_mute.world->advance(16s);
    first_mute.shows(initial_mute);
    sought_pair second_mute([](testing::simulated_store& servers) {
        servers.kill(site::one);
        servers.freeze(site::two);
    });
    second_mute.open("Connect_Timeout=15s");
    second_mute.world->advance(12s);
    second_mute.shows(
        {{site::one, 0ms},
         {site::two, 0ms},
         {site::one, 1300ms},
         {site::two, 1300ms},
         {site::one, 3900ms},
         {site::two, 3900ms},
         {site::one, 7900ms},
         {site::two, 7900ms}}
    );
}

BOOST_AUTO_TEST_CASE(
    begins_once_all_watchers_have_been_blind_for_a_second,
    *utf::label("C44") * utf::label("C45") * utf::label("F56")
) {
    for (const duration outage : {1s, 5s}) { // From the search, and from an earlier schedule.
        sought_pair pair;
        pair.open("Connect_Timeout=15s;Pool_Warm=2");
        pair.world->advance(2s);
        BOOST_TEST_REQUIRE(pair.stores.front()->acquire({}).has_value());
        if (outage > 1s) {
            kill_both(pair.servers);
            pair.world->advance(outage);
            pair.servers.heal();
            BOOST_TEST_REQUIRE(pair.world->eventually([&] {
                return pair.stores.front()->view()->writer.has_value();
            }));
            pair.world->advance(2s);
        }
        kill_both(pair.servers);
        pair.world->advance(1s - 1ns); // The search.
        pair.begin(1ns);
        pair.world->advance(17100ms);
        pair.shows(refused);
    }
}

BOOST_AUTO_TEST_CASE(
    begins_when_the_login_under_way_has_ended, *utf::label("C44") * utf::label("F2")
) {
    sought_pair pair;
    pair.open("Connect_Timeout=15s");
    pair.world->advance(2s);
    freeze_both(pair.servers);
    pair.begin(0s);
    pair.world->advance(19s);
    // Each watcher searches with one login before, which lasts as long as a suspicion.
    pair.begins_with(site::one, 1);
    pair.shows(mute);
}

BOOST_AUTO_TEST_CASE(
    is_disturbed_by_nothing_that_the_search_wanted, *utf::label("C44") * utf::label("F2")
) {
    sought_pair pair;
    pair.open("Connect_Timeout=15s");
    pair.world->advance(2s);
    pair.servers.freeze(site::one);
    pair.servers.kill(site::two);
    pair.begin(0s);
    pair.world->advance(18s);
    pair.begins_with(site::one, 1);
    pair.shows(initial_mute);
}

BOOST_AUTO_TEST_CASE(repeats_no_password_that_was_refused, *utf::label("F26") * utf::label("C44")) {
    sought_pair both([](testing::simulated_store& servers) {
        servers.set_door(site::one, door::locked);
        servers.set_door(site::two, door::locked);
    });
    both.open("Connect_Timeout=15s");
    both.world->advance(59s);
    both.shows(rounds({0s}));
    sought_pair first([](testing::simulated_store& servers) {
        servers.set_door(site::one, door::locked);
        servers.kill(site::two);
    });
    first.open("Connect_Timeout=15s");
    first.world->advance(3s);
    first.shows(
        {{site::one, 0ms},
         {site::two, 0ms},
         {site::two, 100ms},
         {site::two, 300ms},
         {site::two, 700ms},
         {site::two, 1500ms},
         {site::two, 2500ms}}
    );
    first.world->advance(56s);
    BOOST_TEST(std::count_if(first.all.begin(), first.all.end(), [](const attempt& one) {
                   return one.at == site::one;
               }) == 1);
}

BOOST_AUTO_TEST_CASE(is_one_for_all_stores_of_a_pair, *utf::label("F56") * utf::label("P2")) {
    sought_pair pair(kill_both);
    for (const auto* database : {"d", "e", "f", "d"})
        pair.open("Connect_Timeout=15s", database);
    pair.world->advance(17s);
    pair.shows(refused);
}

BOOST_AUTO_TEST_SUITE_END()

}
