// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::inline v0::libpq {

namespace {

constexpr int default_port = 5432;
constexpr int direct_tls = 170000; ///< Version of libpq that first has it.

// libpq takes an empty value for none given, and then looks into the environment; this one is
// given, and no file.
constexpr const char* no_file = "/dev/null/none";

// Sent only to a server that asks for a password although none is configured.
constexpr const char* no_password = "none-configured";

constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";

failure invalid(std::string message) {
    return make_failure(errc::configuration_invalid, advice::give_up, std::move(message));
}

// It may be there again at the next login, and says nothing of the server (F48).
failure no_password_now(std::string message) {
    auto why = make_failure(errc::unreachable, advice::retry, std::move(message));
    why.native = local_cause;
    return why;
}

expected<secret> asked(const profile& with) {
    try {
        return with.password_asked(with.user);
    } catch (...) { // F44. What it says may hold the secret (X4).
        return no_password_now("the callback that is asked for the password threw an exception");
    }
}

expected<secret> password_for(const profile& with, world& through) {
    if (with.password_asked)
        return asked(with);
    if (!with.password_file.empty()) {
        auto text = through.load(with.password_file);
        if (!text)
            return no_password_now(text.error().message);
        while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
            text->pop_back();
        secret found(*text);
        std::fill(text->begin(), text->end(), '\0');
        return found;
    }
    if (!with.password_environment.empty()) {
        auto text = through.environment(with.password_environment);
        if (!text)
            return no_password_now(text.error().message);
        secret found(*text);
        std::fill(text->begin(), text->end(), '\0');
        return found;
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

bool identified(encryption how) noexcept {
    return how != encryption::disable && how != encryption::require;
}

std::string root_certificate(const profile& with) {
    if (!identified(with.encrypt))
        return no_file;
    if (with.root_certificate.empty() || with.root_certificate == "system")
        return system_certificates;
    return with.root_certificate;
}

// A socket has no channel to bind to; the other partner may have.
const char* binding(const target& to) noexcept {
    if (to.at.local_socket())
        return "prefer";
    switch (to.with->binding) {
    case channel_binding::disable: return "disable";
    case channel_binding::prefer: return "prefer";
    case channel_binding::require: return "require";
    }
    return "prefer";
}

// A server that has not proved who it is gets no password that it could read or guess (X6).
std::string ways_to_log_in(const target& to) {
    std::string ways = "!sspi";
    if (!to.with->kerberos)
        ways += ",!gss";
    if (!to.at.local_socket() && !identified(to.with->encrypt))
        ways += ",!password,!md5";
    return ways;
}

void add_newer(option_list& made, const target& to, int libpq) {
    if (libpq >= 160000) {
        made.add("require_auth", ways_to_log_in(to));
        made.add("sslcertmode", to.with->certificate.empty() ? "disable" : "allow");
        made.add("load_balance_hosts", "disable");
    }
    if (libpq >= direct_tls) {
        made.add("sslnegotiation", to.with->encrypt == encryption::strict ? "direct" : "postgres");
        made.add("gssdelegation", "0");
    }
    if (libpq >= 180000) {
        made.add("min_protocol_version", "3.0");
        made.add("max_protocol_version", "3.0");
    }
}

// GSS encryption would come before TLS, which strict has before everything.
bool gss_encryption(const profile& with) noexcept {
    return with.kerberos && with.encrypt != encryption::strict;
}

void add_security(option_list& made, const target& to) {
    const auto& with = *to.with;
    const auto or_none = [](const std::string& file) { return file.empty() ? no_file : file; };
    made.add("sslmode", ssl_mode(with.encrypt));
    made.add("sslrootcert", root_certificate(with));
    made.add("sslcert", or_none(with.certificate));
    made.add("sslkey", or_none(with.certificate_key));
    made.add("sslcrl", no_file);
    made.add("sslcompression", "0");
    made.add("sslsni", "1");
    made.add("ssl_min_protocol_version", "TLSv1.2");
    made.add("ssl_max_protocol_version", "TLSv1.3");
    made.add("channel_binding", binding(to));
    made.add("gssencmode", gss_encryption(with) ? "prefer" : "disable");
    made.add("krbsrvname", "postgres");
}

// What this libpq would do otherwise than the profile says.
std::optional<failure> unfit(const target& to, world& through, int libpq) {
    if (to.with->encrypt == encryption::strict && !to.at.local_socket() && libpq < direct_tls)
        return invalid(fmt::format(
            "Encrypt=strict needs libpq 17 or later, and this is {}: it would send a request in "
            "clear text before TLS; choose Encrypt=verify_full",
            libpq / 10'000
        ));
    return hostile_environment(to, through);
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

expected<option_list> options_for(const target& to, world& through, int libpq) {
    if (auto refused = unfit(to, through, libpq))
        return *std::move(refused);
    const auto& with = *to.with;
    const auto password = password_for(with, through);
    if (!password)
        return password.error();
    option_list made;
    // The host is what the certificate must name; the address is where the packets go.
    const bool socket = to.at.local_socket();
    made.add("host", socket || with.certificate_host.empty() ? to.at.host : with.certificate_host);
    if (!socket)
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
    add_security(made, to);
    add_newer(made, to, libpq);
    return made;
}

}
