// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_order.hpp"
#include "unit/mirrored_pair.hpp"
#include "unit/partners.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// The standalone adapter, fed with one piece of news at a time.
class lone_server {
public:
    explicit lone_server(const std::string& driver = "libpq")
        : adapter(adapters::standalone(
              parse("Mode=standalone;Server=db1:5432;Database=rtc;UID=app;Driver=" + driver).value()
          ))
        , known(adapter->begin()) {}

    lone_server& hears(const std::variant<cells, failure>& what) {
        const auto* row = std::get_if<cells>(&what);
        std::variant<answer, failure> heard;
        if (row != nullptr)
            heard = answer_of({*row});
        else
            heard = std::get<failure>(what);
        ++sequence;
        return happens(answered{{subject::kind::member, 0}, now, sequence, now, heard});
    }

    lone_server& happens(const event_seen& what) {
        known = adapter->apply(known, what, now);
        now += 1ms;
        return *this;
    }

    lone_server& rules(ruled::verdict what) { return happens(ruled{what, 0}); }

    const topology& is() const { return known.is; }

    std::shared_ptr<const ha_adapter> adapter;
    belief known;
    time_point now{24h};
    std::uint64_t sequence = 0;
};

using word = std::variant<cells, failure>;

struct judgement {
    const char* when;
    std::vector<word> heard;
    bool writes;
    std::optional<std::uint64_t> term;
    availability state;
};

using enum availability;

