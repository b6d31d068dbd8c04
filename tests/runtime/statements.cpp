// SPDX-License-Identifier: Apache-2.0
#include "runtime/simulated_pair.hpp"

#include <map>

namespace hadr::test {

namespace utf = boost::unit_test;

BOOST_AUTO_TEST_SUITE(a_statement)

BOOST_AUTO_TEST_CASE(
    that_writes_by_itself_is_sent_as_a_commit, *utf::label("C8") * utf::label("C6")
) {
    std::map<std::string, statement_kind, std::less<>> sent;
    simulated_pair pair;
    pair.reopen({}, {.sent = [&](const statement& what) {
                    sent[std::string(what.text)] = what.kind;
                }});
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    for (const auto* text : {"append alone", "select 1", "BEGIN", "append inside", "COMMIT"})
        BOOST_TEST(held->execute(text).has_value());
    BOOST_TEST((sent["append alone"] == statement_kind::commit));
    BOOST_TEST((sent["select 1"] == statement_kind::text));
    BOOST_TEST((sent["append inside"] == statement_kind::text));
    BOOST_TEST((sent["COMMIT"] == statement_kind::commit));
}

BOOST_AUTO_TEST_CASE(
    without_a_deadline_has_the_stores_to_the_tick, *utf::label("T2") * utf::label("P4")
) {
    simulated_pair pair("Statement_Timeout=3s");
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.a.freeze();
    const auto begun = pair.world.now();
    const auto late = held->execute("append x");
    BOOST_TEST_REQUIRE(!late.has_value());
    BOOST_TEST(late.error().code == errc::outcome_unknown);
    BOOST_TEST((pair.world.now() - begun == 3s));
}

BOOST_AUTO_TEST_CASE(whose_deadline_is_past_is_not_sent, *utf::label("C7") * utf::label("P4")) {
    simulated_pair pair;
    int sent = 0;
    pair.reopen({}, {.sent = [&](const statement& what) {
                    sent += what.text.starts_with("append") ? 1 : 0;
                }});
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    for (const auto until : {deadline::in({}), deadline::in(-1s), deadline::at(pair.world.now())}) {
        const auto late = held->execute("append x", {}, until);
        BOOST_TEST_REQUIRE(!late.has_value());
        BOOST_TEST(late.error().code == errc::deadline_exceeded);
        BOOST_TEST((late.error().next == advice::retry));
    }
    BOOST_TEST(sent == 0);
    BOOST_TEST(held->current());
    BOOST_TEST(held->execute("append y").has_value());
}

BOOST_AUTO_TEST_CASE(
    that_finds_its_server_read_only_gives_the_session_up, *utf::label("E7") * utf::label("F37")
) {
    simulated_pair pair;
    auto held = pair.write();
    BOOST_TEST_REQUIRE(held.has_value());
    pair.a.writable = false;
    const auto refused = held->execute("append x");
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().code == errc::wrong_role);
    BOOST_TEST(!held->current()); // Before any watcher has seen it.
    held->release();
    pair.world.advance(20ms);
    BOOST_TEST((pair.store->view()->writer == std::nullopt)); // By the watcher's own answer.
}

BOOST_AUTO_TEST_CASE(
    that_is_refused_as_read_only_cuts_nobody_elses,
    *utf::label("E7") * utf::label("F37") * utf::label("C35")
) {
    simulated_pair pair;
    auto reader = pair.write();
    auto other = pair.write();
    BOOST_TEST_REQUIRE((reader.has_value() && other.has_value()));
    pair.a.answer_time = 50ms;
    std::optional<expected<answer>> ended;
    pair.world.start("writer", [&] { ended = other->execute("append kept"); });
    pair.world.advance(1ms);
    pair.a.answer_time = 1ms;
    pair.a.writable = false; // As after BEGIN READ ONLY: for this session alone.
    BOOST_TEST(reader->execute("append x").error().code == errc::wrong_role);
    pair.a.writable = true;
    reader->release();
    const auto number = other->acceptance();
    pair.world.advance(1s);
    BOOST_TEST_REQUIRE(ended.has_value());
    BOOST_TEST(ended->has_value());
    BOOST_TEST(other->current());
    BOOST_TEST(pair.write()->acceptance() == number);
    BOOST_TEST(pair.count(event_kind::primary_lost) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}
