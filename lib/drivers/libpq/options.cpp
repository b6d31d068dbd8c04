// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/options.hpp"

#include <fmt/format.h>

#include <array>

#include <libpq-fe.h>

namespace hadr::inline v0::libpq {

namespace {

constexpr int default_port = 5432;

// libpq takes an empty value for none given, and then looks into the environment; this one is
// given, and no file.
constexpr const char* no_file = "/dev/null/none";

// Sent only to a server that asks for a password although none is configured.
constexpr const char* no_password = "none-configured";

constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";

failure invalid(std::string message) {
    return make_failure(errc::configuration_invalid, advice::give_up, std::move(message));
}

expected<secret> password_for(const profile& with, world& through) {
    if (with.password_asked)
        return with.password_asked(with.user);
    if (!with.password_file.empty()) {
        auto text = through.load(with.password_file);
        if (!text)
            return text.error();
        while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
            text->pop_back();
        secret found(*text);
        std::fill(text->begin(), text->end(), '\0');
        return found;
    }
    if (!with.password_environment.empty()) {
        auto text = through.environment(with.password_environment);
        if (!text)
            return text.error();
        return secret(*text);
    }
    return with.password;
}

// What no value of ours can keep libpq from reading for a Unix socket, which has no address: each
// would move or change the session.
std::optional<failure> hostile_environment(const target& to, world& through) {
    constexpr std::array<const char*, 3> names = {"PGHOSTADDR", "PGREQUIREPEER", "PGSERVICE"};
    for (const auto* name : names)
        if (to.at.local_socket() && through.environment(name))
            return invalid(fmt::format(
                "the environment variable {} would change this session and cannot be overridden; "
                "unset it",
                name
            ));
    return std::nullopt;
}

std::string root_certificate(const profile& with) {
    if (with.encrypt == encryption::disable || with.encrypt == encryption::require)
        return no_file;
    if (with.root_certificate.empty() || with.root_certificate == "system")
        return system_certificates;
    return with.root_certificate;
}

const char* binding(channel_binding of) noexcept {
    switch (of) {
    case channel_binding::disable: return "disable";
    case channel_binding::prefer: return "prefer";
    case channel_binding::require: return "require";
    }
    return "prefer";
}

void add_security(option_list& to, const profile& with) {
    const auto or_none = [](const std::string& file) { return file.empty() ? no_file : file; };
    to.add("sslmode", ssl_mode(with.encrypt));
    to.add("sslrootcert", root_certificate(with));
    to.add("sslcert", or_none(with.certificate));
    to.add("sslkey", or_none(with.certificate_key));
    to.add("sslcrl", no_file);
    to.add("sslcompression", "0");
    to.add("sslsni", "1");
    to.add("ssl_min_protocol_version", "TLSv1.2");
    to.add("ssl_max_protocol_version", "TLSv1.3");
    to.add("channel_binding", binding(with.binding));
    to.add("gssencmode", with.kerberos ? "prefer" : "disable");
    to.add("krbsrvname", "postgres");
    if (PQlibVersion() >= 170000 && with.encrypt == encryption::strict)
        to.add("sslnegotiation", "direct");
}

}

option_list::~option_list() {
    for (auto& [keyword, value] : all_) {
        volatile char* bytes = value.data();
        for (std::size_t i = 0; i < value.size(); ++i)
            bytes[i] = '\0';
    }
}

const char* ssl_mode(encryption of) noexcept {
    switch (of) {
    case encryption::disable: return "disable";
    case encryption::require: return "require";
    case encryption::verify_ca: return "verify-ca";
    case encryption::verify_full:
    case encryption::strict: return "verify-full";
    }
    return "verify-full";
}

std::string place_of(const target& to) {
    const auto name = to_string(to.at);
    return to.address.empty() || to.address == to.at.host
               ? name
               : fmt::format("{} ({})", name, to.address);
}

expected<option_list> options_for(const target& to, world& through) {
    if (auto refused = hostile_environment(to, through))
        return *std::move(refused);
    const auto& with = *to.with;
    const auto password = password_for(with, through);
    if (!password)
        return password.error();
    option_list made;
    // The host is what the certificate must name; the address is where the packets go.
    made.add("host", with.certificate_host.empty() ? to.at.host : with.certificate_host);
    if (!to.at.local_socket())
        made.add("hostaddr", to.address);
    made.add("port", std::to_string(to.at.port != 0 ? to.at.port : default_port));
    made.add("dbname", to.database.empty() ? with.database : to.database);
    made.add("user", with.user);
    made.add("password", password->empty() ? no_password : std::string(password->reveal()));
    made.add("passfile", no_file);
    made.add("connect_timeout", "0");
    made.add("client_encoding", "UTF8");
    made.add("application_name", with.application_name.empty() ? "hadr" : with.application_name);
    made.add("fallback_application_name", "hadr");
    made.add("target_session_attrs", "any");
    made.add("keepalives", "1");
    made.add("keepalives_idle", "10");
    made.add("keepalives_interval", "5");
    made.add("keepalives_count", "3");
    made.add("tcp_user_timeout", "30000");
    // A pooler refuses these parameters, so they are sent only where the environment would fill
    // them.
    if (through.environment("PGSERVICE"))
        made.add("replication", "false");
    if (through.environment("PGOPTIONS") || through.environment("PGSERVICE"))
        made.add("options", " ");
    add_security(made, with);
    return made;
}

}
