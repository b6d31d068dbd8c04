// SPDX-License-Identifier: Apache-2.0
#include "conformance/engine.hpp"
#include "conformance/server.hpp"

#include <fmt/format.h>

#include <atomic>
#include <future>
#include <thread>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

std::unique_ptr<connection_manager>
open_at(engine_under_test& with, const target& to, std::string_view more = {}) {
    const auto text = fmt::format("{};{}", with.store_text(to), more);
    return need(open(text, {.drivers = {with.by()}, .world = with.shared_world()}));
}

std::unique_ptr<connection_manager> open_on(engine_under_test& with, std::string_view more = {}) {
    return open_at(with, with.place(engine_under_test::condition::up), more);
}

lease take(connection_manager& from) {
    return need(from.acquire({.until = deadline::in(20s)}));
}

/// A call that must be back by its deadline.
template <class Call>
auto punctual(duration within, const Call& call) {
    const punctuality timed(within);
    auto what = call(deadline::in(within));
    const auto late = timed.late();
    BOOST_TEST((late <= 50ms), "late by " << late / 1us << " us");
    return what;
}

/// Thaws whatever ends the case.
struct frozen {
    engine_under_test& what;
    explicit frozen(engine_under_test& with) : what(with) { what.freeze(); }
    frozen(const frozen&) = delete;
    ~frozen() { what.thaw(); }
};

}

BOOST_AUTO_TEST_SUITE(every_driver)

BOOST_AUTO_TEST_CASE(
    serves_a_store_whose_transactions_end_in_truth, *utf::label("C1") * utf::label("C4")
) {
    on_each({ability::serve_stores}, [](engine_under_test& with) {
        const auto store = open_on(with);
        auto held = take(*store);
        BOOST_TEST(held.execute("BEGIN").has_value());
        BOOST_TEST(held.execute(with.writing("kept")).has_value());
        BOOST_TEST((held.commit().ended == outcome::committed));
        BOOST_TEST(held.execute("BEGIN").has_value());
        BOOST_TEST(held.execute(with.writing("dropped")).has_value());
        BOOST_TEST(held.execute("ROLLBACK").has_value());
        BOOST_TEST(held.execute("BEGIN").has_value());
        BOOST_TEST(held.execute(with.writing("perhaps")).has_value());
        BOOST_TEST(!held.execute(with.wrong()).has_value());
        const bool goes_on = held.transaction() == transaction_status::open;
        const auto said = held.commit();
        BOOST_TEST(
            (said.ended == (goes_on ? outcome::committed : outcome::not_committed)),
            to_string(said.ended)
        );
        const std::vector<std::string> kept = {"kept", "perhaps"};
        BOOST_TEST((with.written() == std::vector(kept.begin(), kept.end() - (goes_on ? 0 : 1))));
    });
}

BOOST_AUTO_TEST_CASE(
    never_calls_undone_what_a_definition_committed, *utf::label("C5") * utf::label("C7")
) {
    on_each({ability::serve_stores}, [](engine_under_test& with) {
        const auto store = open_on(with);
        const auto& speaks = with.speaks();
        const auto definition = speaks.definition.empty() ? with.wrong() : speaks.definition;
        for (const std::string token : {"with_a_table", "with_a_second_table"}) {
            const auto ended = store->transact(
                {.until = deadline::in(20s), .attempts_max = 1},
                [&](lease& on) -> expected<void> {
                    need(on.execute(with.writing(token)));
                    static_cast<void>(on.execute(definition));
                    auto more = on.execute(with.writing("more"));
                    return more
                               ? make_failure(errc::rejected_by_server, advice::give_up, "as asked")
                               : more.error();
                }
            );
            const auto written = with.written();
            const bool there = std::find(written.begin(), written.end(), token) != written.end();
            BOOST_TEST(
                (ended.ended == (there ? outcome::in_doubt : outcome::not_committed)),
                to_string(ended.ended)
            );
            BOOST_TEST(written.size() == (there ? 1U : 0U)); // And never what came afterwards.
        }
    });
}

