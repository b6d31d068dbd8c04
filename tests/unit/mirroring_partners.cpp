// SPDX-License-Identifier: Apache-2.0
#include "core/allow_list.hpp"
#include "mirroring/decide.hpp"
#include "unit/mirrored_pair.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr const char* allowing_db3 = "Witness=pg_auto_failover:mon:5000;Partner_Allowed=db3;";

std::vector<cells> b_replaced_by_c() {
    return nodes({{"db1", "primary", "primary"}, {"db3", "secondary", "secondary"}});
}

std::vector<cells> c_is_primary() {
    return nodes({{"db1", "secondary", "secondary"}, {"db3", "primary", "primary"}});
}

news c(const cells& row) {
    return {{subject::kind::member, 2}, answer_of({row})};
}

std::size_t asked_members(const mirrored_pair& pair) {
    const auto plan = pair.next();
    return static_cast<std::size_t>(std::count_if(
        plan.ask.begin(),
        plan.ask.end(),
        [](const inquiry& one) { return one.to.what == subject::kind::member; }
    ));
}

}

BOOST_AUTO_TEST_SUITE(mirroring_partners, *utf::label("C43") * utf::label("X3"))

BOOST_AUTO_TEST_CASE(are_learned_from_the_witness_where_they_are_allowed) {
    auto pair = healthy(allowing_db3);
    pair.hears(w(b_replaced_by_c()));
    BOOST_TEST_REQUIRE(pair.is().members.size() == 3U);
    BOOST_TEST((pair.is().members[2].at == endpoint{"db3", 5432, {}}));
    BOOST_TEST(pair.is().members[2].name == "partner 3");
    BOOST_TEST(pair.is().unlisted.empty());
    BOOST_TEST(asked_members(pair) == 3U);
    pair.hears(w(b_replaced_by_c())); // Once.
    BOOST_TEST(pair.is().members.size() == 3U);
}

BOOST_AUTO_TEST_CASE(that_nobody_allowed_are_shown_and_never_contacted) {
    auto pair = healthy();
    pair.hears(w(b_replaced_by_c()));
    BOOST_TEST(pair.is().members.size() == 2U);
    BOOST_TEST_REQUIRE(pair.is().unlisted.size() == 1U);
    BOOST_TEST(pair.is().unlisted[0].host == "db3");
    BOOST_TEST(asked_members(pair) == 2U);
    pair.hears(w(c_is_primary()));
    BOOST_TEST((pair.is().writer == std::nullopt));
    BOOST_TEST(pair.is().cause.find("Partner_Allowed") != std::string::npos);
}

// The four rows of the table: the client holds A/B; B is replaced by C; then C takes over.
BOOST_AUTO_TEST_CASE(a_client_of_a_and_b_follows_to_c, *utf::label("C47")) {
    auto pair = healthy(allowing_db3);
    BOOST_TEST((pair.is().writer == 0U)); // A/B, A serves.
    pair.hears({w(b_replaced_by_c()), b(down()), c(standby(1))});
    BOOST_TEST((pair.is().writer == 0U)); // A/C, A serves.
    BOOST_TEST(pair.is().state == availability::serving);
    pair.hears({w(c_is_primary()), a(down()), c(primary(2))});
    BOOST_TEST((pair.is().writer == 2U)); // A/C, C serves.
    BOOST_TEST((pair.is().accepted->term == 2U));
}

BOOST_AUTO_TEST_CASE(are_remembered_by_a_restarted_client, *utf::label("C47")) {
    mirrored_pair pair(allowing_db3);
    pair.happens(remembered{
        {ours, 2, {}, {}, proof::engine_named},
        {{"db1", 5432, {}}, {"db2", 5432, {}}, {"db3", 5432, {}}, {"evil", 5432, {}}}});
    BOOST_TEST_REQUIRE(pair.is().members.size() == 3U); // What is not allowed is not contacted.
    // The witness is out of reach, both configured servers are gone: C proves itself.
    pair.hears({w(silent()), a(down()), b(down()), c(primary(2))});
    BOOST_TEST((pair.is().writer == 2U));
}

