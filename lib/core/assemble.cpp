// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"
#include "core/keys.hpp"
#include "core/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace hadr::inline v0::core {

namespace {

bool all_of_a_key(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == ' ' || c == '-';
    });
}

// A URI, or a password beside its key, is not repeated: somebody's other syntax read as a key (X4).
bool tellable_key(std::string_view key) {
    if (key.size() > 64 || !all_of_a_key(key))
        return false;
    for (auto space = key.find(' '); space != std::string_view::npos;
         space = key.find(' ', space + 1))
        if (const auto* rule = find_key(key.substr(0, space)); rule != nullptr && rule->hidden)
            return false;
    return true;
}

// Only what a value of these keys can be made of: no '=', '@' or quote, hence no other syntax's
// password.
bool tellable_value(std::string_view value) {
    constexpr std::string_view besides = ".,:*/\\[]%$+";
    return value.size() <= 100 && std::all_of(value.begin(), value.end(), [&](char c) {
               return c != ' ' &&
                      (all_of_a_key({&c, 1}) || besides.find(c) != std::string_view::npos);
           });
}

std::string shown_name(const key_rule& rule, const setting& one) {
    const bool alias = lower_case(one.key) != lower_case(rule.name);
    return alias && all_of_a_key(one.key) && one.key.size() <= 64
               ? fmt::format("{} (written {})", rule.name, one.key)
               : std::string(rule.name);
}

std::string shown_value(const key_rule& rule, const setting& one) {
    const bool tellable = !rule.hidden && !one.quiet && tellable_value(one.value);
    return tellable ? fmt::format(" '{}'", one.value) : std::string();
}

/// Takes the settings one by one.
class assembler {
public:
    expected<store_specification> run(const std::vector<setting>& all) {
        // The driver first: it decides which other keys there are.
        for (const auto& one : all)
            if (const auto* rule = find_key(one.key); first(rule))
                take(*rule, one);
        for (const auto& one : all) {
            const auto* rule = find_key(one.key);
            if ((rule == nullptr || one.key != rule->name) && passes(one))
                pass(one);
            else if (rule == nullptr)
                unknown(one);
            else if (!first(rule))
                take(*rule, one);
        }
        if (!why_)
            complete();
        if (why_)
            return malformed(*std::move(why_));
        return std::move(to_.store);
    }

private:
    static bool first(const key_rule* rule) {
        return rule != nullptr && (rule->name == "Driver" || rule->name == "DSN");
    }

    void refuse(std::string why) {
        if (!why_)
            why_ = std::move(why);
    }

    void take(const key_rule& rule, const setting& one) {
        const auto [before, fresh] = seen_.emplace(rule.name, one.place);
        if (!fresh) {
            refuse(fmt::format(
                "{} at place {} stands at place {} already",
                shown_name(rule, one),
                one.place,
                before->second
            ));
            return;
        }
        if (auto why = rule.read(to_, one.value))
            refuse(fmt::format(
                "{}{} at place {} {}",
                shown_name(rule, one),
                shown_value(rule, one),
                one.place,
                *why
            ));
    }

    void unknown(const setting& one) {
        const auto near = nearest_key(one.key);
        const bool tellable = tellable_key(one.key) && (!one.quiet || !near.empty());
        refuse(fmt::format(
            "unknown key{} at place {}{}{}",
            tellable ? fmt::format(" '{}'", one.key) : "",
            one.place,
            one.quiet
                ? ", after a password; a ';' inside one needs {} around it, a '}' is doubled there"
                : "",
            near.empty() ? "" : fmt::format("; did you mean {}?", near)
        ));
    }

    bool passes(const setting& one) const {
        return to_.store.driver != "libpq" &&
               hadr::passes(family_of(to_.with.odbc_driver), one.key);
    }

    void pass(const setting& one) {
        const auto [before, fresh] = seen_.emplace(lower_case(one.key), one.place);
        if (!fresh)
            refuse(fmt::format(
                "{} at place {} stands at place {} already", one.key, one.place, before->second
            ));
        if (one.value.size() > 255)
            refuse(fmt::format("{} at place {} is longer than 255 bytes", one.key, one.place));
        to_.with.passed_through.emplace_back(one.key, one.value);
    }

    bool in_a_file() const { return embedded(family_of(to_.with.odbc_driver)); }

    bool given(std::string_view key) const { return seen_.contains(key); }
    std::size_t place(std::string_view key) const { return seen_.find(key)->second; }

    void not_both(std::string_view a, std::string_view b, std::string_view why) {
        if (given(a) && given(b))
            refuse(fmt::format(
                "{} at place {} contradicts {} at place {}: {}", b, place(b), a, place(a), why
            ));
    }

    void check_mode(const key_rule& rule) {
        const auto how = to_string(to_.store.how);
        auto rest = rule.modes;
        while (rest != "all" && rest.substr(0, rest.find(", ")) != how) {
            const auto comma = rest.find(", ");
            if (comma == std::string_view::npos)
                return refuse(fmt::format(
                    "{} at place {} has no meaning with Mode={}; it is for {}",
                    rule.name,
                    place(rule.name),
                    how,
                    rule.modes
                ));
            rest.remove_prefix(comma + 2);
        }
    }

