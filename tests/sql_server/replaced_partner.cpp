// SPDX-License-Identifier: Apache-2.0
// The documentation's table of a stale partner name: a client knows A and B; A is replaced by C.
#include "sql_server/pair.hpp"
#include "support/process.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

constexpr auto impossible = 1s;

/// A is site one on its first machine, B is site two, C is site one on another machine.
struct replaced : mirrored_pair {
    const std::string second_machine = spare_address();

    replaced() {
        hosts->set("a.test", tds_double::address(site::one));
        hosts->set("b.test", tds_double::address(site::two));
        hosts->set("c.test", second_machine);
    }

    void open_with_a_and_b(std::string_view more = {}) {
        open_by(
            fmt::format("a.test,{}", port_of_a),
            fmt::format("b.test,{}", served.port(site::two)),
            more
        );
    }

    void kill(site which) {
        served.with([which](simulated_store& of) { of.kill(which); });
    }

    // Row 2: A fails and B takes over.
    void lose_a() {
        kill(site::one);
        await(site::two);
    }

    // Row 3: mirroring goes on between B and C.
    void replace_a_by_c() {
        lose_a();
        BOOST_TEST_REQUIRE(served.move(site::one, second_machine, usual_port, "C.TEST"));
        served.set_partner_name(site::two, "C.TEST");
        served.with([](simulated_store& of) { of.restart(site::one); });
        settle();
    }

    // Row 4: C becomes the principal.
    void fail_over_to_c() {
        served.with([](simulated_store& of) { of.switch_over(); });
        await(site::one);
        settle();
    }

    void lose_b() {
        kill(site::two);
        await(site::one);
    }

    void learns_c() {
        await_view("C to be learned", [](const topology& view) {
            return view.members.size() == 3U && view.members[2].at.host == "c.test" &&
                   !view.members[2].trouble;
        });
    }

    const int port_of_a = served.port(site::one);
};

}

BOOST_FIXTURE_TEST_SUITE(a_partner_that_was_replaced, replaced, *utf::label("C47"))

BOOST_AUTO_TEST_CASE(row_1_a_serves_and_b_mirrors_it) {
    open_with_a_and_b();
    BOOST_TEST(writes_at(site::one));
}

BOOST_AUTO_TEST_CASE(row_2_a_has_failed_and_b_serves) {
    lose_a();
    open_with_a_and_b();
    BOOST_TEST(writes_at(site::two));
}

BOOST_AUTO_TEST_CASE(row_3_b_serves_and_tells_its_new_partner_c, *utf::label("C43")) {
    replace_a_by_c();
    open_with_a_and_b("Partner_Allowed=c.test");
    BOOST_TEST(writes_at(site::two));
    learns_c();
}

BOOST_AUTO_TEST_CASE(row_3_c_stays_unknown_to_who_does_not_allow_it, *utf::label("X3")) {
    replace_a_by_c();
    open_with_a_and_b();
    BOOST_TEST(writes_at(site::two));
    await_view("C to be shown", [](const topology& view) {
        return view.unlisted == std::vector<endpoint>{{"c.test", usual_port, {}}};
    });
    BOOST_TEST(was_told("c.test"));
    BOOST_TEST(served.counted(site::one).to_database == 0U);
}

BOOST_AUTO_TEST_CASE(row_4_a_client_that_was_there_follows_from_b_to_c, *utf::label("C43")) {
    open_with_a_and_b("Partner_Allowed=c.test");
    BOOST_TEST(writes_at(site::one));
    replace_a_by_c();
    BOOST_TEST(writes_at(site::two));
    learns_c();
    fail_over_to_c();
    BOOST_TEST(writes_at(site::one));
    lose_b();
    BOOST_TEST(writes_at(site::one));
}

// B is C's mirror by then, and shows nobody its part: a client that comes now cannot find C by the
// names it has. The engine gives it no way; the message says what would help.
BOOST_AUTO_TEST_CASE(row_4_a_client_that_comes_late_finds_neither_a_nor_b_serving) {
    replace_a_by_c();
    fail_over_to_c();
    open_with_a_and_b("Partner_Allowed=c.test");
    const auto row = write(impossible);
    BOOST_TEST_REQUIRE(!row.where.has_value());
    BOOST_TEST(row.where.error().message.find("b.test") != std::string::npos);
    BOOST_TEST(row.took < impossible + 100ms);
}

BOOST_AUTO_TEST_CASE(row_4_such_a_client_finds_c_by_what_a_former_process_learned) {
    const temporary_folder folder("hadr-sql-server");
    const auto keys = "Partner_Allowed=c.test;State_File=" + folder.path() + "/state";
    open_with_a_and_b(keys);
    BOOST_TEST(writes_at(site::one));
    replace_a_by_c();
    BOOST_TEST(writes_at(site::two));
    learns_c();
    close();
    fail_over_to_c();
    open_with_a_and_b(keys);
    BOOST_TEST(writes_at(site::one));
}

BOOST_AUTO_TEST_SUITE_END()

}
