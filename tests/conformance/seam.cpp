// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"

#include <algorithm>
#include <functional>

namespace hadr::test {

namespace utf = boost::unit_test;
using condition = engine_under_test::condition;

namespace {

void on_each(const std::function<void(engine_under_test&)>& claim) {
    for (auto* const one : engines())
        BOOST_TEST_CONTEXT("on " << one->name())
    claim(*one);
}

std::size_t times_written(engine_under_test& with, std::string_view token) {
    const auto all = with.written();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), token));
}

}

BOOST_AUTO_TEST_SUITE(every_driver)

BOOST_AUTO_TEST_CASE(gives_an_idle_session_that_can_be_used) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        BOOST_TEST(made->usable());
        BOOST_TEST((made->transaction() == transaction_status::idle));
        BOOST_TEST(made->native() != nullptr);
        BOOST_TEST(run(with.through(), *made, {with.writing("one")}).how.has_value());
        BOOST_TEST(times_written(with, "one") == 1U);
    });
}

BOOST_AUTO_TEST_CASE(
    says_why_a_login_failed_and_whether_to_repeat_it,
    *utf::label("F25") * utf::label("F26") * utf::label("F33") * utf::label("F1")
) {
    struct row {
        const char* when;
        condition is;
        errc code;
        advice next;
        const char* sqlstate;
    };
    // clang-format off
    const row rows[] = {
        {"the password is wrong",    condition::locked,   errc::rejected_by_server, advice::give_up, "28P01"},
        {"the server is full",       condition::full,     errc::rejected_by_server, advice::retry,   "53300"},
        {"the server is starting up", condition::starting, errc::unreachable,       advice::retry,   "57P03"},
        {"nobody listens",           condition::down,     errc::unreachable,        advice::retry,   ""},
    };
    // clang-format on
    on_each([&](engine_under_test& with) {
        for (const auto& [when, is, code, next, sqlstate] : rows)
            BOOST_TEST_CONTEXT(when) {
                const auto none = log_in(with, with.place(is));
                BOOST_TEST_REQUIRE(!none.has_value());
                BOOST_TEST(none.error().code == code);
                BOOST_TEST((none.error().next == next));
                BOOST_TEST(none.error().sqlstate == sqlstate);
            }
    });
}

BOOST_AUTO_TEST_CASE(ends_a_login_to_a_silent_server_by_its_deadline, *utf::label("F3")) {
    on_each([](engine_under_test& with) {
        const auto begun = with.through().now();
        const auto none = log_in(with, with.place(condition::mute), 300ms);
        BOOST_TEST_REQUIRE(!none.has_value());
        BOOST_TEST(none.error().code == errc::deadline_exceeded);
        BOOST_TEST((none.error().next == advice::retry));
        BOOST_TEST((with.through().now() - begun >= 300ms));
    });
}

BOOST_AUTO_TEST_CASE(
    does_not_know_what_became_of_a_statement_that_was_cut,
    *utf::label("C7") * utf::label("C8") * utf::label("F3")
) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        with.freeze();
        const auto cut = run(with.through(), *made, {with.writing("cut")}, 100ms);
        with.thaw();
        BOOST_TEST_REQUIRE(!cut.how.has_value());
        BOOST_TEST(cut.how.error().code == errc::outcome_unknown);
        BOOST_TEST((cut.how.error().next == advice::verify));
        BOOST_TEST(!made->usable());
        BOOST_TEST((made->transaction() == transaction_status::unknown));
        const auto later = session_of(with); // The server is as good as before.
        BOOST_TEST(run(with.through(), *later, {"select 1"}).how.has_value());
    });
}

BOOST_AUTO_TEST_CASE(sends_nothing_on_a_session_that_was_cut, *utf::label("C7")) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        made->sever();
        BOOST_TEST(!made->usable());
        const auto none = run(with.through(), *made, {with.writing("never")});
        BOOST_TEST_REQUIRE(!none.how.has_value());
        BOOST_TEST(none.how.error().code == errc::unreachable);
        BOOST_TEST((none.how.error().next == advice::retry));
        const auto commit = run(with.through(), *made, {"COMMIT", {}, statement_kind::commit});
        BOOST_TEST_REQUIRE(!commit.how.has_value());
        BOOST_TEST(commit.how.error().code == errc::unreachable);
        BOOST_TEST(times_written(with, "never") == 0U);
    });
}

BOOST_AUTO_TEST_CASE(tells_the_state_of_the_transaction) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        const auto after = [&](std::string_view text, statement_kind kind) {
            const auto one = run(with.through(), *made, {text, {}, kind});
            BOOST_TEST_REQUIRE(one.how.has_value());
            BOOST_TEST((one.brought.transaction() == made->transaction()));
            return std::pair(made->transaction(), std::string(one.brought.tag()));
        };
        using state = transaction_status;
        BOOST_TEST(
            (after("BEGIN", statement_kind::text) == std::pair(state::open, std::string("BEGIN")))
        );
        BOOST_TEST((after(with.writing("a"), statement_kind::text).first == state::open));
        BOOST_TEST((
            after("COMMIT", statement_kind::commit) == std::pair(state::idle, std::string("COMMIT"))
        ));
        BOOST_TEST((after("BEGIN", statement_kind::text).first == state::open));
        BOOST_TEST((after(with.writing("b"), statement_kind::text).first == state::open));
        BOOST_TEST(
            (after("ROLLBACK", statement_kind::text) ==
             std::pair(state::idle, std::string("ROLLBACK")))
        );
        const auto all = with.written();
        BOOST_TEST(std::count(all.begin(), all.end(), "a") == 1);
        BOOST_TEST(std::count(all.begin(), all.end(), "b") == 0);
    });
}

BOOST_AUTO_TEST_CASE(ends_an_open_transaction_by_a_reset, *utf::label("P6") * utf::label("F52")) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        BOOST_TEST(run(with.through(), *made, {"BEGIN"}).how.has_value());
        BOOST_TEST(run(with.through(), *made, {with.writing("lost")}).how.has_value());
        BOOST_TEST(run(with.through(), *made, {{}, {}, statement_kind::reset}).how.has_value());
        BOOST_TEST(made->usable());
        BOOST_TEST((made->transaction() == transaction_status::idle));
        BOOST_TEST(times_written(with, "lost") == 0U);
    });
}

BOOST_AUTO_TEST_CASE(
    takes_a_refused_write_for_a_wrong_role, *utf::label("F37") * utf::label("E7")
) {
    on_each([](engine_under_test& with) {
        auto made = log_in(with, with.place(condition::reading));
        BOOST_TEST_REQUIRE(made.has_value());
        const auto refused = run(with.through(), **made, {with.writing("refused")});
        BOOST_TEST_REQUIRE(!refused.how.has_value());
        BOOST_TEST(refused.how.error().code == errc::wrong_role);
        BOOST_TEST((refused.how.error().next == advice::retry));
        BOOST_TEST(refused.how.error().sqlstate == "25006");
        BOOST_TEST(times_written(with, "refused") == 0U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
