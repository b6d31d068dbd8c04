// SPDX-License-Identifier: Apache-2.0
#include "core/policy.hpp"

#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace hadr::test {

namespace utf = boost::unit_test;
using core::check_policy;

namespace {

struct policy_row {
    const char* text;       ///< After "Database=rtc;UID=app;".
    const char* refused_by; ///< The override that the refusal names; or null.
    const char* ids;
};

#define PAIR "Mode=mirroring;Server=sql1;Failover_Partner=sql2;"
#define GROUP "Mode=availability_group;Server=sql1;Listener=ag1;"
#define INSTANCE "Mode=failover_cluster_instance;Server=sql1;"
#define CLUSTER "Mode=failover_cluster;Server=sql1;"

// clang-format off
constexpr policy_row policy_rows[] = {
    {"Generation=2015;" PAIR,                                                       nullptr, ""},
    {"Generation=2019;" PAIR,                                                       "mirroring_generation_2019", "C2"},
    {"Generation=2019;" PAIR "Policy_Override=mirroring_generation_2019",           nullptr, ""},
    {"Generation=2019;" GROUP "Database_Version=2016;Edition=enterprise",           nullptr, ""},
    {"Generation=2015;" PAIR "Safety=off",                                          "asynchronous_mirroring", "C1"},
    {"Generation=2015;" PAIR "Database_Version=2016;Partner_Version=2014",          "partner_versions", "C3"},
    {"Generation=2015;" PAIR "Database_Version=2016;Witness_Version=2014",          "partner_versions", "C3"},
    {"Generation=2015;" PAIR "Partner_Version=2016;Witness_Version=2014",           "partner_versions", "C3"},
    {"Generation=2015;" PAIR "Database_Version=2016;Partner_Version=2016;Witness_Version=2016", nullptr, ""},
    {"Generation=2015;" PAIR "Edition=enterprise;Partner_Edition=standard",         "partner_editions", "C3"},
    {"Generation=2015;" PAIR "Edition=standard;Partner_Edition=standard",           nullptr, ""},
    {"Generation=2015;" PAIR "Edition=standard;Database_Version=2012 SP2",          nullptr, ""},
    {"Generation=2015;Server_Role=persistent_chat;" PAIR,                           nullptr, ""},
    {"Generation=2015;Server_Role=persistent_chat;" GROUP,                          "persistent_chat_availability_group", "I2"},
    {"Generation=2019;Server_Role=persistent_chat;" INSTANCE,                       "persistent_chat_generation_2019", "I1"},
    {"Generation=2015;" GROUP "Edition=standard",                                   "availability_group_standard_edition", "D2"},
    {"Generation=2019;" GROUP "Edition=standard;Database_Version=2019",             "availability_group_standard_edition", "D2"},
    {"Generation=2015;" INSTANCE "Edition=standard;Database_Version=2014",          "instance_cluster_standard_edition", "E2"},
    {"Generation=2015;" INSTANCE "Edition=standard;Database_Version=2016",          nullptr, ""},
    {"Generation=2015;" CLUSTER "Edition=standard;Database_Version=2012",           nullptr, ""},
    {"Generation=2015;" PAIR "Database_Version=2008 R2",                            "database_version", "B13"},
    {"Generation=2015;" PAIR "Database_Version=2012 SP1",                           "database_version", "B13"},
    {"Generation=2015;" PAIR "Database_Version=20190",                              "database_version", "B13"},
    {"Generation=2019;" INSTANCE "Database_Version=2014",                           "database_version_generation_2019", "B14"},
    {"Generation=2019;" INSTANCE "Database_Version=2017",                           nullptr, ""},
    {"Generation=2015;Mode=availability_group;Server=sql1;Listener=ag1:1433",       nullptr, ""},
    {"Generation=2015;Mode=availability_group;Server=sql1;Listener=ag1:1533",       "listener_port", "D6"},
    {"Generation=2015;" GROUP "ApplicationIntent=ReadOnly",                         "readable_secondary", "D5"},
    {"Generation=2015;Mode=availability_group;Server=sql1\\a,sql2\\b;Listener=ag1", "instance_names", "D3"},
    {"Generation=2015;Mode=availability_group;Server=sql1\\a,sql2\\a;Listener=ag1", nullptr, ""},
    {"Generation=2015;" CLUSTER,                                                    nullptr, ""},
};

struct warning {
    const char* text;
    const char* ids;
};

constexpr warning warnings[] = {
    {"Generation=2015;Mode=standalone;Server=sql1",                                       "B1"},
    {"Engine=postgresql;Generation=2015;" PAIR,                                           "C6"},
    {"Generation=2015;Mode=mirroring;Server=a.x.net;Failover_Partner=b.y.net",            "C11"},
    {"Generation=2015;Mode=availability_group;Server=sql1",                               "D8"},
    {"Generation=2019;" PAIR "Policy_Override=mirroring_generation_2019",                 "C2"},
};
// clang-format on

#undef PAIR
#undef GROUP
#undef INSTANCE
#undef CLUSTER

store_specification store(const std::string& text) {
    auto made = parse("Driver={ODBC Driver 17 for SQL Server};Database=rtc;UID=app;" + text);
    BOOST_TEST_REQUIRE(made.has_value(), text << ": " << (made ? "" : made.error().message));
    return *std::move(made);
}

bool mentions(const std::vector<std::string>& all, std::string_view word) {
    return std::any_of(all.begin(), all.end(), [&](const std::string& one) {
        return one.find(word) != std::string::npos;
    });
}

std::optional<std::string> some(std::string_view text) {
    return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

// Generation x mode x version x edition x role.
void for_every_store(const std::function<void(const store_specification&)>& check) {
    store_specification s;
    s.servers = {{"sql1", 0, ""}};
    for (const int generation : {0, 2015, 2019})
        for (int how = 0; how < 5; ++how)
            for (const auto* version : {"", "2008", "2012", "2014", "2016", "2017", "2019", "2022"})
                for (int edition = 0; edition < 3; ++edition)
                    for (int role = 0; role < 4; ++role) {
                        s.generation.reset();
                        if (generation != 0)
                            s.generation = static_cast<generation_year>(generation);
                        s.how = static_cast<mode>(how);
                        s.database_version = some(version);
                        s.edition.reset();
                        if (edition < 2)
                            s.edition = static_cast<sql_edition>(edition);
                        s.role = static_cast<server_role>(role);
                        check(s);
                    }
}

// The same from the rules' text, for the plain stores of for_every_store.
bool supported(const store_specification& s) {
    const bool standard = s.edition == sql_edition::standard;
    const bool chat = s.role == server_role::persistent_chat;
    const auto version = s.database_version.value_or("");
    const std::array<std::string_view, 5> sold = {"2012", "2014", "2016", "2017", "2019"};
    if (!version.empty()) {
        const auto at = std::find(sold.begin(), sold.end(), version);
        const auto oldest = s.generation == generation_year::v2019 ? 2 : 0;
        if (at == sold.end() || at - sold.begin() < oldest)
            return false;
    }
    switch (s.how) {
    case mode::mirroring: return s.generation == generation_year::v2015;
    case mode::availability_group: return !standard && !chat;
    case mode::failover_cluster_instance:
        if (standard && (version == "2012" || version == "2014"))
            return false;
        break;
    case mode::standalone:
    case mode::failover_cluster: break;
    }
    return !(chat && s.generation == generation_year::v2019);
}

}

BOOST_AUTO_TEST_SUITE(support_policy)

BOOST_AUTO_TEST_CASE(
    refuses_with_the_rule_the_reason_and_the_override,
    *utf::label("C1") * utf::label("C2") * utf::label("C3") * utf::label("I1") * utf::label("I2") *
        utf::label("B13") * utf::label("B14") * utf::label("D2") * utf::label("D3") *
        utf::label("D4") * utf::label("D5") * utf::label("D6") * utf::label("E2") * utf::label("F1")
) {
    for (const auto& [text, name, ids] : policy_rows)
        BOOST_TEST_CONTEXT(text) {
            const auto made = check_policy(store(text));
            BOOST_TEST(made.has_value() == (name == nullptr), (made ? "" : made.error().message));
            if (made || name == nullptr)
                continue;
            const auto& why = made.error();
            BOOST_TEST(why.code == errc::configuration_invalid);
            BOOST_TEST(
                why.message.find(std::string("Policy_Override=") + name) != std::string::npos,
                why.message
            );
            BOOST_TEST(why.message.find(ids) != std::string::npos, why.message);
            BOOST_TEST(why.message.find("generation 20") != std::string::npos, why.message);
            auto knowingly = store(text);
            knowingly.policy_overrides.emplace_back(name);
            const auto after = check_policy(knowingly);
            BOOST_TEST_REQUIRE(after.has_value());
            BOOST_TEST(mentions(*after, ids)); // Overridden is not forgotten.
        }
}

BOOST_AUTO_TEST_CASE(
    warns_of_what_is_allowed_but_weak,
    *utf::label("B1") * utf::label("C6") * utf::label("C11") * utf::label("D8")
) {
    for (const auto& [text, ids] : warnings)
        BOOST_TEST_CONTEXT(text) {
            const auto made = check_policy(store(text));
            BOOST_TEST_REQUIRE(made.has_value());
            BOOST_TEST(mentions(*made, ids));
        }
    const auto quiet =
        check_policy(store("Generation=2015;Mode=mirroring;Server=a.x.net;Failover_Partner=b.x.net")
        );
    BOOST_TEST_REQUIRE(quiet.has_value());
    BOOST_TEST(!mentions(*quiet, "C11"));
}

BOOST_AUTO_TEST_CASE(
    keeps_reporting_and_chat_databases_out_of_a_group, *utf::label("D4") * utf::label("C49")
) {
    for (const auto* name : {"ReportServer", "ReportServerTempDB", "mgc", "mgccomp"})
        for (const auto* how : {"availability_group", "failover_cluster"}) {
            const auto made = check_policy(*parse(
                std::string("Driver=x;UID=app;Generation=2015;Server=a;Mode=") + how +
                ";Database=" + name
            ));
            BOOST_TEST(made.has_value() == (std::string_view(how) == "failover_cluster"));
        }
    BOOST_TEST(check_policy(*parse("Driver=x;UID=app;Generation=2015;Server=a;Mode=availability_"
                                   "group;Database=reportserver"))
                   .has_value());
}

BOOST_AUTO_TEST_CASE(
    is_silent_without_a_generation, *utf::label("C1") * utf::label("C2") * utf::label("B1")
) {
    for_every_store([](const store_specification& s) {
        if (s.generation)
            return;
        const auto made = check_policy(s);
        BOOST_TEST((made && made->empty()));
    });
    auto asynchronous = store("Mode=mirroring;Server=a;Failover_Partner=b;Safety=off");
    BOOST_TEST(check_policy(asynchronous)->empty());
}

BOOST_AUTO_TEST_CASE(
    decides_every_combination_as_the_documents_do,
    *utf::label("B13") * utf::label("B14") * utf::label("C2") * utf::label("D2") *
        utf::label("E2") * utf::label("I1") * utf::label("I2")
) {
    for_every_store([](const store_specification& s) {
        if (s.generation && check_policy(s).has_value() != supported(s))
            BOOST_ERROR(
                static_cast<int>(*s.generation)
                << ' ' << to_string(s.how) << ' ' << s.database_version.value_or("any version")
                << (s.edition == sql_edition::standard ? " standard" : "")
                << (s.role == server_role::persistent_chat ? " persistent chat" : "")
            );
    });
}

BOOST_AUTO_TEST_CASE(lets_overrides_lift_one_rule_each_until_none_is_left, *utf::label("B19")) {
    for_every_store([](const store_specification& s) {
        auto knowingly = s;
        for (int lifted = 0; lifted < 6; ++lifted) {
            const auto made = check_policy(knowingly);
            if (made)
                return;
            const auto& text = made.error().message;
            const auto at = text.find("Policy_Override=") + 16;
            const auto name = text.substr(at, text.find(' ', at) - at);
            BOOST_TEST(
                std::count(
                    knowingly.policy_overrides.begin(), knowingly.policy_overrides.end(), name
                ) == 0
            );
            knowingly.policy_overrides.push_back(name);
        }
        BOOST_ERROR("overrides do not end the refusals");
    });
}

BOOST_AUTO_TEST_CASE(names_the_nearest_override_for_one_it_does_not_know, *utf::label("X5")) {
    store_specification s;
    s.servers = {{"sql1", 0, ""}};
    s.policy_overrides = {"mirorring_generation_2019"};
    const auto made = check_policy(s);
    BOOST_TEST_REQUIRE(!made.has_value());
    BOOST_TEST(made.error().code == errc::configuration_invalid);
    BOOST_TEST(
        made.error().message.find("did you mean mirroring_generation_2019") != std::string::npos
    );
}

BOOST_AUTO_TEST_SUITE_END()

}
