// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// One value that a statement brings, or the case ends here.
std::string value_of(engine_under_test& with, session& on, const statement& what) {
    const auto one = run(with.through(), on, what);
    if (!one.how)
        BOOST_FAIL(what.text << ": " << to_string(one.how.error()));
    BOOST_TEST_REQUIRE(one.brought.rows() == 1U);
    return std::string(one.brought.at(0, 0).value_or("NULL"));
}

std::string repeated(std::string_view part, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i)
        all += part;
    return all;
}

void must_run(engine_under_test& with, session& on, const statement& what) {
    const auto one = run(with.through(), on, what);
    if (!one.how)
        BOOST_FAIL(what.text << ": " << to_string(one.how.error()));
}

/// The phrase, kept, with these three in its middle row.
void check_nine(engine_under_test& with, session& on, const std::array<parameter, 3>& middle) {
    const auto one = run(
        with.through(), on, {with.speaks().nine, middle, statement_kind::text, preparation::kept}
    );
    if (!one.how)
        BOOST_FAIL(to_string(one.how.error()));
    BOOST_TEST_REQUIRE(one.brought.rows() == 3U);
    BOOST_TEST_REQUIRE(one.brought.columns() == 3U);
    const std::array<parameter, 3> rows[] = {{"a1", "b1", "c1"}, middle, {"a3", "b3", "c3"}};
    for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t column = 0; column < 3; ++column)
            BOOST_TEST((one.brought.at(row, column) == rows[row][column]), row << ", " << column);
}

}

BOOST_AUTO_TEST_SUITE(every_driver)