// clang-format off
const std::vector<judgement> judgements = {
    {"nothing has been heard",             {},                                            false, {}, unknown},
    {"B1: it answers",                     {primary(1)},                                  true,  1,  exposed},
    {"F1: it is killed",                   {primary(1), down()},                          false, 1,  action_required},
    {"F35: and back on the same timeline", {primary(1), down(), primary(1)},              true,  1,  exposed},
    {"F2: it is silent",                   {primary(1), silent()},                        true,  1,  exposed},
    {"F25: it is full",                    {primary(1), full()},                          true,  1,  exposed},
    {"F26: it refuses the login",          {primary(1), wrong_password()},                true,  1,  exposed},
    {"F9: its name does not resolve here", {primary(1), no_such_name()},                  true,  1,  exposed},
    {"F33: it is starting up",             {primary(1), starting()},                      false, 1,  failing_over},
    {"F37: it has become read-only",       {primary(1), promoted_not_yet_writable(1)},    false, 1,  action_required},
    {"it is a standby",                    {standby(1)},                                  false, {}, action_required},
    {"it was promoted or restored ahead",  {primary(1), primary(2)},                      true,  2,  exposed},
    {"F17: it was restored to before",     {primary(2), primary(1)},                      false, 2,  action_required},
    {"E9: another cluster is there now",   {primary(1), primary(9, foreign)},             false, 1,  action_required},
    {"F51: it speaks nonsense",            {primary(1), cells{"x"}},                      false, 1,  action_required},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(standalone)

BOOST_AUTO_TEST_CASE(
    serves_while_the_server_proves_itself,
    *utf::label("B1") * utf::label("E2") * utf::label("E9") * utf::label("F1") * utf::label("F2") *
        utf::label("F17") * utf::label("F25") * utf::label("F26") * utf::label("F33") *
        utf::label("F35") * utf::label("F37") * utf::label("F51")
) {
    for (const auto& [when, heard, writes, term, state] : judgements)
        BOOST_TEST_CONTEXT(when) {
            lone_server server;
            for (const auto& one : heard)
                server.hears(one);
            BOOST_TEST(server.is().writer.has_value() == writes);
            BOOST_TEST(((server.is().accepted ? server.is().accepted->term : std::nullopt) == term)
            );
            BOOST_TEST(server.is().state == state);
            BOOST_TEST(server.is().failover == failover_form::none);
        }
}

BOOST_AUTO_TEST_CASE(
    never_goes_back_without_an_operator, *utf::label("E1") * utf::label("E2") * utf::label("E9")
) {
    const word words[] = {
        down(),
        silent(),
        starting(),
        standby(1),
        primary(1),
        primary(2),
        promoted_not_yet_writable(2),
        primary(2, foreign),
        cells{"x"}};
    for (const auto& x : words)
        for (const auto& y : words)
            for (const auto& z : words) {
                lone_server server;
                for (const auto& one : {x, y, z}) {
                    const auto was = server.is();
                    const auto& is = server.hears(one).is();
                    const auto order = was.accepted && is.accepted
                                           ? core::compare(*is.accepted, *was.accepted)
                                           : epoch_order::newer;
                    const bool back = (was.accepted && !is.accepted) ||
                                      (order != epoch_order::same && order != epoch_order::newer);
                    const bool unproven =
                        is.writer &&
                        (!is.members[0].writable || is.members[0].refused ||
                         core::compare(*is.members[0].reign, *is.accepted) != epoch_order::same);
                    if (back || unproven)
                        BOOST_ERROR(is);
                }
            }
}

BOOST_AUTO_TEST_CASE(
    takes_a_lower_epoch_at_an_operators_word_once, *utf::label("E2") * utf::label("F17")
) {
    lone_server server;
    server.hears(primary(5)).hears(primary(1));
    BOOST_TEST((server.is().writer == std::nullopt));
    BOOST_TEST(server.is().members[0].refused);
    server.rules(ruled::verdict::accept_lineage).hears(primary(1));
    BOOST_TEST((server.is().writer == 0U));
    BOOST_TEST((server.is().accepted->term == 1U));
    server.hears(primary(1, foreign));
    BOOST_TEST((server.is().writer == std::nullopt));
}

BOOST_AUTO_TEST_CASE(remembers_over_a_restart, *utf::label("E1") * utf::label("F17")) {
    lone_server server;
    server.happens(remembered{{ours, 3, {}, {}, proof::own_word}, {}});
    BOOST_TEST((server.hears(primary(2)).is().writer == std::nullopt));
    BOOST_TEST((server.hears(primary(3)).is().writer == 0U));
}

BOOST_AUTO_TEST_CASE(is_taken_out_and_back_by_an_operator, *utf::label("B11")) {
    lone_server server;
    server.hears(primary(1)).rules(ruled::verdict::offline);
    BOOST_TEST((server.is().writer == std::nullopt));
    BOOST_TEST((server.hears(primary(1)).is().writer == std::nullopt));
    server.rules(ruled::verdict::online).hears(primary(1));
    BOOST_TEST((server.is().writer == 0U));
}

BOOST_AUTO_TEST_CASE(drops_what_was_asked_before, *utf::label("F2")) {
    lone_server server;
    server.hears(primary(1)).hears(down());
    server.happens(answered{
        {subject::kind::member, 0}, server.now, 1, server.now, answer_of({primary(1)})});
    server.happens(reported{0, server.now, 2, answer_of({primary(1)})});
    BOOST_TEST((server.is().writer == std::nullopt));
    server.happens(reported{0, server.now, 3, answer_of({primary(1)})});
    BOOST_TEST((server.is().writer == 0U));
}

BOOST_AUTO_TEST_CASE(
    lets_a_session_write_only_in_the_accepted_epoch,
    *utf::label("E4") * utf::label("E7") * utf::label("E9")
) {
    lone_server server;
    server.hears(primary(1));
    const auto judged = [&](const cells& row, std::size_t member = 0) {
        return server.adapter->judge(server.known, member, answer_of({row}));
    };
    BOOST_TEST(judged(primary(1)).may_write);
    BOOST_TEST(!judged(promoted_not_yet_writable(1)).may_write);
    BOOST_TEST(judged(promoted_not_yet_writable(1)).may_read);
    BOOST_TEST(judged(primary(1, foreign)).refused.has_value());
    BOOST_TEST(judged(cells{"x"}).refused.has_value());
    BOOST_TEST(judged(primary(1), 1).refused.has_value());
}

BOOST_AUTO_TEST_CASE(takes_any_database_that_answers, *utf::label("B1") * utf::label("F51")) {
    lone_server server("MariaDB");
    BOOST_TEST(server.adapter->proof() == "SELECT 1");
    BOOST_TEST((server.hears(cells{"1"}).is().writer == 0U));
    BOOST_TEST((server.hears(down()).is().writer == std::nullopt));
    BOOST_TEST((server.hears(cells{"1"}).is().writer == 0U));
    server.happens(answered{
        {subject::kind::member, 0}, server.now, ++server.sequence, server.now, answer()});
    BOOST_TEST((server.is().writer == std::nullopt));
}

BOOST_AUTO_TEST_CASE(
    knows_sql_server_by_its_broker_and_its_fork,
    *utf::label("E9") * utf::label("F17") * utf::label("F33") * utf::label("F37") *
        utf::label("C51")
) {
    using sql_server::no_database;
    using sql_server::not_mirrored;
    using sql_server::with;
    const auto fork = [](const char* of) { return with(not_mirrored(), "fork_guid", of); };
    const char* const first = "00000000-0000-0000-0000-000000000001";
    const char* const second = "00000000-0000-0000-0000-000000000002";
    const auto serves = [](const lone_server& one) { return one.is().writer == 0U; };
    BOOST_TEST(
        (lone_server("FreeTDS").adapter->proof().find("d.name = N'rtc' ") != std::string_view::npos)
    );
    BOOST_TEST(serves(lone_server("FreeTDS").hears(not_mirrored())));
    const auto offline = with(not_mirrored(), "database_state", "OFFLINE");
    BOOST_TEST(!serves(lone_server("FreeTDS").hears(not_mirrored()).hears(offline)));
    const auto read_only = with(not_mirrored(), "updateability", "READ_ONLY");
    BOOST_TEST(!serves(lone_server("FreeTDS").hears(read_only)));
    BOOST_TEST(!serves(lone_server("FreeTDS").hears(with(not_mirrored(), "has_access", "0"))));
    BOOST_TEST(!serves(lone_server("FreeTDS").hears(no_database())));
    const auto other = with(not_mirrored(), "broker_guid", second);
    BOOST_TEST(!serves(lone_server("FreeTDS").hears(not_mirrored()).hears(other)));
    BOOST_TEST(!serves(lone_server("FreeTDS").hears(fork(first)).hears(fork(second))));
    auto restored = lone_server("FreeTDS").hears(fork(first)).hears(fork(second));
    restored.rules(ruled::verdict::accept_lineage).hears(fork(second));
    BOOST_TEST(serves(restored));
    // The right to see the fork is taken away, and what was seen is not forgotten.
    auto hidden = lone_server("FreeTDS").hears(fork(first)).hears(not_mirrored());
    BOOST_TEST(serves(hidden));
    BOOST_TEST(!serves(hidden.hears(fork(second))));
    auto starting = make_failure(errc::unreachable, advice::retry, "start-up scripts");
    starting.native = 18401;
    BOOST_TEST(
        (lone_server("FreeTDS").hears(not_mirrored()).hears(starting).is().state == failing_over)
    );
    BOOST_TEST(!serves(lone_server("FreeTDS")
                           .hears(not_mirrored())
                           .hears(make_failure(errc::wrong_role, advice::retry, "a mirror by now")))
    );
}

BOOST_AUTO_TEST_CASE(takes_a_database_that_has_no_server, *utf::label("B1") * utf::label("E9")) {
    const auto store = parse("Mode=standalone;Driver=SQLite3;Database=/tmp/rtc.sqlite");
    BOOST_TEST_REQUIRE(store.has_value());
    const auto adapter = adapters::standalone(*store);
    auto known = adapter->begin();
    BOOST_TEST_REQUIRE(known.is.members.size() == 1U);
    for (std::uint64_t n = 1; n < 3; ++n)
        known = adapter->apply(
            known,
            answered{
                {subject::kind::member, 0},
                time_point(1h),
                n,
                time_point(1h),
                answer_of({cells{"1"}})},
            time_point(1h)
        );
    BOOST_TEST((known.is.writer == 0U));
    BOOST_TEST(known.is.accepted->lineage == "local");
}

BOOST_AUTO_TEST_CASE(has_nothing_to_fail_over_to, *utf::label("C27")) {
    const lone_server server;
    for (const auto what : {operation_kind::planned_failover, operation_kind::forced_failover})
        BOOST_TEST(!server.adapter->consider(server.known, {what, {}, true}, server.now).has_value()
        );
}

BOOST_AUTO_TEST_CASE(
    is_asked_fast_for_a_second_and_then_steadily, *utf::label("T3") * utf::label("F33")
) {
    lone_server server;
    server.hears(primary(1));
    const auto end = server.now + 10s;
    int asked = 0;
    while (server.now < end) {
        const auto plan = server.adapter->next(server.known, server.now);
        BOOST_TEST_REQUIRE(plan.ask.size() == 1U);
        if (plan.ask[0].due > server.now) {
            server.now = std::min(plan.ask[0].due, plan.wake);
            continue;
        }
        ++asked;
        server.hears(down());
    }
    BOOST_TEST(asked >= 800);
    BOOST_TEST(asked <= 960);
}

BOOST_AUTO_TEST_CASE(stumbles_over_nothing, *utf::label("X7")) {
    const std::size_t far = static_cast<std::size_t>(-1);
    for (const std::size_t index : {std::size_t(0), std::size_t(1), far}) {
        const event_seen events[] = {
            answered{{subject::kind::witness, index}, {}, 9, {}, answer()},
            answered{{subject::kind::member, index}, time_point::max(), far, {}, failure{}},
            answered{{subject::kind::member, index}, time_point::min(), far, {}, failure{}},
            pushed{{subject::kind::member, index}, {}, "", ""},
            reported{index, {}, far, answer()},
            reported{index, {}, far, failure{}},
            suspected{index, {}},
            remembered{},
            ruled{ruled::verdict::online, index}};
        for (const auto& one : events) {
            lone_server server;
            server.hears(primary(1)).happens(one);
            BOOST_TEST(server.is().members.size() == 1U);
            BOOST_TEST((server.is().accepted->term == 1U));
            const auto plan = server.adapter->next(server.known, server.now);
            BOOST_TEST((plan.wake > server.now));
            BOOST_TEST((plan.ask.at(0).due <= server.now + 250ms));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}
