// SPDX-License-Identifier: Apache-2.0
// The suite pointed at a server of somebody's own, which the double plays: it has learned as much
// Transact-SQL as that takes.
#include "support/process.hpp"
#include "support/tds/tds_double.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

namespace hadr::test {

using namespace std::chrono_literals;
using testing::site;

namespace {

failure number(int native) {
    auto why = make_failure(errc::rejected_by_server, advice::give_up, "refused");
    why.native = native;
    why.server_text = "refused";
    return why;
}

/// Runs on the double's thread.
class more_transact_sql {
public:
    expected<void> operator()(std::string_view text, answer& into) {
        if (text.find("hadr_nowhere") != std::string_view::npos)
            return number(208);
        if (text.starts_with("INSERT INTO hadr_once") && ++times_[std::string(text)] > 1)
            return number(2627);
        if (text.starts_with("SELECT TOP (100000)"))
            rows(into, 100'000);
        if (text.starts_with("SELECT REPLICATE(CAST"))
            value(into, std::string(3'000'000, 'a'));
        if (text.starts_with("SELECT CASE WHEN @@LOCK_TIMEOUT"))
            value(into, "0"); // Nothing is kept there.
        return {};
    }

private:
    static void value(answer& into, const std::string& one) {
        into.add_column("");
        into.add_value(one);
    }

    static void rows(answer& into, int last) {
        into.add_column("n");
        for (int i = 1; i <= last; ++i)
            into.add_value(std::to_string(i));
    }

    std::map<std::string, int, std::less<>> times_;
};

}

BOOST_AUTO_TEST_SUITE(a_server_of_ones_own)

BOOST_AUTO_TEST_CASE(is_held_against_the_claims_of_every_driver) {
    tds::tds_double::settings how;
    how.store.kind = engine::sql_server;
    tds::tds_double pair(how);
    pair.answer_others(more_transact_sql());
    const auto said =
        run({.words = {"/proc/self/exe", "--run_test=every_driver", "--color_output=no"},
             .environment = {{"HADR_SQL_SERVER_PAIR", pair.connection_string()}},
             .as_servers = false},
            200s);
    BOOST_TEST(said.find("own_sql_server: 26 claims held, 7") != std::string::npos, said);
    BOOST_TEST(said.find("declared: own_sql_server") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}
