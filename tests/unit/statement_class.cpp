// SPDX-License-Identifier: Apache-2.0
#include "core/statement_class.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace hadr::test {

namespace utf = boost::unit_test;
using core::classify;

namespace {

constexpr auto text = statement_kind::text;
constexpr auto commit = statement_kind::commit;
constexpr bool clean = true;
constexpr bool dirty = false;

struct statement_row {
    const char* words;
    statement_kind kind;
    bool is_clean;
};

// clang-format off
constexpr statement_row statements[] = {
    {"SELECT 1",                                       text,   clean},
    {"  select 1 ; ",                                  text,   clean},
    {"INSERT INTO ledger VALUES ($1)",                 text,   clean},
    {"with x as (select 1) select * from x",           text,   clean},
    {"BEGIN ISOLATION LEVEL SERIALIZABLE",             text,   clean},
    {"START TRANSACTION",                              text,   clean},
    {"ROLLBACK",                                       text,   clean},
    {"ROLLBACK PREPARED 'x'",                          text,   clean},
    {"SAVEPOINT a",                                    text,   clean},
    {"COMMIT",                                         commit, clean},
    {"commit and chain",                               commit, clean},
    {"COMMIT PREPARED 'x'",                            commit, clean},
    {"END",                                            commit, clean},
    {"-- that is all\nCOMMIT",                         commit, clean},
    {"-- that is all\rCOMMIT",                         commit, clean},
    {"/* a /* nested */ one */ Commit",                commit, clean},
    {";;COMMIT",                                       commit, clean},
    {"PREPARE TRANSACTION 'x'",                        commit, dirty},
    {"PREPARE one AS SELECT 1",                        text,   dirty},
    {"committed",                                      text,   dirty},
    {"commit_all()",                                   text,   dirty},
    {"endpoint",                                       text,   dirty},
    {"SET search_path TO x",                           text,   dirty},
    {"RESET ALL",                                      text,   dirty},
    {"LISTEN x",                                       text,   dirty},
    {"DECLARE c CURSOR WITH HOLD FOR SELECT 1",        text,   dirty},
    {"LOCK TABLE x",                                   text,   dirty},
    {"CREATE TEMP TABLE x (y int)",                    text,   dirty},
    {"SELECT set_config('a.b', 'c', false)",           text,   dirty},
    {"SELECT SET_CONFIG('a.b', 'c', false)",           text,   dirty},
    {"SELECT pg_advisory_lock(1)",                     text,   dirty},
    {"SELECT 1 INTO TEMP x",                           text,   dirty},
    {"SELECT 1; SET a.b = 'c'",                        text,   dirty},
    {"BEGIN; SET ROLE x",                              text,   dirty},
    {"DO $$ BEGIN COMMIT; END $$",                     commit, dirty},
    {"INSERT INTO x VALUES (1); COMMIT",               commit, dirty},
    {"SELECT 1; END",                                  commit, dirty},
    {"SELECT 1; SELECT committed, ending FROM x",      text,   dirty},
    {"SELECT 1; PREPARE TRANSACTION 'x'",              commit, dirty},
    {"SELECT 1; SELECT committed FROM x",              text,   dirty},
    {"SELECT 'the end' FROM x",                        text,   clean},
    {"CALL close_the_day()",                           text,   dirty},
    {"(SELECT 1)",                                     text,   dirty},
    {"/* never closed COMMIT",                         text,   dirty},
    {"-- COMMIT",                                      text,   dirty},
    {"",                                               text,   dirty},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(statement_classes)

BOOST_AUTO_TEST_CASE(outside_of_a_transaction_all_but_reads_may_commit, *utf::label("C8")) {
    for (const char* reads : {"SELECT 1", "  values (1)", "TABLE x", "/* a */ SHOW x"})
        BOOST_TEST(!classify(reads).may_write, reads);
    for (const char* writes :
         {"INSERT INTO x VALUES (1)",
          "WITH a AS (DELETE FROM x RETURNING y) SELECT * FROM a",
          "CALL close_the_day()",
          "CREATE TABLE x ()",
          "SELECT 1; DELETE FROM x",
          "(SELECT 1)",
          ""})
        BOOST_TEST(classify(writes).may_write, writes);
}

BOOST_AUTO_TEST_CASE(
    follow_the_first_words,
    *utf::label("C6") * utf::label("C8") * utf::label("P6") * utf::label("F52")
) {
    for (const auto& [words, kind, is_clean] : statements)
        BOOST_TEST_CONTEXT(words) {
            BOOST_TEST((classify(words).kind == kind));
            BOOST_TEST(classify(words).clean == is_clean);
        }
}

BOOST_AUTO_TEST_CASE(
    of_transact_sql_are_a_batch_without_marks_between_its_statements,
    *utf::label("C6") * utf::label("C8") * utf::label("P6") * utf::label("F52")
) {
    struct batch_row {
        const char* words;
        statement_kind kind;
        bool is_clean;
        bool writes;
    };
    // clang-format off
    constexpr batch_row batches[] = {
        {"SELECT 1",                                          text,   clean, false},
        {"  select a, b from t where c = @P1",                text,   clean, false},
        {"SELECT 1 SELECT 2",                                 text,   clean, false},
        {"SELECT 1 DELETE FROM t",                            text,   clean, true},
        {"SELECT a INTO t2 FROM t",                           text,   clean, true},
        {"SELECT a INTO #t FROM t",                           text,   dirty, true},
        {"SELECT * FROM #t",                                  text,   dirty, false},
        {"SELECT 1 SET LOCK_TIMEOUT 5",                       text,   dirty, false},
        {"SELECT 1 USE master",                               text,   dirty, false},
        {"SELECT 1 EXEC sp_who",                              text,   dirty, true},
        {"SELECT 1 COMMIT",                                   commit, clean, true},
        {"INSERT INTO t VALUES (1) COMMIT TRAN",              commit, clean, true},
        {"INSERT INTO t VALUES (1)",                          text,   clean, true},
        {"UPDATE t SET a = 1",                                text,   clean, true},
        {"UPDATE t SET a = 1 SET ROWCOUNT 5",                 text,   dirty, true},
        {"INSERT INTO t VALUES (1) SET ROWCOUNT 5",           text,   dirty, true},
        {"MERGE t USING u ON a = b WHEN MATCHED THEN UPDATE SET c = d;", text, clean, true},
        {"WITH x AS (SELECT 1 a) DELETE FROM x",              text,   clean, true},
        {"BEGIN",                                             text,   clean, true},
        {"begin transaction one",                             text,   clean, true},
        {"BEGIN TRAN INSERT INTO t VALUES (1) COMMIT",        commit, clean, true},
        {"BEGIN TRY SELECT 1 END TRY BEGIN CATCH END CATCH",  text,   dirty, true},
        {"BEGIN SELECT 1 END",                                text,   dirty, true},
        {"COMMIT",                                            commit, clean, true},
        {"commit tran",                                       commit, clean, true},
        {"/* a /* nested */ one */ -- and\n COMMIT WORK",     commit, clean, true},
        {"SELECT 1 -- COMMIT",                                text,   clean, false},
        {"SELECT 1 /* COMMIT */",                             text,   clean, false},
        {"SELECT committed FROM t",                           text,   clean, false},
        {"SELECT [commit] FROM t",                            commit, clean, true},
        {"ROLLBACK TRANSACTION",                              text,   clean, true},
        {"SAVE TRAN a",                                       text,   clean, true},
        {"SAVE me",                                           text,   dirty, true},
        {"END",                                               text,   dirty, true},
        {"SET XACT_ABORT ON",                                 text,   dirty, true},
        {"USE rtc",                                           text,   dirty, true},
        {"EXEC close_the_day",                                text,   dirty, true},
        {"sp_executesql N'COMMIT'",                           commit, dirty, true},
        {"DECLARE c CURSOR FOR SELECT 1",                     text,   dirty, true},
        {"CREATE TABLE t (a int)",                            text,   dirty, true},
        {"",                                                  text,   dirty, true},
    };
    // clang-format on
    for (const auto& [words, kind, is_clean, writes] : batches)
        BOOST_TEST_CONTEXT(words) {
            const auto made = classify(words, engine::sql_server);
            BOOST_TEST((made.kind == kind));
            BOOST_TEST(made.clean == is_clean);
            BOOST_TEST(made.may_write == writes);
        }
}

BOOST_AUTO_TEST_CASE(
    of_other_engines_may_leave_locks_and_variables, *utf::label("P6") * utf::label("F52")
) {
    BOOST_TEST(classify("SELECT 1", engine::other).clean);
    BOOST_TEST(!classify("SELECT @a := 1", engine::other).clean);
    BOOST_TEST(!classify("SELECT GET_LOCK('a', 1)", engine::other).clean);
    BOOST_TEST(!classify("PRAGMA foreign_keys = 1", engine::other).clean);
    BOOST_TEST(!classify("USE rtc", engine::other).clean);
    BOOST_TEST(classify("SELECT a @> b FROM t", engine::postgresql).clean);
}

BOOST_AUTO_TEST_CASE(know_a_commit_in_any_case_behind_any_space, *utf::label("C6")) {
    const std::string before[] = {
        "", " ", "\t\n", "\r\f", "-- x\n", "-- x\r\n", "/**/", "/*\n*/ -- y\n ", ";"};
    const std::string after[] = {"", ";", " ;", " WORK", "/**/", "\n--x", "\r"};
    for (const auto& lead : before)
        for (const auto& tail : after)
            for (unsigned bits = 0; bits < 64; ++bits) {
                std::string word = "commit";
                for (std::size_t i = 0; i < word.size(); ++i)
                    if ((bits >> i & 1U) != 0)
                        word[i] = static_cast<char>(word[i] - 'a' + 'A');
                if (classify(lead + word + tail).kind != commit)
                    BOOST_ERROR(lead + word + tail);
            }
}

BOOST_AUTO_TEST_CASE(doubt_whatever_follows_a_statement, *utf::label("P6")) {
    for (const auto& row : statements) {
        const std::string words = std::string("SELECT 1; ") + row.words;
        const bool nothing_more = std::string_view(row.words).empty() ||
                                  std::string_view(row.words) == "-- COMMIT" ||
                                  std::string_view(row.words).starts_with("/* never");
        BOOST_TEST_CONTEXT(words) BOOST_TEST(classify(words).clean == nothing_more);
    }
}

BOOST_AUTO_TEST_CASE(are_found_for_any_bytes, *utf::label("X7")) {
    const std::string_view alphabet = "c;-/*\n' \x80";
    std::string any(6, ' ');
    std::size_t clean_ones = 0;
    std::size_t all = 1;
    for (std::size_t i = 0; i < any.size(); ++i)
        all *= alphabet.size();
    for (std::size_t n = 0; n < all / 8; ++n) {
        auto rest = n * 8;
        for (auto& c : any) {
            c = alphabet[rest % alphabet.size()];
            rest /= alphabet.size();
        }
        clean_ones += classify(any).clean ? 1U : 0U;
    }
    BOOST_TEST(clean_ones == 0U); // None of them is a word of the list.
}

BOOST_AUTO_TEST_CASE(
    say_what_became_of_a_transaction_that_ended_with_them, *utf::label("C5") * utf::label("C7")
) {
    struct ending_row {
        engine by;
        const char* words;
        bool undoes;
        bool hides;
        bool restarts;
    };
    constexpr auto postgresql = engine::postgresql;
    constexpr auto sql_server = engine::sql_server;
    constexpr auto other = engine::other;
    // clang-format off
    constexpr ending_row endings[] = {
        {postgresql, "ROLLBACK",                              true,  false, false},
        {postgresql, "/* a */ abort",                         true,  false, false},
        {postgresql, "ROLLBACK; INSERT INTO t VALUES (1)",    false, false, false},
        {postgresql, "INSERT INTO t VALUES (1)",              false, false, false},
        {postgresql, "CALL p()",                              false, false, false},
        {postgresql, "CREATE TABLE t (a int)",                false, false, false},
        {postgresql, "BEGIN",                                 false, false, false},
        {sql_server, "ROLLBACK TRANSACTION",                  true,  false, false},
        {sql_server, "ROLLBACK INSERT INTO t VALUES (1)",     false, false, false},
        {sql_server, "ROLLBACK EXEC p",                       false, true,  false},
        {sql_server, "UPDATE t SET a = 1",                    false, false, false},
        {sql_server, "BEGIN TRAN",                            false, false, false},
        {sql_server, "SAVE TRAN a",                           false, false, false},
        {sql_server, "SET NOCOUNT ON; UPDATE t SET a = 1",    false, false, false},
        {sql_server, "DECLARE @x int = 1 UPDATE t SET a = @x", false, false, false},
        {sql_server, "BEGIN TRY UPDATE t SET a = 1 END TRY BEGIN CATCH ROLLBACK; THROW; END CATCH", true, false, false},
        {sql_server, "IF @@TRANCOUNT > 0 ROLLBACK",           true,  false, false},
        {sql_server, "IF @@TRANCOUNT > 0 COMMIT ELSE ROLLBACK", false, false, false},
        {sql_server, "CREATE TABLE t (a int)",                false, false, false},
        {sql_server, "EXEC p",                                false, true,  false},
        {sql_server, "p 1",                                   false, true,  false},
        {sql_server, "SELECT 1 EXECUTE p",                    false, true,  false},
        {other,      "ROLLBACK",                              true,  false, false},
        {other,      "INSERT INTO t VALUES (1)",              false, false, false},
        {other,      "REPLACE INTO t VALUES (1)",             false, false, false},
        {other,      "SHOW TABLES",                           false, false, false},
        {other,      "CREATE TABLE t (a int)",                false, true,  false},
        {other,      "TRUNCATE t",                            false, true,  false},
        {other,      "LOCK TABLES t WRITE",                   false, true,  false},
        {other,      "SELECT 1; DROP TABLE t",                false, true,  false},
        {other,      "START TRANSACTION",                     false, true,  true},
        {other,      "begin",                                 false, true,  true},
        {other,      "CALL p()",                              false, true,  true},
    };
    // clang-format on
    for (const auto& [by, words, undoes, hides, restarts] : endings)
        BOOST_TEST_CONTEXT(words) {
            const auto made = classify(words, by);
            BOOST_TEST(made.undoes == undoes);
            BOOST_TEST(made.hides_commits == hides);
            BOOST_TEST(made.restarts == restarts);
        }
}

BOOST_AUTO_TEST_CASE(tells_a_commit_alone_from_one_with_company, *utf::label("C7")) {
    for (const auto* const alone :
         {"COMMIT",
          " commit ; ",
          "COMMIT TRANSACTION",
          "commit tran;",
          "COMMIT WORK",
          "/* x */ COMMIT"})
        BOOST_TEST(core::commits_alone(alone), alone);
    for (const auto* const not_alone :
         {"",
          "COMMIT; SELECT 1",
          "COMMIT SELECT 1/0",
          "COMMIT AND CHAIN",
          "COMMIT TRAN x",
          "END",
          "COMMIT WORK SELECT 1",
          "COMMIT PREPARED 'x'",
          "SELECT 1",
          ";COMMIT"})
        BOOST_TEST(!core::commits_alone(not_alone), not_alone);
}

BOOST_AUTO_TEST_SUITE_END()

}
