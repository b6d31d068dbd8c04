// SPDX-License-Identifier: Apache-2.0
#include "core/values.hpp"
#include "property/strings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

std::string first_mode(const core::key_rule& rule) {
    const auto named =
        rule.modes == "all" ? "standalone" : rule.modes.substr(0, rule.modes.find(','));
    return std::string(named);
}

/// A valid string for a mode of the key, without the key itself.
std::string around(const core::key_rule& rule) {
    std::map<std::string_view, std::string> all = {
        {"Mode", first_mode(rule)}, {"Server", "db1"}, {"Database", "rtc"}, {"UID", "app"}};
    if (all["Mode"] == "mirroring") {
        all["Failover_Partner"] = "db2";
        all["Witness"] = "pg_auto_failover:monitor";
    }
    if (rule.name == "Witness")
        all.erase("Witness");
    if (rule.name == "Failover_Partner")
        all.erase("Failover_Partner");
    if (rule.name == "Certificate")
        all["Certificate_Key"] = "/key";
    if (rule.name == "Certificate_Key")
        all["Certificate"] = "/certificate";
    if (rule.name == "Engine")
        all["Driver"] = "FreeTDS";
    if (rule.name == "Pool_Min" || rule.name == "Pool_Warm")
        all["Pool_Max"] = "10000";
    if (rule.name == "Pool_Max")
        all["Pool_Min"] = "0";
    all.erase(rule.name);
    std::string text;
    for (const auto& [key, value] : all)
        text += fmt::format("{}={};", key, value);
    return text;
}

const std::set<std::string_view> without_which_nothing = {
    "Server", "Failover_Partner", "Database", "UID", "Certificate", "Certificate_Key"};

store_specification with(const core::key_rule& rule, std::string_view value) {
    return taken(fmt::format("{}{}={}", around(rule), rule.name, in_braces(value)));
}

std::vector<std::string> listed(std::string_view values) {
    std::vector<std::string> all;
    for (auto rest = values; !rest.empty();) {
        const auto comma = std::min(rest.find(", "), rest.size());
        all.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 2, rest.size()));
    }
    return all;
}

/// The two ends of "1ms to 24h" or "0 to 10000, at most Pool_Max; ...".
std::optional<std::pair<std::string, std::string>> bounds(std::string_view values) {
    const auto to = values.find(" to ");
    if (to == std::string_view::npos || to == 0 || values.front() < '0' || values.front() > '9')
        return std::nullopt;
    const auto rest = values.substr(to + 4);
    return std::pair(
        std::string(values.substr(0, to)), std::string(rest.substr(0, rest.find_first_of(",; ")))
    );
}