BOOST_AUTO_TEST_CASE(that_the_witness_drops_are_left_alone_and_may_return) {
    auto pair = healthy(allowing_db3);
    pair.hears(w(b_replaced_by_c()));
    pair.hears(w(a_is_primary()));
    BOOST_TEST(pair.is().members.size() == 3U);
    BOOST_TEST(asked_members(pair) == 2U);
    pair.hears(w(b_replaced_by_c()));
    BOOST_TEST(asked_members(pair) == 3U);
}

BOOST_AUTO_TEST_CASE(are_bounded_in_number, *utf::label("X7")) {
    mirrored_pair pair("Witness=pg_auto_failover:mon:5000;Partner_Allowed=*;");
    std::vector<std::string> hosts;
    for (int i = 0; i < 60; ++i)
        hosts.push_back("host" + std::to_string(i));
    std::vector<node> all;
    for (const auto& host : hosts)
        all.push_back({host.c_str(), "secondary", "secondary"});
    pair.hears(w(nodes(all)));
    BOOST_TEST(pair.is().members.size() == 16U);
}

BOOST_AUTO_TEST_CASE(are_known_by_address_or_name_and_never_by_a_guess, *utf::label("E9")) {
    const std::vector<endpoint> members{{"db1.example.com", 0, {}}, {"localhost", 6000, {}}};
    const struct {
        const char* when;
        hadr::mirroring::witness_row row;
        std::optional<std::size_t> which;
    } decisions[] = {
        {"the same host and port", {{"db1.example.com", 5432, {}}, "n1", {}, {}, {}}, 0},
        {"another address, and the node bears the host's first label",
         {{"10.0.0.1", 5432, {}}, "db1", {}, {}, {}},
         0},
        {"both are this machine", {{"127.0.0.1", 6000, {}}, "n2", {}, {}, {}}, 1},
        {"only the port is the same", {{"10.0.0.9", 5432, {}}, "n3", {}, {}, {}}, std::nullopt},
        {"only the host is the same",
         {{"db1.example.com", 5433, {}}, "n1", {}, {}, {}},
         std::nullopt},
        {"a name that is part of a host's",
         {{"10.0.0.9", 5432, {}}, "db", {}, {}, {}},
         std::nullopt},
        {"no name", {{"10.0.0.9", 5432, {}}, "", {}, {}, {}}, std::nullopt},
    };
    for (const auto& [when, row, which] : decisions)
        BOOST_TEST_CONTEXT(when)
    BOOST_TEST((hadr::mirroring::member_of(row, members) == which));
}

BOOST_AUTO_TEST_CASE(are_allowed_by_patterns_of_hosts_and_ports) {
    const struct {
        const char* pattern;
        endpoint at;
        bool fits;
    } decisions[] = {
        {"db3", {"db3", 5432, {}}, true},
        {"db3", {"db33", 5432, {}}, false},
        {"db3", {"xdb3", 5432, {}}, false},
        {"db3:5432", {"db3", 5432, {}}, true},
        {"db3:5432", {"db3", 5433, {}}, false},
        {"*.example.com", {"db3.example.com", 1, {}}, true},
        {"*.example.com", {"a.b.example.com", 1, {}}, true},
        {"*.example.com", {"example.com", 1, {}}, false},
        {"*.example.com", {".example.com", 1, {}}, false},
        {"*.example.com", {"db3.example.com.evil.org", 1, {}}, false},
        {"*.example.com:5432", {"db3.example.com", 5432, {}}, true},
        {"*.example.com:5432", {"db3.example.com", 22, {}}, false},
        {"::1", {"::1", 5432, {}}, true},
        {"[::1]", {"::1", 5432, {}}, true},
        {"[::1]:5432", {"::1", 5432, {}}, true},
        {"[::1]:5432", {"::1", 5433, {}}, false},
        {"[::1", {"::1", 5433, {}}, false},
        {"*", {"169.254.169.254", 80, {}}, true},
        {"", {"db3", 5432, {}}, false},
    };
    for (const auto& [pattern, at, fits] : decisions)
        BOOST_TEST_CONTEXT(pattern << " and " << at) {
            const std::vector<std::string> patterns{"other", pattern};
            BOOST_TEST(core::allowed(at, patterns) == fits);
        }
    BOOST_TEST(!core::allowed({"db3", 5432, {}}, {}));
}

BOOST_AUTO_TEST_SUITE_END()

}
