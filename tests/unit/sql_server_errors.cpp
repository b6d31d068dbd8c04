// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/sql_server_errors.hpp"

#include "testing/sql_server_failures.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <vector>

namespace hadr::inline v0::odbc {

std::ostream& operator<<(std::ostream& out, const verdict& of) {
    return out << to_string(of.code) << ", " << to_string(of.next) << ", record " << of.record;
}

}

namespace hadr::test {

namespace utf = boost::unit_test;
using odbc::classify_sql_server;
using odbc::diagnostic;
using odbc::phase;
using odbc::verdict;

namespace {

using records = std::vector<diagnostic>;

diagnostic server(int native, const char* sqlstate = "42000") {
    return {sqlstate, native, "words that nobody reads: 18456 954 08S01"};
}

diagnostic driver(const char* sqlstate, int native = 0) {
    return {sqlstate, native, "Adaptive Server connection failed"};
}

constexpr verdict no_role(std::size_t at = 0) {
    return {errc::wrong_role, advice::retry, at};
}
constexpr verdict no_quorum(std::size_t at = 0) {
    return {errc::no_quorum, advice::retry, at};
}
constexpr verdict not_now(std::size_t at = 0) {
    return {errc::unreachable, advice::retry, at};
}
constexpr verdict again(std::size_t at = 0) {
    return {errc::rejected_by_server, advice::retry, at};
}
constexpr verdict final_no(std::size_t at = 0) {
    return {errc::rejected_by_server, advice::give_up, at};
}
constexpr verdict nobody_knows(std::size_t at = 0) {
    return {errc::outcome_unknown, advice::verify, at};
}

struct row {
    std::vector<int> numbers;
    verdict login;
    verdict statement;
    verdict commit;
    verdict lone_write;
};

// clang-format off
const std::vector<row> table = {
    {{954, 976, 978, 979, 982, 983, 3906, 3908},                  no_role(),   no_role(),      nobody_knows(), no_role()},
    {{955, 988},                                                  no_quorum(), no_quorum(),    nobody_knows(), nobody_knows()},
    {{956, 952, 921, 922, 927, 941, 942, 945, 4221, 6005, 17142, 17148, 17187, 18401, 18451, 18461},
                                                                  not_now(),   not_now(),      nobody_knows(), nobody_knows()},
    {{4060, 4064},                                                again(),     final_no(),     nobody_knows(), nobody_knows()},
    {{18456, 18452, 18470, 18486, 18487, 18488, 1346},            final_no(),  final_no(),     nobody_knows(), nobody_knows()},
    {{10928, 10929, 40143, 40166, 40197, 40501, 40540, 40613, 42108, 42109, 49918, 49919, 49920, 17809, 17810},
                                                                  again(),     nobody_knows(), nobody_knows(), nobody_knows()},
    {{1205, 3960, 41301, 41302, 41305, 41325},                    again(),     again(),        again(),        again()},
    {{1204, 1222},                                                again(),     again(),        nobody_knows(), again()},
    {{3902, 3903, 3930, 3998},                                    again(),     final_no(),     final_no(),     final_no()},
    {{21, 596, 605, 823, 824, 832, 913, 3314, 3414, 3624, 4014, 9001, 9004, 18056},
                                                                  not_now(),   nobody_knows(), nobody_knows(), nobody_knows()},
    {{102, 105, 156, 207, 208, 220, 229, 230, 245, 515, 547, 2601, 2627, 2628, 8114, 8115, 8152},
                                                                  again(),     final_no(),     nobody_knows(), final_no()},
    {{50000, 8134, 20009, 20598, 2147483647},                     again(),     final_no(),     nobody_knows(), nobody_knows()},
};
// clang-format on

}

BOOST_AUTO_TEST_SUITE(sql_server_errors)

BOOST_AUTO_TEST_CASE(
    are_judged_by_their_number,
    *utf::label("C51") * utf::label("C6") * utf::label("C7") * utf::label("F25") *
        utf::label("F26") * utf::label("F33") * utf::label("F37") * utf::label("F38")
) {
    for (const auto& [numbers, login, statement, commit, lone_write] : table)
        for (const int number : numbers)
            for (const auto* sqlstate : {"42000", "25000", "HY000", "40001"}) {
                if (number == 20009 && sqlstate != std::string_view("42000"))
                    continue; // FreeTDS's own, below.
                BOOST_TEST_CONTEXT(number << " " << sqlstate) {
                    const records all = {server(number, sqlstate)};
                    BOOST_TEST(classify_sql_server(all, phase::login, true) == login);
                    BOOST_TEST(classify_sql_server(all, phase::statement, false) == statement);
                    BOOST_TEST(classify_sql_server(all, phase::commit, false) == commit);
                    BOOST_TEST(classify_sql_server(all, phase::lone_write, false) == lone_write);
                    BOOST_TEST(
                        classify_sql_server(all, phase::lone_write, true).code ==
                        errc::outcome_unknown
                    );
                }
            }
}

BOOST_AUTO_TEST_CASE(
    of_a_login_are_searched_for_the_most_telling_one, *utf::label("C51") * utf::label("F26")
) {
    const auto login = [](const records& all) {
        return classify_sql_server(all, phase::login, true);
    };
    for (const int number : {954, 976, 983})
        BOOST_TEST(login({server(number), server(18456), driver("08001")}) == no_role());
    BOOST_TEST(login({server(18456), server(4060), driver("08001")}) == again(1));
    BOOST_TEST(login({server(4060), server(18456)}) == again(0));
    BOOST_TEST(login({server(4060), server(954)}) == no_role(1));
    BOOST_TEST(login({server(18456), server(955), server(4060)}) == no_quorum(1));
    BOOST_TEST(login({server(18456, "28000"), driver("08001")}) == final_no());
    BOOST_TEST(login({driver("08001"), server(18456)}) == final_no(1));
    BOOST_TEST(login({server(5701, "01000"), server(5703, "01000"), server(18456)}) == final_no(2));
    BOOST_TEST(login({server(17809), server(18456)}) == again(0));
}

BOOST_AUTO_TEST_CASE(of_the_driver_alone_say_nothing_of_a_server, *utf::label("C51")) {
    const auto login = [](const records& all) {
        return classify_sql_server(all, phase::login, true);
    };
    BOOST_TEST(login({}) == not_now(0));
    BOOST_TEST(login({driver("08S01", 20009), driver("08001")}) == not_now(2));
    BOOST_TEST(login({driver("08001", 20002)}) == not_now(1));
    BOOST_TEST(login({driver("01000", 20017)}) == not_now(1));
    BOOST_TEST(login({driver("HY000")}) == not_now(1));
    BOOST_TEST(login({driver("08S01", 104)}) == not_now(1));
    const verdict late{errc::deadline_exceeded, advice::retry, 0};
    BOOST_TEST(login({driver("HYT00"), driver("08001")}) == late);
    BOOST_TEST(login({driver("HYT00", 20003), driver("08001")}) == late);
}

BOOST_AUTO_TEST_CASE(
    of_a_lost_session_are_of_unknown_outcome,
    *utf::label("C6") * utf::label("C7") * utf::label("F1")
) {
    for (const auto during : {phase::statement, phase::commit}) {
        const auto judged = [during](const records& all, bool dead) {
            return classify_sql_server(all, during, dead);
        };
        BOOST_TEST(judged({}, true) == nobody_knows(0));
        BOOST_TEST(judged({}, false) == nobody_knows(0));
        BOOST_TEST(judged({driver("HY000")}, true) == nobody_knows(1));
        BOOST_TEST(judged({driver("01000", 20017)}, true) == nobody_knows(1));
        BOOST_TEST(judged({driver("08S01")}, false) == nobody_knows(1));
        BOOST_TEST(judged({driver("08S01", 104)}, false) == nobody_knows(1));
        BOOST_TEST(judged({driver("HYT00")}, true) == nobody_knows(1));
        BOOST_TEST(judged({server(2627)}, true) == nobody_knows(0));
        BOOST_TEST(judged({server(1205)}, true) == nobody_knows(0));
        BOOST_TEST(judged({server(3906), server(596)}, false) == nobody_knows(1));
        BOOST_TEST(judged({server(5701, "01000")}, false) == nobody_knows(1));
    }
}

BOOST_AUTO_TEST_CASE(of_time_are_never_taken_for_a_refusal, *utf::label("C6") * utf::label("F38")) {
    const records all = {driver("HYT00"), driver("HY008")};
    const verdict late{errc::deadline_exceeded, advice::verify, 0};
    BOOST_TEST(classify_sql_server(all, phase::statement, false) == late);
    BOOST_TEST(classify_sql_server(all, phase::commit, false) == nobody_knows(0));
    BOOST_TEST(classify_sql_server(all, phase::commit, true) == nobody_knows(2));
}

BOOST_AUTO_TEST_CASE(of_a_cancel_say_that_something_may_be_done, *utf::label("F38")) {
    const records all = {driver("HY008")};
    const verdict stopped{errc::rejected_by_server, advice::verify, 0};
    BOOST_TEST(classify_sql_server(all, phase::statement, false) == stopped);
    BOOST_TEST(classify_sql_server(all, phase::commit, false) == nobody_knows(0));
    BOOST_TEST(classify_sql_server(all, phase::statement, true) == nobody_knows(1));
}

BOOST_AUTO_TEST_CASE(of_a_commit_are_definite_on_a_written_list_alone, *utf::label("C7")) {
    int definite = 0;
    for (int number = 1; number <= 60'000; ++number) {
        const records all = {server(number)};
        const auto judged = classify_sql_server(all, phase::commit, false);
        if (judged.code == errc::outcome_unknown)
            continue;
        ++definite;
        BOOST_TEST(judged.code == errc::rejected_by_server);
    }
    BOOST_TEST(definite == 10);
}

// What applications test against is what they get.
BOOST_AUTO_TEST_CASE(of_the_simulated_server_are_judged_as_its_words_say, *utf::label("C51")) {
    for (const auto& one : testing::sql_server_failures)
        BOOST_TEST_CONTEXT(one.native) {
            const auto said = testing::sql_server_failure(one.native, "said");
            BOOST_TEST(said.native == one.native);
            const records all = {server(said.native, said.sqlstate.c_str())};
            const auto during = one.at_login ? phase::login : phase::statement;
            const auto judged = classify_sql_server(all, during, one.at_login);
            BOOST_TEST(said.code == judged.code);
            BOOST_TEST((said.next == judged.next));
        }
}

BOOST_AUTO_TEST_SUITE_END()

}
