// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/options.hpp"

#include "drivers/shared/certificates.hpp"
#include "drivers/shared/libpq_settings.hpp"
#include "drivers/shared/login.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::inline v0::libpq {

namespace {

constexpr int default_port = 5432;
constexpr int direct_tls = 170000; ///< Version of libpq that first has it.

failure invalid(std::string message) {
    return make_failure(errc::configuration_invalid, advice::give_up, std::move(message));
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

// A server that has not proved who it is gets no password that it could read or guess (X6).
std::string ways_to_log_in(const target& to) {
    std::string ways = "!sspi";
    if (!to.with->kerberos)
        ways += ",!gss";
    if (!to.at.local_socket() && !drivers::identified(to.with->encrypt))
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

expected<option_list> options_for(const target& to, world& through, int libpq) {
    if (auto refused = unfit(to, through, libpq))
        return *std::move(refused);
    const auto& with = *to.with;
    const auto password = drivers::password_for(with, through);
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
    made.add(
        "password", password->empty() ? drivers::no_password : std::string(password->reveal())
    );
    made.add("connect_timeout", "0");
    made.add("fallback_application_name", "hadr");
    made.add("keepalives", "1");
    made.add("sslmode", ssl_mode(with.encrypt));
    for (auto& one : drivers::libpq_settings(to))
        made.add(one.keyword, std::move(one.value));
    // A pooler refuses these parameters, so they are sent only where the environment would fill
    // them.
    if (through.environment("PGSERVICE"))
        made.add("replication", "false");
    if (through.environment("PGOPTIONS") || through.environment("PGSERVICE"))
        made.add("options", " ");
    add_newer(made, to, libpq);
    return made;
}

}