    void complete() {
        finish_port();
        check_modes();
        check_places();
        check_secrets();
        check_numbers();
        finish_engine();
        check_engine();
        check_members();
        finish_names();
        finish_encryption();
        finish_witness();
        check_tls();
        to_.with.proxy = to_.store.proxy;
        to_.store.with = std::make_shared<const profile>(std::move(to_.with));
    }

    void finish_port() {
        if (to_.port == 0)
            return;
        auto& store = to_.store;
        std::vector<endpoint*> places;
        for (auto& at : store.servers)
            places.push_back(&at);
        if (store.failover_partner)
            places.push_back(&*store.failover_partner);
        if (store.listener)
            places.push_back(&*store.listener);
        if (places.empty())
            refuse(fmt::format("Port at place {} needs Server", place("Port")));
        for (auto* at : places)
            if (std::exchange(at->port, to_.port) != 0)
                refuse(fmt::format(
                    "Port at place {} contradicts a server that is named with its port",
                    place("Port")
                ));
    }

    void check_modes() {
        auto& store = to_.store;
        const bool several = store.failover_partner || store.how == mode::mirroring;
        if (several && store.multi_subnet_failover)
            refuse(fmt::format(
                "MultiSubnetFailover at place {} contradicts a failover partner (D23)",
                place("MultiSubnetFailover")
            ));
        for (const auto& rule : key_rules())
            if (given(rule.name) &&
                (rule.name != "MultiSubnetFailover" || store.multi_subnet_failover))
                check_mode(rule);
        if (!to_.multi_subnet_given)
            store.multi_subnet_failover = usual_multi_subnet(store.how);
    }

    void check_places() {
        auto& store = to_.store;
        const bool mirrored = store.how == mode::mirroring;
        if (store.servers.empty() && !store.listener) {
            if (store.driver == "libpq")
                refuse("Server is missing");
            store.servers.emplace_back(); // The data source, or the database's file, says where.
        } else if (in_a_file()) {
            refuse(fmt::format(
                "{} has no meaning for this driver: Database names a file",
                given("Server") ? fmt::format("Server at place {}", place("Server")) : "Listener"
            ));
        }
        if (mirrored && !store.failover_partner && store.servers.size() == 2) {
            store.failover_partner = store.servers[1];
            store.servers.pop_back();
        }
        if (mirrored && !store.failover_partner && store.servers.size() < 2)
            refuse("Mode=mirroring needs Failover_Partner, or a second Server");
        if (store.servers.size() > 1 && store.how != mode::availability_group)
            refuse(fmt::format(
                "Server at place {} names {} servers; Mode={} has {}",
                place("Server"),
                store.servers.size(),
                to_string(store.how),
                mirrored ? "two, the failover partner included" : "one"
            ));
    }

    // With the engine known: db1 and db1:5432 are one server of PostgreSQL's.
    void check_members() {
        const auto members = to_.store.members();
        for (std::size_t i = 0; i < members.size(); ++i)
            for (std::size_t before = 0; before < i; ++before)
                if (with_port(members[i]) == with_port(members[before]))
                    refuse(fmt::format("{} is named twice", to_string(members[i])));
        check_instances();
    }

    endpoint with_port(endpoint at) const {
        if (at.port == 0 && at.instance.empty())
            at.port = usual_port(to_.store.kind);
        return at;
    }

    void check_instances() {
        auto all = to_.store.members();
        if (to_.store.listener)
            all.push_back(*to_.store.listener);
        if (to_.store.driver != "libpq")
            all.clear();
        all.push_back(to_.witness.at);
        for (const auto& at : all)
            if (!at.instance.empty())
                refuse(fmt::format(
                    "{} names an instance, and PostgreSQL has none; give its port", to_string(at)
                ));
    }

    void check_secrets() {
        for (const std::string prefix : {"", "Witness_"}) {
            not_both(prefix + "PWD", prefix + "PWD_File", "one source of the password");
            not_both(prefix + "PWD", prefix + "PWD_Env", "one source of the password");
            not_both(prefix + "PWD_File", prefix + "PWD_Env", "one source of the password");
        }
        not_both("Driver", "DSN", "a data source names its driver");
        if (given("Certificate") != given("Certificate_Key"))
            refuse("Certificate and Certificate_Key go together");
        if (to_.store.driver == "libpq" && to_.with.user.empty())
            refuse("UID is missing");
        // C42; and a client library would else take the user's name for the database.
        if (to_.with.database.empty() &&
            (to_.store.driver == "libpq" || to_.store.how == mode::mirroring || in_a_file()))
            refuse("Database is missing (C42)");
    }

    void check_numbers() {
        const auto& store = to_.store;
        if (store.pool_min > store.pool_max)
            refuse(
                fmt::format("Pool_Min={} is more than Pool_Max={}", store.pool_min, store.pool_max)
            );
        if (store.warm > store.pool_max) {
            if (given("Pool_Warm"))
                refuse(
                    fmt::format("Pool_Warm={} is more than Pool_Max={}", store.warm, store.pool_max)
                );
            to_.store.warm = usual_warm(store.pool_max);
        }
    }