BOOST_AUTO_TEST_CASE(
    serves_many_threads_each_its_own_values, *utf::label("P1") * utf::label("P3") * utf::label("P9")
) {
    on_each(
        {ability::serve_stores, ability::repeat_values, ability::run_threads},
        [](engine_under_test& with) {
            constexpr int threads = 8;
            constexpr int rounds = 25;
            const auto store = open_on(with, "Pool_Max=4");
            std::atomic<int> right{0};
            {
                std::vector<std::jthread> all;
                for (int t = 0; t < threads; ++t)
                    all.emplace_back([&, t] {
                        for (int i = 0; i < rounds; ++i) {
                            auto held = store->acquire({.until = deadline::in(60s)});
                            if (!held)
                                continue;
                            const auto sent = std::to_string(t * rounds + i);
                            const parameter one = sent;
                            answer back;
                            const auto how = held->execute(
                                {with.speaks().echo,
                                 {&one, 1},
                                 statement_kind::text,
                                 i % 2 == 0 ? preparation::kept : preparation::none},
                                back
                            );
                            right += how && back.rows() == 1 && back.at(0, 0) == sent ? 1 : 0;
                        }
                    });
            }
            BOOST_TEST(right.load() == threads * rounds);
            BOOST_TEST(store->counters().sessions_lent_now == 0U);
            BOOST_TEST(store->counters().sessions_now <= 4U);
        }
    );
}

BOOST_AUTO_TEST_CASE(
    is_back_by_its_deadline_from_a_statement_that_runs_on,
    *utf::label("F38") * utf::label("F50") * utf::label("P4")
) {
    on_each({ability::serve_stores, ability::run_slowly}, [](engine_under_test& with) {
        const auto store = open_on(with, "Pool_Max=2;Close_Timeout=1");
        for (int i = 0; i < 3; ++i) {
            auto held = take(*store);
            const auto cut = punctual(200ms, [&](deadline until) {
                return held.execute(with.speaks().slow, {}, until);
            });
            BOOST_TEST_REQUIRE(!cut.has_value());
            check_failure(cut.error(), errc::outcome_unknown, advice::verify, {});
            BOOST_TEST(!held.current());
        }
        BOOST_TEST(take(*store).execute("select 1").has_value());
    });
}

BOOST_AUTO_TEST_CASE(
    is_back_by_its_deadline_from_a_server_that_stopped,
    *utf::label("F2") * utf::label("F3") * utf::label("F50") * utf::label("P4")
) {
    on_each({ability::serve_stores, ability::stop_answering}, [](engine_under_test& with) {
        const auto store = open_on(with, "Pool_Max=3");
        auto held = take(*store);
        auto other = take(*store);
        BOOST_TEST(other.execute("BEGIN").has_value());
        BOOST_TEST(other.execute(with.writing("in_doubt")).has_value());
        {
            const frozen now(with);
            const auto commit =
                punctual(300ms, [&](deadline until) { return other.commit(until); });
            BOOST_TEST((commit.ended == outcome::in_doubt), to_string(commit.ended));
            other.release();
            const auto late = punctual(300ms, [&](deadline until) {
                return held.execute(with.writing("late"), {}, until);
            });
            BOOST_TEST_REQUIRE(!late.has_value());
            check_failure(late.error(), errc::outcome_unknown, advice::verify, {});
            held.release();
            punctual(1s, [&](deadline until) {
                store->close(until);
                return true;
            });
        }
        const auto all = with.written();
        BOOST_TEST(all.size() <= 2U);
    });
}

