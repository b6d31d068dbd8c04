// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"
#include "conformance/server.hpp"

#include <algorithm>

namespace hadr::test {

namespace utf = boost::unit_test;
using condition = engine_under_test::condition;

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
        ability needed;
        condition is;
        errc code;
        advice next;
    };
    const row rows[] = {
        {ability::ask_for_passwords, condition::locked, errc::rejected_by_server, advice::give_up},
        {ability::be_full, condition::full, errc::rejected_by_server, advice::retry},
        {ability::be_starting, condition::starting, errc::unreachable, advice::retry},
        {ability::be_away, condition::down, errc::unreachable, advice::retry}};
    for (const auto& [needed, is, code, next] : rows)
        on_each(
            {needed},
            [&, needed = needed, is = is, code = code, next = next](engine_under_test& with) {
                const auto none = log_in(with, with.place(is));
                BOOST_TEST_CONTEXT("that can " << to_string(needed)) {
                    BOOST_TEST_REQUIRE(!none.has_value());
                    check_failure(none.error(), code, next, with.says(is));
                }
            }
        );
}

BOOST_AUTO_TEST_CASE(
    ends_a_login_by_its_deadline_whenever_the_server_falls_silent,
    *utf::label("F3") * utf::label("F50") * utf::label("P4")
) {
    on_each({ability::be_mute, ability::end_logins}, [](engine_under_test& with) {
        for (const auto& [when, where] : with.silences())
            BOOST_TEST_CONTEXT("silence " << when) {
                const auto to = where();
                const punctuality call(300ms);
                const auto begun = with.through().now();
                const auto none = log_in(with, to, 300ms);
                BOOST_TEST(call.kept());
                BOOST_TEST((with.through().now() - begun >= 300ms));
                BOOST_TEST_REQUIRE(!none.has_value());
                check_failure(none.error(), errc::deadline_exceeded, advice::retry, {});
            }
    });
}

BOOST_AUTO_TEST_CASE(
    does_not_know_what_became_of_a_statement_that_was_cut,
    *utf::label("C7") * utf::label("C8") * utf::label("F3") * utf::label("F50")
) {
    on_each({ability::stop_answering}, [](engine_under_test& with) {
        const auto made = session_of(with);
        with.freeze();
        const punctuality call(100ms);
        const auto cut = run(with.through(), *made, {with.writing("cut")}, 100ms);
        BOOST_TEST(call.kept());
        with.thaw();
        BOOST_TEST_REQUIRE(!cut.how.has_value());
        check_failure(cut.how.error(), errc::outcome_unknown, advice::verify, {});
        BOOST_TEST(!made->usable());
        BOOST_TEST((made->transaction() == transaction_status::unknown));
        const auto later = session_of(with); // The server is as good as before.
        BOOST_TEST(run(with.through(), *later, {"select 1"}).how.has_value());
        BOOST_TEST(times_written(with, "cut") <= 1U);
    });
}

BOOST_AUTO_TEST_CASE(sends_nothing_on_a_session_that_was_cut, *utf::label("C7")) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        made->sever();
        BOOST_TEST(!made->usable());
        const auto none = run(with.through(), *made, {with.writing("never")});
        BOOST_TEST_REQUIRE(!none.how.has_value());
        check_failure(none.how.error(), errc::unreachable, advice::retry, {});
        const auto commit = run(with.through(), *made, {"COMMIT", {}, statement_kind::commit});
        BOOST_TEST_REQUIRE(!commit.how.has_value());
        BOOST_TEST(commit.how.error().code == errc::unreachable);
        BOOST_TEST(times_written(with, "never") == 0U);
    });
}

BOOST_AUTO_TEST_CASE(
    tells_a_session_that_the_server_has_ended_from_one_that_answered,
    *utf::label("C7") * utf::label("F34")
) {
    on_each({ability::end_sessions}, [](engine_under_test& with) {
        const auto made = session_of(with);
        BOOST_TEST(run(with.through(), *made, {with.writing("before")}).how.has_value());
        with.end_sessions();
        const auto lost = run(with.through(), *made, {with.writing("after")});
        BOOST_TEST_REQUIRE(!lost.how.has_value());
        const auto& why = lost.how.error();
        // Whether a byte left is the client library's to know; either way it is not repeated here.
        BOOST_TEST_CONTEXT(to_string(why))
        BOOST_TEST(
            ((why.code == errc::outcome_unknown && why.next == advice::verify) ||
             (why.code == errc::unreachable && why.next == advice::retry))
        );
        BOOST_TEST(!made->usable());
        const auto all = with.written();
        BOOST_TEST(std::count(all.begin(), all.end(), "before") == 1);
        BOOST_TEST(std::count(all.begin(), all.end(), "after") == 0);
    });
}

BOOST_AUTO_TEST_CASE(
    takes_a_refused_write_for_a_wrong_role, *utf::label("F37") * utf::label("E7")
) {
    on_each({ability::refuse_writes}, [](engine_under_test& with) {
        auto made = log_in(with, with.place(condition::reading));
        BOOST_TEST_REQUIRE(made.has_value());
        if (const auto first = with.turns_read_only(); !first.empty())
            BOOST_TEST(run(with.through(), **made, {first}).how.has_value());
        const auto refused = run(with.through(), **made, {with.writing("refused")});
        BOOST_TEST_REQUIRE(!refused.how.has_value());
        check_failure(
            refused.how.error(), errc::wrong_role, advice::retry, with.says(condition::reading)
        );
        BOOST_TEST(times_written(with, "refused") == 0U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
