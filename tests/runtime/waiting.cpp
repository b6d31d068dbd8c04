// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"
#include "runtime/tapped_driver.hpp"

#include <hadr/hadr.hpp>
#include <hadr/testing/scripted_driver.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;

namespace {

/// A driver under the name that SQL Server's stores want.
class called_odbc final : public driver {
public:
    explicit called_odbc(std::shared_ptr<driver> inner) : inner_(std::move(inner)) {}

    std::string_view name() const noexcept override { return "odbc"; }

    expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& by
    ) override {
        return inner_->connect(to, until, through, by);
    }

private:
    const std::shared_ptr<driver> inner_;
};

struct login {
    std::string host;
    std::string database;
    purpose why;
};

constexpr std::string_view moving = "USE [d]; ";

/// Two servers of SQL Server's, the mirror of which refuses its database.
struct sql_server_pair {
    sql_server_pair() {
        world->set_name("a", {{"10.0.0.1"}, 1ms});
        world->set_name("b", {{"10.0.0.2"}, 1ms});
        for (auto* one : {&a, &b})
            one->answers = [this, one](std::string_view text, answer& into) {
                return answers(*one, text, into);
            };
        const taps with{
            .login =
                [this](target& to) {
                    logins.push_back({to.at.host, to.database, to.why});
                },
            .refused = [this](const target& to) { return refusal(to); }};
        const std::vector servers = {&a, &b};
        auto inner = std::make_shared<testing::scripted_driver>(*world, servers);
        auto tapped = std::make_shared<tapped_driver>(std::move(inner), with);
        auto made = hadr::open(
            "Mode=mirroring;Driver=FreeTDS;Server=a:1;Failover_Partner=b:2;Database=d;UID=u;"
            "Encrypt=disable;Pool_Warm=2",
            {.drivers = {std::make_shared<called_odbc>(std::move(tapped))}, .world = world}
        );
        if (!made)
            BOOST_FAIL(to_string(made.error()));
        store = std::move(*made);
        world->advance(1s);
    }

    ~sql_server_pair() { store.reset(); }

    std::optional<failure> refusal(const target& to) const {
        const bool mirror = to.at.host == (principal == &a ? "b" : "a");
        if (!mirror || to.database == "master")
            return std::nullopt;
        auto why = make_failure(errc::wrong_role, advice::retry, "acts as a mirror");
        why.native = 954;
        return why;
    }

    expected<void> answers(const testing::fake_server& by, std::string_view text, answer& into) {
        const bool leads = principal == &by;
        const bool moves = text.starts_with(moving);
        if (moves)
            ++moved[&by == &a ? 0 : 1];
        else if (text.starts_with("ALTER DATABASE"))
            commanded.emplace_back(text);
        if (moves && !leads)
            return make_failure(errc::wrong_role, advice::retry, "acts as a mirror");
        for (const auto column : core::sql_server::member_columns)
            into.add_column(column);
        const auto text_of = [&](std::string_view one) { into.add_value(one); };
        text_of(moves ? "d" : "master");
        text_of(&by == &a ? "A" : "B");
        text_of("d");
        text_of(leads ? "ONLINE" : "RESTORING");
        text_of("READ_WRITE");
        text_of(leads ? "1" : "0");
        text_of("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
        into.add_value(std::nullopt);
        const std::vector<std::string> row = {
            "11111111-2222-3333-4444-555555555555",
            "1",
            state,
            "2",
            "1",
            &by == &a ? "B" : "A",
            std::to_string(sequence),
            "1"};
        for (const auto& one : row)
            into.add_value(leads ? std::optional<std::string_view>(one) : std::nullopt);
        into.finish("SELECT 1", 0, transaction_status::idle);
        return {};
    }

    void fail_over() {
        a.kill();
        principal = &b;
        state = "DISCONNECTED";
        ++sequence;
    }

    std::size_t logins_at(std::string_view host, purpose why) const {
        return static_cast<std::size_t>(std::count_if(
            logins.begin(),
            logins.end(),
            [&](const login& one) { return one.host == host && one.why == why; }
        ));
    }

    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>();
    testing::fake_server a{{"a", 1, {}}};
    testing::fake_server b{{"b", 2, {}}};
    const testing::fake_server* principal = &a;
    std::string state = "SYNCHRONIZED";
    int sequence = 1;
    std::vector<login> logins;
    int moved[2] = {0, 0};
    std::vector<std::string> commanded;
    std::unique_ptr<connection_manager> store;
};

}

BOOST_AUTO_TEST_SUITE(a_waiting_room)

BOOST_AUTO_TEST_CASE(
    is_where_sessions_are_that_a_mirror_would_refuse, *utf::label("E4") * utf::label("P2")
) {
    sql_server_pair pair;
    for (const auto& one : pair.logins)
        BOOST_TEST_CONTEXT(one.host << ' ' << one.database) {
            const bool lent = one.why == purpose::lend;
            BOOST_TEST(one.database == (lent ? "" : "master"));
            BOOST_TEST((!lent || one.host == "a"));
        }
    BOOST_TEST(pair.logins_at("b", purpose::warm) == 2U);
    BOOST_TEST(pair.logins_at("b", purpose::watch) == 1U);
    BOOST_TEST(pair.store->counters().sessions_warm_now == 2U);
    BOOST_TEST(pair.moved[1] == 0); // Nobody knocks at what a mirror refuses.
    BOOST_TEST(pair.store->view()->writer.has_value());
}

BOOST_AUTO_TEST_CASE(
    is_left_by_the_proof_of_the_promotion_without_a_login, *utf::label("E4") * utf::label("E5")
) {
    sql_server_pair pair;
    const auto before = pair.logins.size();
    pair.fail_over();
    pair.world->advance(15ms);
    auto held = pair.store->acquire({.until = deadline::in(1ms)});
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(held->server() == pair.b.at);
    BOOST_TEST(pair.moved[1] == 2);
    for (auto i = before; i < pair.logins.size(); ++i)
        BOOST_TEST((pair.logins[i].host != "b" || pair.logins[i].why != purpose::warm));
    BOOST_TEST((pair.store->view()->accepted->term == 2U));
}

BOOST_AUTO_TEST_CASE(is_no_place_for_readers, *utf::label("E7")) {
    sql_server_pair pair;
    const auto held = pair.store->acquire({.intent = intent::read, .until = deadline::in(1s)});
    BOOST_TEST_REQUIRE(held.has_value());
    BOOST_TEST(held->server() == pair.a.at);
    const auto strict = pair.store->acquire(
        {.intent = intent::read, .until = deadline::in(1s), .primary_fallback = false}
    );
    BOOST_TEST(!strict.has_value());
    BOOST_TEST(pair.logins_at("b", purpose::lend) == 0U);
}

BOOST_AUTO_TEST_CASE(is_where_an_operators_statement_is_sent_from, *utf::label("C36")) {
    sql_server_pair pair;
    const auto plan = pair.store->plan({operation_kind::planned_failover, {}, false});
    BOOST_TEST_REQUIRE(plan.has_value());
    const auto before = pair.logins.size();
    BOOST_TEST(pair.store->execute(*plan, deadline::in(1s)).has_value());
    BOOST_TEST_REQUIRE(pair.commanded.size() == 1U);
    BOOST_TEST(pair.commanded[0] == "ALTER DATABASE [d] SET PARTNER FAILOVER");
    BOOST_TEST_REQUIRE(pair.logins.size() > before);
    BOOST_TEST(pair.logins[before].host == "a");
    BOOST_TEST(pair.logins[before].database == "master");
}

BOOST_AUTO_TEST_SUITE_END()

}
