// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

#include <hadr/connection_manager.hpp>

#include <stdexcept>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

expected<void> run(lease& on, std::string_view text) {
    auto how = on.execute(text);
    return how ? expected<void>() : expected<void>(how.error());
}

}

BOOST_AUTO_TEST_SUITE(a_transaction, *utf::label("C4"))

BOOST_AUTO_TEST_CASE(is_committed_once_by_transact) {
    simulated_pair pair;
    int runs = 0;
    const auto ended = pair.store->transact({}, [&](lease& on) {
        ++runs;
        return run(on, "append x");
    });
    BOOST_TEST((ended.ended == outcome::committed));
    BOOST_TEST(runs == 1);
    BOOST_TEST(pair.a.ledger == std::vector<std::string>{"x"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whose_closure_fails_is_rolled_back, *utf::label("C2") * utf::label("P6")) {
    simulated_pair pair;
    const auto ended = pair.store->transact({}, [&](lease& on) -> expected<void> {
        if (auto how = run(on, "append x"); !how)
            return how;
        return make_failure(errc::rejected_by_server, advice::give_up, "the application says no");
    });
    BOOST_TEST((ended.ended == outcome::not_committed));
    pair.world.advance(1s);
    BOOST_TEST(pair.a.ledger.empty());
    BOOST_TEST(pair.a.resets == 1U);
}

BOOST_AUTO_TEST_CASE(
    whose_closure_took_all_the_time_is_not_committed, *utf::label("C7") * utf::label("T2")
) {
    simulated_pair pair;
    const auto ended =
        pair.store->transact({.until = deadline::in(1s), .attempts_max = 1}, [&](lease& on) {
            auto how = run(on, "append x");
            pair.world.advance(2s);
            return how;
        });
    BOOST_TEST((ended.ended == outcome::not_committed));
    BOOST_TEST_REQUIRE(ended.cause.has_value());
    BOOST_TEST(ended.cause->code == errc::deadline_exceeded);
    pair.world.advance(1s);
    BOOST_TEST(pair.a.ledger.empty());
}

BOOST_AUTO_TEST_CASE(that_its_closure_ended_is_not_called_committed, *utf::label("C1")) {
    const struct {
        const char* when;
        std::vector<std::string> statements;
        outcome then;
    } decisions[] = {
        {"it committed", {"append x", "COMMIT"}, outcome::in_doubt},
        {"it committed among other statements",
         {"append x", "COMMIT; SELECT 1"},
         outcome::in_doubt},
        {"it rolled back", {"append x", "ROLLBACK"}, outcome::not_committed},
    };
    for (const auto& [when, statements, then] : decisions)
        BOOST_TEST_CONTEXT(when) {
            simulated_pair pair;
            pair.a.committing = "COMMIT; SELECT 1";
            const auto ended =
                pair.store->transact({.attempts_max = 1}, [&all = statements](lease& on) {
                    expected<void> how;
                    for (const auto& text : all)
                        if (how)
                            how = run(on, text);
                    return how;
                });
            BOOST_TEST((ended.ended == then));
            BOOST_TEST(ended.cause.has_value());
        }
}

BOOST_AUTO_TEST_CASE(
    of_which_a_part_may_be_committed_is_in_doubt_if_the_closure_fails,
    *utf::label("C5") * utf::label("C6")
) {
    simulated_pair pair;
    int runs = 0;
    const auto ended = pair.store->transact({.attempts_max = 3}, [&](lease& on) -> expected<void> {
        ++runs;
        static_cast<void>(run(on, "append x"));
        static_cast<void>(run(on, "COMMIT AND CHAIN")); // And another one is open.
        return make_failure(errc::rejected_by_server, advice::retry, "once more");
    });
    BOOST_TEST((ended.ended == outcome::in_doubt));
    BOOST_TEST(runs == 1);
}

BOOST_AUTO_TEST_CASE(that_only_looked_committed_on_the_way_is_committed, *utf::label("C1")) {
    simulated_pair pair;
    const auto ended = pair.store->transact({.attempts_max = 1}, [](lease& on) {
        auto how = run(on, "append x");
        return how ? run(on, "DO $$ BEGIN NULL; END $$") : how;
    });
    BOOST_TEST((ended.ended == outcome::committed));
    BOOST_TEST(pair.a.ledger.size() == 1U);
}

BOOST_AUTO_TEST_CASE(lost_with_its_own_commit_under_way_is_in_doubt, *utf::label("C6")) {
    simulated_pair pair;
    pair.a.logs_before_cut = true;
    const auto ended = pair.store->transact({.attempts_max = 3}, [&](lease& on) {
        auto how = run(on, "append x");
        pair.a.answer_time = 1h;
        pair.world.later(1s, [&] { pair.a.kill(); });
        return how ? run(on, "COMMIT") : how;
    });
    BOOST_TEST((ended.ended == outcome::in_doubt));
    BOOST_TEST(pair.a.ledger.size() == 1U);
}

BOOST_AUTO_TEST_CASE(whose_lease_the_closure_gave_away_is_in_doubt) {
    simulated_pair pair;
    const auto ended = pair.store->transact({}, [&](lease& on) {
        auto how = run(on, "append x");
        on.release();
        return how;
    });
    BOOST_TEST((ended.ended == outcome::in_doubt));
    pair.world.advance(1s);
    BOOST_TEST(pair.write().has_value());
    BOOST_TEST(pair.a.ledger.empty());
}

BOOST_AUTO_TEST_CASE(that_nobody_began_cannot_be_committed, *utf::label("C1")) {
    simulated_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    const auto ended = held->commit();
    BOOST_TEST((ended.ended == outcome::not_committed));
    BOOST_TEST((ended.cause->next == advice::give_up));
}

BOOST_AUTO_TEST_CASE(
    that_a_failure_undid_takes_no_further_statement, *utf::label("C5") * utf::label("C2")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    pair.a.undoing = "update a, then b";
    int runs = 0;
    std::uint64_t sent = 0;
    const auto ended = pair.store->transact({.attempts_max = 3}, [&](lease& on) -> expected<void> {
        static_cast<void>(run(on, "append x"));
        if (++runs == 1) {
            BOOST_TEST(!run(on, pair.a.undoing).has_value());
            sent = pair.a.statements;
        }
        auto how =
            run(on, "append y"); // By itself it would be committed, and by the second run too.
        if (runs == 1) {
            BOOST_TEST(!how.has_value());
            BOOST_TEST(!run(on, "SELECT 1").has_value());
            BOOST_TEST(pair.a.statements == sent);
        }
        return how;
    });
    BOOST_TEST((ended.ended == outcome::committed));
    BOOST_TEST(runs == 2);
    const std::vector<std::string> both = {"x", "y"};
    BOOST_TEST(pair.a.ledger == both, boost::test_tools::per_element());
    auto next = pair.write();
    BOOST_TEST_REQUIRE(next.has_value());
    BOOST_TEST(next->execute("append z").has_value());
}

BOOST_AUTO_TEST_CASE(
    that_a_failure_undid_is_not_committed_whatever_the_closure_says, *utf::label("C2")
) {
    simulated_pair pair;
    pair.a.undoing = "update a, then b";
    const auto ended = pair.store->transact({.attempts_max = 1}, [&](lease& on) {
        static_cast<void>(run(on, "append x"));
        static_cast<void>(run(on, pair.a.undoing));
        return expected<void>();
    });
    BOOST_TEST((ended.ended == outcome::not_committed));
    BOOST_TEST_REQUIRE(ended.cause.has_value());
    BOOST_TEST((ended.cause->next == advice::retry)); // As of what undid it.
    BOOST_TEST(pair.a.ledger.empty());
}

BOOST_AUTO_TEST_CASE(
    that_a_statement_committed_unasked_is_in_doubt, *utf::label("C5") * utf::label("C7")
) {
    for (const bool content : {false, true}) {
        simulated_pair pair;
        pair.a.committing = "create table t (a int)";
        int runs = 0;
        const auto ended =
            pair.store->transact({.attempts_max = 3}, [&](lease& on) -> expected<void> {
                ++runs;
                static_cast<void>(run(on, "append x"));
                BOOST_TEST(run(on, pair.a.committing).has_value());
                BOOST_TEST(!run(on, "append y").has_value());
                if (content)
                    return {};
                return make_failure(errc::rejected_by_server, advice::retry, "once more");
            });
        BOOST_TEST((ended.ended == outcome::in_doubt));
        BOOST_TEST(runs == 1);
        BOOST_TEST(pair.a.ledger.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(that_did_not_begin_runs_nothing, *utf::label("C4")) {
    simulated_pair pair;
    int runs = 0;
    const auto ended = pair.store->transact({.begin = "SELECT 1"}, [&](lease& on) {
        ++runs;
        return run(on, "append x");
    });
    BOOST_TEST((ended.ended == outcome::not_committed));
    BOOST_TEST((ended.cause->next == advice::give_up));
    BOOST_TEST(runs == 0);
    BOOST_TEST(pair.a.ledger.empty());
}

BOOST_AUTO_TEST_CASE(
    of_a_lease_that_ended_before_its_commit_is_told_as_far_as_it_is_known, *utf::label("C7")
) {
    const struct {
        const char* when;
        std::vector<std::string> statements;
        outcome then;
    } decisions[] = {
        {"a failure undid it", {"BEGIN", "append x", "undo"}, outcome::not_committed},
        {"it was rolled back", {"BEGIN", "append x", "ROLLBACK"}, outcome::not_committed},
        {"one went on after that", {"BEGIN", "undo", "append x"}, outcome::in_doubt},
        {"a definition committed it", {"BEGIN", "append x", "define"}, outcome::in_doubt},
        {"what was written has no transaction", {"append x"}, outcome::in_doubt},
        {"an earlier write had none",
         {"append x", "BEGIN", "append y", "undo"},
         outcome::not_committed},
        {"nothing was written", {"SELECT 1"}, outcome::not_committed},
    };
    for (const auto& [when, statements, then] : decisions)
        BOOST_TEST_CONTEXT(when) {
            simulated_pair pair("Pool_Max=1;Pool_Warm=0");
            pair.a.undoing = "undo";
            pair.a.committing = "define";
            {
                auto held = pair.write();
                BOOST_TEST_REQUIRE(held.has_value());
                for (const auto& text : statements)
                    static_cast<void>(run(*held, text));
                BOOST_TEST((held->commit().ended == then));
            }
            auto next = pair.write(); // The same session: nothing of it sticks.
            BOOST_TEST_REQUIRE(next.has_value());
            BOOST_TEST((next->commit().ended == outcome::not_committed));
        }
}

BOOST_AUTO_TEST_CASE(
    whose_commit_is_answered_otherwise_is_not_called_committed,
    *utf::label("C1") * utf::label("F41")
) {
    const struct {
        const char* tag;
        outcome then;
    } decisions[] = {
        {"ROLLBACK", outcome::not_committed},
        {"SELECT 1", outcome::in_doubt},
        {"", outcome::in_doubt},
    };
    for (const auto& [instead, then] : decisions)
        BOOST_TEST_CONTEXT(instead) {
            simulated_pair pair;
            pair.a.committing = "COMMIT; ROLLBACK";
            pair.reopen({}, {.tag = [text = std::string_view(instead)](std::string_view tag) {
                            return std::string(tag.starts_with("COMMIT") ? text : tag);
                        }});
            const auto ended = pair.store->transact({.attempts_max = 1}, [](lease& on) {
                return run(on, "append x");
            });
            BOOST_TEST((ended.ended == then));
            auto held = pair.write();
            BOOST_TEST_REQUIRE(held.has_value());
            BOOST_TEST(held->execute("BEGIN").has_value());
            BOOST_TEST(held->execute("COMMIT").has_value() == (then != outcome::not_committed));
            BOOST_TEST((held->commit().ended == then));
            // Which of these was answered so is not known.
            BOOST_TEST(held->execute("BEGIN").has_value());
            static_cast<void>(held->execute(pair.a.committing));
            BOOST_TEST((held->commit().ended == outcome::in_doubt));
        }
}

BOOST_AUTO_TEST_CASE(inside_of_another_one_is_not_called_committed, *utf::label("C1")) {
    simulated_pair pair;
    pair.reopen({}, {.status = [](transaction_status) { return transaction_status::open; }});
    const auto ended =
        pair.store->transact({.attempts_max = 3}, [](lease& on) { return run(on, "append x"); });
    BOOST_TEST((ended.ended == outcome::in_doubt));
}

BOOST_AUTO_TEST_CASE(
    whose_closure_throws_gives_its_session_back, *utf::label("P3") * utf::label("F44")
) {
    simulated_pair pair("Pool_Max=1;Pool_Warm=0");
    const auto thrown = [&] {
        return pair.store->transact({}, [](lease& on) -> expected<void> {
            static_cast<void>(on.execute("append x"));
            throw std::runtime_error("no");
        });
    };
    for (int i = 0; i < 3; ++i)
        BOOST_CHECK_THROW(static_cast<void>(thrown()), std::runtime_error);
    pair.world.advance(1s);
    BOOST_TEST(pair.store->counters().sessions_lent_now == 0U);
    BOOST_TEST(pair.a.ledger.empty());
    BOOST_TEST(pair.write(1s).has_value());
}

BOOST_AUTO_TEST_CASE(keeps_one_deadline_over_all_its_runs, *utf::label("T2") * utf::label("P4")) {
    simulated_pair pair;
    const auto begun = pair.world.now();
    const auto ended = pair.store->transact(
        {.until = deadline::in(2s), .attempts_max = 5},
        [&](lease&) -> expected<void> {
            while (pair.world.now() < begun + 1500ms)
                pair.world.park(pair.world.self(), begun + 1500ms);
            pair.a.kill();
            return make_failure(errc::rejected_by_server, advice::retry, "once more");
        }
    );
    BOOST_TEST((ended.ended == outcome::not_committed));
    BOOST_TEST((pair.world.now() - begun == 2s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(the_mark_of_a_reign, *utf::label("F14"))

BOOST_AUTO_TEST_CASE(is_written_once_by_the_first_write_session) {
    simulated_pair pair("Fork_Table=fork;Pool_Max=4");
    int marks = 0;
    const auto count = [&](std::string_view text, answer&) {
        marks += text.starts_with("INSERT INTO fork ") ? 1 : 0;
        return expected<void>();
    };
    pair.a.answers = count;
    pair.b.answers = count;
    std::vector<lease> held;
    for (int i = 0; i < 3; ++i)
        held.push_back(pair.write().value());
    BOOST_TEST(marks == 1);
    held.clear();
    pair.a.kill();
    pair.b.promote();
    pair.world.advance(1s);
    BOOST_TEST(marks == 2); // A new reign, a new mark.
}

BOOST_AUTO_TEST_CASE(that_cannot_be_written_keeps_nobody_from_writing, *utf::label("P4")) {
    simulated_pair pair("Fork_Table=fork;Pool_Max=4");
    pair.a.answers = [](std::string_view text, answer&) {
        if (!text.starts_with("INSERT INTO fork "))
            return expected<void>();
        auto why = make_failure(errc::rejected_by_server, advice::give_up, "no table");
        why.sqlstate = "42P01";
        return expected<void>(why);
    };
    BOOST_TEST(pair.write(3s).has_value());
    pair.world.advance(10ms);
    BOOST_TEST(pair.count(event_kind::advice) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}