    void finish_engine() {
        if (to_.engine_given || to_.store.driver == "libpq") {
            if (to_.store.driver == "libpq" && to_.store.kind != engine::postgresql)
                refuse("Driver=libpq speaks to Engine=postgresql only");
            return;
        }
        to_.store.kind = usual_engine(to_.store, to_.with);
    }

    void check_engine() {
        const auto& store = to_.store;
        // Of SQL Server's witness the version is told, for the policy, and nothing else.
        const bool version = store.kind == engine::sql_server;
        for (const auto& rule : key_rules())
            if (rule.name.starts_with("Witness_") && rule.name != "Witness_Lost_Advice" &&
                !(version && rule.name == "Witness_Version") && given(rule.name) &&
                !given("Witness"))
                refuse(fmt::format("{} at place {} needs Witness", rule.name, place(rule.name)));
        if (store.how != mode::mirroring || store.kind == engine::postgresql)
            return;
        if (store.kind == engine::other)
            return refuse("Mode=mirroring is for Engine=postgresql and Engine=sql_server");
        if (given("Witness"))
            refuse(fmt::format(
                "Witness at place {} is left out with Engine=sql_server: the partners tell of "
                "their witness, and clients never contact it (C9)",
                place("Witness")
            ));
        if (given("Fork_Table"))
            refuse(fmt::format(
                "Fork_Table at place {} is for Engine=postgresql: SQL Server counts its changes "
                "of roles",
                place("Fork_Table")
            ));
    }

    void finish_names() {
        if (to_.store.name.empty())
            to_.store.name = usual_name(to_.with);
    }

    void finish_encryption() {
        auto& with = to_.with;
        if (!to_.encrypt_given)
            with.encrypt = usual_encryption(to_.store, with);
        if (!to_.trust_server_certificate)
            return;
        if (to_.encrypt_checks)
            refuse("TrustServerCertificate=yes contradicts Encrypt, which checks the server's "
                   "certificate");
        else if (with.encrypt == encryption::verify_full)
            with.encrypt = encryption::require;
    }

    void finish_witness() {
        if (!given("Witness"))
            return;
        auto& with = to_.witness_with;
        with.odbc_driver = to_.with.odbc_driver; // One client library for all of a store.
        with.odbc_source = to_.with.odbc_source;
        with.passed_through = to_.with.passed_through;
        if (!to_.witness_user_given)
            with.user = "autoctl_node";
        if (with.database.empty())
            with.database = "pg_auto_failover";
        if (!to_.witness_encrypt_given)
            with.encrypt = usual_encryption(to_.witness);
        with.root_certificate = to_.with.root_certificate;
        with.certificate = to_.with.certificate;
        with.certificate_key = to_.with.certificate_key;
        if (with.encrypt != encryption::disable) // Else there is no channel to bind to.
            with.binding = to_.with.binding;
        with.kerberos = to_.with.kerberos;
        with.application_name = to_.with.application_name;
        to_.witness.with = std::make_shared<const profile>(std::move(with));
        to_.store.witness = std::move(to_.witness);
    }

    // What nothing would use contradicts what was chosen, or holds by default.
    void check_tls() {
        unused("Root_Certificate", encryption::verify_ca, "no certificate is checked");
        unused("Certificate", encryption::require, "there is no TLS to show it in");
        unused("HostNameInCertificate", encryption::verify_full, "no name is checked");
        if (to_.with.binding == channel_binding::require)
            unused("Channel_Binding", encryption::require, "there is no TLS to bind to");
    }

    void unused(std::string_view key, encryption least, std::string_view why) {
        const auto& store = to_.store;
        const bool witnessed = store.witness && key != "HostNameInCertificate" &&
                               key != "Channel_Binding" && store.witness->with->encrypt >= least &&
                               !store.witness->at.local_socket();
        const bool sockets = only_sockets();
        if (!given(key) || witnessed || (to_.with.encrypt >= least && !sockets))
            return;
        refuse(fmt::format(
            "{} at place {} contradicts {}: {}", key, place(key), what_encrypts(sockets), why
        ));
    }

    std::string what_encrypts(bool sockets) const {
        if (sockets)
            return "Server, since a socket has no TLS";
        if (given("Encrypt"))
            return fmt::format("Encrypt at place {}", place("Encrypt"));
        return to_.trust_server_certificate ? "TrustServerCertificate"
                                            : "the default of Encrypt where every server is local";
    }

    bool only_sockets() const {
        auto all = to_.store.members();
        if (to_.store.listener)
            all.push_back(*to_.store.listener);
        return !all.empty() && std::all_of(all.begin(), all.end(), [](const auto& at) {
            return at.local_socket();
        });
    }

    draft to_;
    std::map<std::string, std::size_t, std::less<>> seen_;
    std::optional<std::string> why_;
};

}

expected<store_specification> assemble(const std::vector<setting>& all) {
    return assembler().run(all);
}

}