BOOST_AUTO_TEST_CASE(brings_values_to_the_server_and_back_as_they_are) {
    const std::string long_text(200'000, 'x');
    const parameter sent[] = {
        "plain",
        "",
        std::nullopt,
        " blanks ",
        "Größe 中文 🦀",
        "'; drop table tokens; --\\ %s {x} ? $1",
        long_text};
    on_each({ability::repeat_values}, [&](engine_under_test& with) {
        const auto made = session_of(with);
        for (const auto prepared : {preparation::none, preparation::kept})
            for (const auto& one : sent)
                BOOST_TEST_CONTEXT(one.value_or("NULL").substr(0, 50)) {
                    const auto back =
                        run(with.through(),
                            *made,
                            {with.speaks().echo, {&one, 1}, statement_kind::text, prepared});
                    if (!back.how)
                        BOOST_FAIL(to_string(back.how.error()));
                    BOOST_TEST_REQUIRE(back.brought.rows() == 1U);
                    BOOST_TEST((back.brought.at(0, 0) == one));
                }
    });
}

BOOST_AUTO_TEST_CASE(tells_null_from_empty_and_names_the_columns) {
    on_each({ability::bring_nulls}, [](engine_under_test& with) {
        const auto made = session_of(with);
        const auto one = run(with.through(), *made, {with.speaks().null_and_empty});
        if (!one.how)
            BOOST_FAIL(to_string(one.how.error()));
        BOOST_TEST_REQUIRE(one.brought.rows() == 1U);
        BOOST_TEST_REQUIRE(one.brought.columns() == 2U);
        BOOST_TEST(one.brought.column_name(0) == "nothing");
        BOOST_TEST(one.brought.column_name(1) == "empty");
        BOOST_TEST(!one.brought.at(0, 0).has_value());
        BOOST_TEST((one.brought.at(0, 1) == std::string_view("")));
    });
}

BOOST_AUTO_TEST_CASE(brings_short_and_long_values_in_turn) {
    constexpr std::size_t sizes[] = {1, 126, 127, 128, 129, 255, 256, 5'000, 128, 127, 0, 1};
    std::vector<std::string> all;
    for (const auto size : sizes) {
        all.emplace_back(size, 'x');
        all.push_back(std::string(size % 2, 'x') + repeated("ü", size / 2));
        all.push_back(repeated("🦀", size / 4));
    }
    on_each({ability::repeat_values}, [&](engine_under_test& with) {
        const auto made = session_of(with);
        for (int turn = 0; turn < 2; ++turn)
            for (const auto& one : all) {
                const parameter sent(one);
                const auto back = value_of(
                    with,
                    *made,
                    {with.speaks().echo, {&sent, 1}, statement_kind::text, preparation::kept}
                );
                BOOST_TEST(back == one);
            }
    });
}

// Columns that are bound hold short values; from the first long one on a row is read otherwise.
BOOST_AUTO_TEST_CASE(brings_a_long_value_in_any_column_and_all_that_is_around_it) {
    constexpr std::size_t sizes[] = {129, 5'000, 128, 127};
    on_each({ability::repeat_values}, [&](engine_under_test& with) {
        for (const auto size : sizes)
            for (std::size_t column = 0; column < 3; ++column) {
                const std::string long_text(size, 'x');
                parameter longer[] = {"a2", "b2", "c2"};
                longer[column] = long_text;
                const auto made = session_of(with);
                BOOST_TEST_CONTEXT(size << " bytes in column " << column)
                for (int turn = 0; turn < 3; ++turn) {
                    check_nine(with, *made, {{"a2", "b2", "c2"}});
                    check_nine(with, *made, {{"", std::nullopt, "c2"}});
                    check_nine(with, *made, {{longer[0], longer[1], longer[2]}});
                }
            }
    });
}

BOOST_AUTO_TEST_CASE(brings_the_same_texts_however_often_a_statement_runs) {
    on_each({ability::bring_nulls}, [](engine_under_test& with) {
        const auto made = session_of(with);
        const auto& speaks = with.speaks();
        statement what{speaks.types.empty() ? speaks.null_and_empty : speaks.types};
        const auto first = run(with.through(), *made, what);
        BOOST_TEST_REQUIRE(first.how.has_value());
        what.prepare = preparation::kept;
        for (int turn = 0; turn < 3; ++turn) {
            const auto one = run(with.through(), *made, what);
            BOOST_TEST_REQUIRE(one.how.has_value());
            BOOST_TEST_REQUIRE(one.brought.columns() == first.brought.columns());
            for (std::size_t i = 0; i < one.brought.columns(); ++i)
                BOOST_TEST((one.brought.at(0, i) == first.brought.at(0, i)));
        }
    });
}

BOOST_AUTO_TEST_CASE(brings_large_values_whole) {
    on_each({ability::bring_large_values}, [](engine_under_test& with) {
        const auto made = session_of(with);
        const auto whole = value_of(with, *made, {with.speaks().large});
        BOOST_TEST(whole.size() == with.speaks().large_size);
        BOOST_TEST(whole.find_first_not_of('a') == std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(brings_many_rows_in_their_order) {
    on_each({ability::bring_many_rows}, [](engine_under_test& with) {
        const auto made = session_of(with);
        const auto all = run(with.through(), *made, {with.speaks().many});
        BOOST_TEST_REQUIRE(all.how.has_value());
        BOOST_TEST_REQUIRE(all.brought.rows() == many_rows);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < all.brought.rows(); ++i)
            wrong += all.brought.at(i, 0) == std::to_string(i + 1) ? 0U : 1U;
        BOOST_TEST(wrong == 0U);
    });
}

BOOST_AUTO_TEST_CASE(says_why_a_statement_was_refused_and_keeps_the_session) {
    on_each({ability::refuse_statements}, [](engine_under_test& with) {
        const auto made = session_of(with);
        const auto wrong = run(with.through(), *made, {with.wrong()});
        BOOST_TEST_REQUIRE(!wrong.how.has_value());
        check_failure(
            wrong.how.error(), errc::rejected_by_server, advice::give_up, with.says_of_wrong()
        );
        BOOST_TEST(!wrong.how.error().server_text.empty());
        must_run(with, *made, {with.writing_once("same")});
        const auto second = run(with.through(), *made, {with.writing_once("same")});
        BOOST_TEST_REQUIRE(!second.how.has_value());
        check_failure(
            second.how.error(), errc::rejected_by_server, advice::give_up, with.says_of_the_second()
        );
        BOOST_TEST(made->usable());
        BOOST_TEST((made->transaction() == transaction_status::idle));
        must_run(with, *made, {"select 1"});
    });
}

BOOST_AUTO_TEST_CASE(stops_a_statement_on_request, *utf::label("F38")) {
    on_each({ability::run_slowly, ability::be_cancelled}, [](engine_under_test& with) {
        const auto made = session_of(with);
        std::atomic<bool> over{false};
        std::size_t refused = 0;
        std::jthread asking([&] { // A request may come before the statement does.
            while (!over) {
                const auto asked = made->request_cancel(with.through().now() + 5s);
                refused += asked ? 0U : 1U;
                std::this_thread::sleep_for(20ms);
            }
        });
        const auto begun = with.through().now();
        const auto stopped = run(with.through(), *made, {with.speaks().slow});
        over = true;
        asking.join();
        BOOST_TEST((with.through().now() - begun < 10s));
        BOOST_TEST_REQUIRE(!stopped.how.has_value());
        BOOST_TEST_CONTEXT(to_string(stopped.how.error()))
        BOOST_TEST(stopped.how.error().code == errc::rejected_by_server);
        BOOST_TEST(refused == 0U);
        BOOST_TEST(made->usable());
        must_run(with, *made, {"select 1"});
    });
}

BOOST_AUTO_TEST_CASE(tells_the_state_of_the_transaction) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        const auto after = [&](std::string_view text, statement_kind kind) {
            const auto one = run(with.through(), *made, {text, {}, kind});
            if (!one.how)
                BOOST_FAIL(text << ": " << to_string(one.how.error()));
            BOOST_TEST((one.brought.transaction() == made->transaction()));
            return std::pair(made->transaction(), std::string(one.brought.tag()));
        };
        using state = transaction_status;
        using kind = statement_kind;
        BOOST_TEST((after("BEGIN", kind::text) == std::pair(state::open, std::string("BEGIN"))));
        BOOST_TEST((after(with.writing("a"), kind::text).first == state::open));
        BOOST_TEST((after("COMMIT", kind::commit) == std::pair(state::idle, std::string("COMMIT")))
        );
        BOOST_TEST((after("BEGIN", kind::text).first == state::open));
        BOOST_TEST((after(with.writing("b"), kind::text).first == state::open));
        BOOST_TEST(
            (after("ROLLBACK", kind::text) == std::pair(state::idle, std::string("ROLLBACK")))
        );
        const auto all = with.written();
        BOOST_TEST(std::count(all.begin(), all.end(), "a") == 1);
        BOOST_TEST(std::count(all.begin(), all.end(), "b") == 0);
    });
}

BOOST_AUTO_TEST_CASE(
    says_committed_of_what_is_there_and_of_nothing_else, *utf::label("C1") * utf::label("F41")
) {
    on_each({ability::refuse_statements}, [](engine_under_test& with) {
        const auto made = session_of(with);
        must_run(with, *made, {"BEGIN"});
        must_run(with, *made, {with.writing("perhaps")});
        BOOST_TEST(!run(with.through(), *made, {with.wrong()}).how.has_value());
        // Some engines fail the transaction with the statement, others go on.
        const bool failed = made->transaction() == transaction_status::failed;
        const auto commit = run(with.through(), *made, {"COMMIT", {}, statement_kind::commit});
        const bool committed = commit.how.has_value() && commit.brought.tag() == "COMMIT";
        BOOST_TEST(committed == !failed);
        BOOST_TEST(times_written(with, "perhaps") == (committed ? 1U : 0U));
        BOOST_TEST((made->transaction() == transaction_status::idle));
    });
}

BOOST_AUTO_TEST_CASE(
    does_not_know_what_became_of_a_commit_that_was_cut,
    *utf::label("C6") * utf::label("C7") * utf::label("F39") * utf::label("F50")
) {
    on_each({ability::stop_answering}, [](engine_under_test& with) {
        const auto made = session_of(with);
        must_run(with, *made, {"BEGIN"});
        must_run(with, *made, {with.writing("doubtful")});
        with.freeze();
        const auto commit =
            run(with.through(), *made, {"COMMIT", {}, statement_kind::commit}, 100ms);
        with.thaw();
        BOOST_TEST_REQUIRE(!commit.how.has_value());
        check_failure(commit.how.error(), errc::outcome_unknown, advice::verify, {});
        BOOST_TEST(!made->usable());
        BOOST_TEST(times_written(with, "doubtful") <= 1U);
    });
}

BOOST_AUTO_TEST_CASE(ends_an_open_transaction_by_a_reset, *utf::label("P6") * utf::label("F52")) {
    on_each([](engine_under_test& with) {
        const auto made = session_of(with);
        must_run(with, *made, {"BEGIN"});
        must_run(with, *made, {with.writing("lost")});
        const auto reset = run(with.through(), *made, {{}, {}, statement_kind::reset});
        BOOST_TEST(reset.how.has_value() == made->usable());
        if (made->usable())
            BOOST_TEST((made->transaction() == transaction_status::idle));
        BOOST_TEST(times_written(with, "lost") == 0U);
    });
}

BOOST_AUTO_TEST_CASE(
    leaves_nothing_on_a_session_that_a_reset_kept, *utf::label("P6") * utf::label("F52")
) {
    on_each({ability::keep_state, ability::forget}, [](engine_under_test& with) {
        const auto made = session_of(with);
        BOOST_TEST(value_of(with, *made, {with.speaks().is_dirty}) == "0");
        must_run(with, *made, {with.speaks().dirt});
        BOOST_TEST(value_of(with, *made, {with.speaks().is_dirty}) == "1");
        BOOST_TEST(run(with.through(), *made, {{}, {}, statement_kind::reset}).how.has_value());
        BOOST_TEST_REQUIRE(made->usable());
        BOOST_TEST(value_of(with, *made, {with.speaks().is_dirty}) == "0");
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