BOOST_AUTO_TEST_CASE(
    gives_up_a_login_by_the_callers_deadline_whenever_the_server_falls_silent,
    *utf::label("F3") * utf::label("F5") * utf::label("F50") * utf::label("P4")
) {
    on_each({ability::serve_stores, ability::be_mute}, [](engine_under_test& with) {
        for (const auto& [when, where] : with.silences())
            BOOST_TEST_CONTEXT("silence " << when) {
                const auto store = open_at(with, where(), "Connect_Timeout=1");
                const auto none = punctual(300ms, [&](deadline until) {
                    return store->acquire({.until = until});
                });
                BOOST_TEST_REQUIRE(!none.has_value());
                check_failure(none.error(), errc::deadline_exceeded, advice::retry, {});
                punctual(500ms, [&](deadline until) {
                    store->close(until);
                    return true;
                });
            }
        static_cast<void>(session_of(with));
    });
}

BOOST_AUTO_TEST_CASE(closes_in_time_while_a_statement_runs, *utf::label("P8") * utf::label("F55")) {
    on_each({ability::serve_stores, ability::run_slowly}, [](engine_under_test& with) {
        const auto store = open_on(with, "Pool_Max=2");
        auto held = take(*store);
        std::promise<void> begun;
        auto busy = std::async(std::launch::async, [&] {
            begun.set_value();
            return held.execute(with.speaks().slow, {}, deadline::in(20s));
        });
        begun.get_future().wait();
        punctual(500ms, [&](deadline until) {
            store->close(until);
            return true;
        });
        BOOST_TEST(!store->acquire({.until = deadline::in(1s)}).has_value());
        const auto until = std::chrono::steady_clock::now() + 5s;
        held.sever();
        const auto cut = busy.get();
        BOOST_TEST((std::chrono::steady_clock::now() < until));
        BOOST_TEST(!cut.has_value());
    });
}

BOOST_AUTO_TEST_CASE(gives_the_next_lease_a_session_as_new, *utf::label("F52") * utf::label("P6")) {
    on_each({ability::serve_stores, ability::keep_state}, [](engine_under_test& with) {
        const auto store = open_on(with, "Pool_Max=1");
        const auto dirty = [&](lease& on) {
            return std::string(need(on.execute(with.speaks().is_dirty)).at(0, 0).value_or("NULL"));
        };
        for (int i = 0; i < 3; ++i) {
            auto held = take(*store);
            BOOST_TEST((held.transaction() == transaction_status::idle));
            BOOST_TEST(dirty(held) == "0");
            BOOST_TEST(held.execute(with.speaks().dirt).has_value());
            BOOST_TEST(dirty(held) == "1");
            BOOST_TEST(held.execute("BEGIN").has_value());
            BOOST_TEST(held.execute(with.writing("open")).has_value());
        }
        BOOST_TEST(times_written(with, "open") == 0U);
    });
}

BOOST_AUTO_TEST_CASE(
    leaves_no_session_no_thread_and_no_descriptor, *utf::label("P8") * utf::label("F48")
) {
    on_each({ability::serve_stores}, [](engine_under_test& with) {
        const auto use = [&] {
            const auto store = open_on(with, "Pool_Max=3");
            auto one = take(*store);
            auto other = take(*store);
            BOOST_TEST(one.execute("select 1").has_value());
            BOOST_TEST(other.execute(with.writing("seen")).has_value());
        };
        if (with.lacks(ability::end_sessions).empty())
            with.end_sessions(); // Of statements that were cut, which their servers go on with.
        static_cast<void>(session_of(with));
        use(); // A client library may keep what it opens first.
        const auto settled = [&] { return with.sessions() == 0U; };
        wait_until("the first sessions to be gone", 20s, settled);
        const auto threads = threads_now();
        const auto descriptors = descriptors_now();
        for (int i = 0; i < 3; ++i)
            use();
        wait_until("all sessions to be gone", 20s, settled);
        wait_until(fmt::format("{} threads and {} descriptors", threads, descriptors), 5s, [&] {
            return threads_now() <= threads && descriptors_now() <= descriptors;
        });
        BOOST_TEST(times_written(with, "seen") == 4U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

}