std::string one_less(const std::string& least) {
    duration length{};
    if (least.back() >= '0' && least.back() <= '9')
        return std::to_string(std::stoll(least) - 1);
    if (core::read_duration(least, {}, std::chrono::hours(10'000), length))
        return "-1";
    return length == duration::zero() ? "-1s"
                                      : core::show_duration(length - std::chrono::milliseconds(1));
}

std::string one_more(const std::string& most) {
    duration length{};
    if (most.back() >= '0' && most.back() <= '9')
        return std::to_string(std::stoll(most) + 1);
    if (core::read_duration(most, {}, std::chrono::hours(10'000), length))
        return std::to_string(std::stoll(most) + 1) +
               most.substr(most.find_first_not_of("0123456789"));
    return core::show_duration(length + std::chrono::milliseconds(1));
}

}

BOOST_AUTO_TEST_SUITE(connection_string_keys)

BOOST_AUTO_TEST_CASE(have_each_a_sample_in_these_tests) {
    for (const auto& rule : core::key_rules())
        BOOST_TEST(!sample(rule.name).empty());
    BOOST_TEST(std::size(samples) == core::key_rules().size());
}

BOOST_AUTO_TEST_CASE(have_names_and_aliases_of_their_own) {
    for (const auto& rule : core::key_rules()) {
        BOOST_TEST(core::find_key(rule.name) == &rule, rule.name);
        for (auto rest = rule.aliases; !rest.empty();) {
            const auto comma = std::min(rest.find(", "), rest.size());
            BOOST_TEST(core::find_key(rest.substr(0, comma)) == &rule, rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 2, rest.size()));
        }
    }
}

BOOST_AUTO_TEST_CASE(change_the_specification_each) {
    for (const auto& rule : core::key_rules())
        BOOST_TEST_CONTEXT(rule.name) {
            const auto plain = without_which_nothing.contains(rule.name) ? with(rule, "somewhat")
                                                                         : taken(around(rule));
            const bool several = rule.name == "MultiSubnetFailover";
            BOOST_TEST(!core::same(with(rule, several ? "no" : sample(rule.name)), plain));
        }
}

BOOST_AUTO_TEST_CASE(are_left_out_by_print_at_their_default) {
    BOOST_TEST(print(taken(std::string(standalone))) == "Server=db1;Database=rtc;UID=app");
    BOOST_TEST(
        print(taken(std::string(mirroring))) ==
        "Mode=mirroring;Server=db1;Failover_Partner=db2;Witness=pg_auto_failover:monitor;"
        "Database=rtc;UID=app"
    );
    BOOST_TEST(
        print(taken("Driver=FreeTDS;Server=db1;Engine=sql_server")) == "Driver=FreeTDS;Server=db1"
    );
}

BOOST_AUTO_TEST_CASE(mean_their_documented_default_when_left_out) {
    std::size_t tried = 0;
    for (const auto& rule : core::key_rules()) {
        const auto text =
            fmt::format("{}{}={}", around(rule), rule.name, in_braces(rule.otherwise));
        const bool words = rule.otherwise == "none" || rule.otherwise == "required" ||
                           rule.otherwise.find(' ') != std::string::npos || rule.name == "DSN" ||
                           rule.name == "Root_Certificate";
        if (words)
            continue;
        BOOST_TEST_CONTEXT(text) BOOST_TEST(core::same(taken(text), taken(around(rule))));
        ++tried;
    }
    BOOST_TEST(tried > 20U);
}

BOOST_AUTO_TEST_CASE(mean_what_the_specification_begins_with_when_left_out) {
    const store_specification fresh;
    auto made = taken(std::string(standalone));
    BOOST_TEST(made.name == "rtc");
    made.name = fresh.name;
    made.servers = fresh.servers;
    profile usual;
    usual.user = "app";
    usual.database = "rtc";
    auto expected_of_it = fresh;
    expected_of_it.with = std::make_shared<const profile>(usual);
    BOOST_TEST(core::same(made, expected_of_it), print(made));
}

BOOST_AUTO_TEST_CASE(take_both_ends_of_their_range_and_name_it_beyond) {
    std::size_t tried = 0;
    for (const auto& rule : core::key_rules()) {
        const auto range = bounds(rule.values);
        if (!range)
            continue;
        ++tried;
        const auto& [least, most] = *range;
        BOOST_TEST_CONTEXT(rule.name << " from " << least << " to " << most) {
            with(rule, least);
            with(rule, most);
            for (const auto& beyond : {one_less(least), one_more(most), std::string("some")}) {
                const auto message =
                    refusal(fmt::format("{}{}={}", around(rule), rule.name, beyond)).message;
                BOOST_TEST(message.starts_with(rule.name), message);
                BOOST_TEST(
                    message.find(fmt::format("from {} to {}", least, most)) != std::string::npos,
                    message
                );
            }
        }
    }
    BOOST_TEST(tried == 22U);
}

BOOST_AUTO_TEST_CASE(take_text_to_their_length_and_name_it_beyond) {
    std::size_t tried = 0;
    for (const auto& rule : core::key_rules()) {
        const auto to = rule.values.find(" to ");
        const auto bytes = rule.values.find(" bytes");
        if (bytes == std::string_view::npos || to == std::string_view::npos || to > bytes ||
            bounds(rule.values))
            continue;
        ++tried;
        const auto most = std::stoul(std::string(rule.values.substr(to + 4, bytes - to - 4)));
        BOOST_TEST_CONTEXT(rule.name << " to " << most) {
            with(rule, std::string(most, 'x'));
            const auto text = around(rule) + std::string(rule.name) + "=";
            const auto longer = refusal(text + std::string(most + 1, 'x')).message;
            BOOST_TEST(longer.find(fmt::format("{} bytes", most)) != std::string::npos, longer);
            BOOST_TEST(longer.starts_with(rule.name), longer);
            const auto none = refusal(text).message;
            BOOST_TEST(none.find("is empty") != std::string::npos, none);
        }
    }
    BOOST_TEST(tried == 19U);
}

BOOST_AUTO_TEST_CASE(take_each_of_their_words_and_name_them_beside_another) {
    std::size_t tried = 0;
    for (const auto& rule : core::key_rules()) {
        const auto words = listed(rule.values);
        if (words.size() < 2 || std::any_of(words.begin(), words.end(), [](const auto& one) {
                return one.find(' ') != std::string::npos;
            }))
            continue;
        ++tried;
        std::set<std::string> made;
        const auto message = refusal(around(rule) + std::string(rule.name) + "=zzz").message;
        for (const auto& word : words) {
            BOOST_TEST_CONTEXT(rule.name << '=' << word) made.insert(print(with(rule, word)));
            BOOST_TEST(message.find(word) != std::string::npos, message << " lacks " << word);
        }
        BOOST_TEST(made.size() == words.size(), rule.name << ": each word means something else");
        BOOST_TEST(message.starts_with(rule.name), message);
    }
    BOOST_TEST(tried >= 10U);
}

BOOST_AUTO_TEST_CASE(name_tables_by_identifiers_only, *utf::label("X5")) {
    const std::string text(mirroring);
    for (const std::string_view table : {"forks", "s.forks", "_a$1.B_2", "A"})
        BOOST_TEST(taken(text + "Fork_Table=" + std::string(table)).fork_table == table);
    const std::string long_name(64, 'a');
    for (const std::string_view table :
         {"",
          ".",
          "a.",
          ".a",
          "a.b.c",
          "a b",
          "a;b",
          "a'",
          "\"a\"",
          "1a",
          "$a",
          "a-b",
          "a(b)",
          long_name.c_str(),
          "d\xC3\xBC"})
        BOOST_TEST_CONTEXT(table) {
            const auto message = refusal(text + "Fork_Table=" + in_braces(table)).message;
            BOOST_TEST(message.find("schema.table") != std::string::npos, message);
        }
}

BOOST_AUTO_TEST_CASE(name_the_partners_that_a_witness_may_name, *utf::label("X3")) {
    const std::string text(mirroring);
    const auto made =
        taken(text + "Partner_Allowed=DB3, *.Example.org:5433 ,10.0.0.1:5432,[::1]:5432,*");
    const std::vector<std::string> allowed = {
        "db3", "*.example.org:5433", "10.0.0.1:5432", "[::1]:5432", "*"};
    BOOST_TEST(made.partners_allowed == allowed, boost::test_tools::per_element());
    BOOST_TEST(taken(text).partners_allowed.empty());
    for (const std::string_view bad :
         {"",
          ",",
          "db3,",
          "*.",
          "*db3",
          "db*",
          "**",
          "*:5432",
          "*..a",
          "db3:0",
          "db3:x",
          "5432",
          "db3,5432",
          "/run/pg",
          "db3\\i",
          "a b",
          "*./x"})
        BOOST_TEST_CONTEXT(bad)
    BOOST_TEST(
        refusal(text + "Partner_Allowed=" + in_braces(bad)).message.starts_with("Partner_Allowed")
    );
}

BOOST_AUTO_TEST_CASE(take_times_in_any_unit) {
    const std::vector<std::pair<std::string, duration>> rows = {
        {"90", std::chrono::seconds(90)},
        {"90s", std::chrono::seconds(90)},
        {"90 s", std::chrono::seconds(90)},
        {"1500MS", std::chrono::milliseconds(1500)},
        {"2m", std::chrono::minutes(2)},
        {"2min", std::chrono::minutes(2)},
        {"2h", std::chrono::hours(2)},
        {"1d", std::chrono::hours(24)}};
    for (const auto& [text, means] : rows)
        BOOST_TEST_CONTEXT(text)
    BOOST_TEST(
        (taken(std::string(standalone) + "Statement_Timeout=" + text).statement_timeout == means)
    );
}

BOOST_AUTO_TEST_CASE(take_sizes_in_any_unit) {
    const std::vector<std::pair<std::string, std::uint64_t>> rows = {
        {"0", 0},
        {"1000", 1000},
        {"1000B", 1000},
        {"16kb", 16384},
        {"4 MB", 4U << 20U},
        {"3GB", 3ULL << 30U}};
    for (const auto& [text, means] : rows)
        BOOST_TEST_CONTEXT(text)
    BOOST_TEST(
        taken(std::string(mirroring) + "Lag_Limit=" + text).lag_limit_bytes.value() == means
    );
}

BOOST_AUTO_TEST_CASE(stand_in_the_reference_one_row_each) {
    const auto page = core::key_reference();
    for (const auto& rule : core::key_rules()) {
        BOOST_TEST(page.find(fmt::format("| `{}`", rule.name)) != std::string::npos);
        for (const auto column : {rule.modes, rule.values, rule.otherwise, rule.effect})
            BOOST_TEST(
                (!column.empty() && column.find_first_of("|\n") == std::string_view::npos),
                rule.name
            );
    }
    const auto rows = static_cast<std::size_t>(std::count(page.begin(), page.end(), '\n'));
    BOOST_TEST(rows == core::key_rules().size() + 2);
}

BOOST_AUTO_TEST_SUITE_END()

}
