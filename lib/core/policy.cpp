// SPDX-License-Identifier: Apache-2.0
#include "core/policy.hpp"

#include "core/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::inline v0::core {

namespace {

enum class weight {
    refusal,
    warning,
};

/// One line of the policy: when it applies, and what it then says.
struct policy_rule {
    std::string_view name; ///< As Policy_Override takes it.
    std::string_view ids;
    weight weighs = weight::refusal;
    std::string_view reason;
    bool (*applies)(const store_specification&) = nullptr;
};

using spec = store_specification;

bool is(const spec& s, generation_year year) noexcept {
    return s.generation == year;
}

std::string_view year_of(std::string_view version) noexcept {
    return version.substr(0, version.find(' '));
}

bool version_among(const spec& s, std::initializer_list<std::string_view> known) {
    return std::find(known.begin(), known.end(), year_of(*s.database_version)) != known.end();
}

// "2012" alone is taken to be patched; a text that names an older service pack is not.
bool too_old(const spec& s) {
    return s.database_version->starts_with("2012 ") &&
           (s.database_version->find("RTM") != std::string::npos ||
            s.database_version->find("SP1") != std::string::npos);
}

template <class T>
bool differ(const std::optional<T>& a, const std::optional<T>& b) {
    return a && b && *a != *b;
}

// Empty for numeric addresses and names without one.
std::string_view domain_of(const endpoint& at) noexcept {
    const std::string_view host = at.host;
    const auto dot = host.find('.');
    const bool numeric = host.find_first_not_of("0123456789.") == std::string_view::npos;
    return dot == std::string_view::npos || numeric || at.local_socket() ? std::string_view()
                                                                         : host.substr(dot);
}

template <class Part>
bool members_differ(const spec& s, Part part) {
    const auto all = s.members();
    return std::any_of(all.begin(), all.end(), [&](const endpoint& one) {
        return part(one) != part(all.front());
    });
}

constexpr std::array<std::string_view, 4> databases_kept_out = {
    "ReportServer", "ReportServerTempDB", "mgc", "mgccomp"};

// clang-format off
constexpr std::array<policy_rule, 18> policy_rules = {{
    {"mirroring_generation_2019", "C2", weight::refusal,
     "mirroring exists for generation 2015 and cannot be deployed in 2019; use availability_group, failover_cluster_instance or failover_cluster",
     [](const spec& s) { return is(s, generation_year::v2019) && s.how == mode::mirroring; }},
    {"asynchronous_mirroring", "C1", weight::refusal,
     "only synchronous mirroring (Safety=full) is supported",
     [](const spec& s) { return s.how == mode::mirroring && !s.synchronous; }},
    {"partner_versions", "C3", weight::refusal,
     "primary, mirror and witness must be of the same version",
     [](const spec& s) { return s.how == mode::mirroring && (differ(s.database_version, s.partner_version) || differ(s.database_version, s.witness_version)
                             || differ(s.partner_version, s.witness_version)); }},
    {"partner_editions", "C3", weight::refusal,
     "primary and mirror must be of the same edition",
     [](const spec& s) { return s.how == mode::mirroring && differ(s.edition, s.partner_edition); }},
    {"persistent_chat_availability_group", "I2, D4", weight::refusal,
     "availability groups are not supported for Persistent Chat; use mirroring",
     [](const spec& s) { return s.role == server_role::persistent_chat && s.how == mode::availability_group; }},
    {"persistent_chat_generation_2019", "I1", weight::refusal,
     "Persistent Chat does not exist in generation 2019",
     [](const spec& s) { return is(s, generation_year::v2019) && s.role == server_role::persistent_chat; }},
    {"availability_group_standard_edition", "D2", weight::refusal,
     "an availability group needs the Enterprise edition; with Standard use failover_cluster_instance",
     [](const spec& s) { return s.how == mode::availability_group && s.edition == sql_edition::standard; }},
    {"instance_cluster_standard_edition", "E2, B13", weight::refusal,
     "a failover cluster instance needs the Enterprise edition before version 2016",
     [](const spec& s) { return s.how == mode::failover_cluster_instance && s.edition == sql_edition::standard
                             && s.database_version && version_among(s, {"2012", "2014"}); }},
    {"database_version_generation_2019", "B14", weight::refusal,
     "generation 2019 accepts only database versions 2016, 2017 and 2019",
     [](const spec& s) { return is(s, generation_year::v2019) && s.database_version && !version_among(s, {"2016", "2017", "2019"}); }},
    {"database_version", "B13", weight::refusal,
     "supported database versions are 2012 (SP2 with CU2), 2014, 2016, 2017 and 2019",
     [](const spec& s) { return s.database_version && (too_old(s) || !version_among(s, {"2012", "2014", "2016", "2017", "2019"})); }},
    {"listener_port", "D6", weight::refusal,
     "the listener's port is 1433 here",
     [](const spec& s) { return s.how == mode::availability_group && s.listener && s.listener->port != 0 && s.listener->port != 1433; }},
    {"readable_secondary", "D5", weight::refusal,
     "readable secondaries are off in this product: ApplicationIntent=ReadOnly has nowhere to go",
     [](const spec& s) { return s.how == mode::availability_group && s.read_intent; }},
    {"database_in_group", "D4, B9", weight::refusal,
     "the reporting databases (ReportServer, ReportServerTempDB) and those of Persistent Chat (mgc, mgccomp) stay out of an availability group",
     [](const spec& s) { return s.how == mode::availability_group && s.with
                             && std::find(databases_kept_out.begin(), databases_kept_out.end(), s.with->database) != databases_kept_out.end(); }},
    {"instance_names", "D3", weight::refusal,
     "the instances of an availability group must bear the same name",
     [](const spec& s) { return s.how == mode::availability_group && members_differ(s, [](const endpoint& at) { return at.instance; }); }},
    {"no_witness", "C6", weight::warning,
     "without a witness nothing fails over by itself: an administrator must act",
     [](const spec& s) { return s.how == mode::mirroring && s.kind != engine::sql_server && !s.witness; }},
    {"several_domains", "C11", weight::warning,
     "the partners are in different domains, which the product's own tools do not support",
     [](const spec& s) { return s.how == mode::mirroring && members_differ(s, domain_of); }},
    {"node_instead_of_listener", "D8", weight::warning,
     "the store points at a node, not at the listener: it will not follow a failover",
     [](const spec& s) { return s.how == mode::availability_group && !s.listener; }},
    {"no_high_availability", "B1", weight::warning,
     "a lone server: its loss is an outage and may lose data",
     [](const spec& s) { return s.how == mode::standalone; }},
}};
// clang-format on

bool overridden(const spec& store, std::string_view name) {
    const auto& all = store.policy_overrides;
    return std::find(all.begin(), all.end(), name) != all.end();
}

std::optional<failure> unknown_override(const spec& store) {
    std::vector<std::string_view> names;
    for (const auto& rule : policy_rules)
        names.push_back(rule.name);
    for (const auto& one : store.policy_overrides) {
        if (std::find(names.begin(), names.end(), one) != names.end())
            continue;
        const auto near = nearest_word(one, names);
        return make_failure(
            errc::configuration_invalid,
            advice::give_up,
            fmt::format(
                "Policy_Override '{}' is unknown{}",
                escaped(one, 64),
                near.empty() ? "" : fmt::format("; did you mean {}?", near)
            )
        );
    }
    return std::nullopt;
}

}

expected<std::vector<std::string>> check_policy(const store_specification& store) {
    if (auto why = unknown_override(store))
        return *std::move(why);
    std::vector<std::string> warnings;
    for (const auto& rule : policy_rules) {
        if (!store.generation || !rule.applies(store))
            continue;
        if (rule.weighs == weight::warning || overridden(store, rule.name)) {
            warnings.push_back(fmt::format("{} ({})", rule.reason, rule.ids));
            continue;
        }
        return make_failure(
            errc::configuration_invalid,
            advice::give_up,
            fmt::format(
                "refused by the support policy of generation {}: {} ({}); Policy_Override={} goes "
                "against it",
                static_cast<int>(*store.generation),
                rule.reason,
                rule.ids,
                rule.name
            )
        );
    }
    return warnings;
}

}
