// SPDX-License-Identifier: Apache-2.0
#include "drivers/shared/libpq_settings.hpp"

#include "drivers/shared/certificates.hpp"

namespace hadr::inline v0::drivers {

namespace {

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

// GSS encryption would come before TLS, which strict has before everything.
bool gss_encryption(const profile& with) noexcept {
    return with.kerberos && with.encrypt != encryption::strict;
}

std::string or_none(const std::string& file) {
    return file.empty() ? no_file : file;
}

}

std::vector<libpq_setting> libpq_settings(const target& to) {
    const auto& with = *to.with;
    const auto& name = with.application_name;
    return {
        {"", "passfile", no_file},
        {"", "client_encoding", "UTF8"},
        {"Application_Name", "application_name", name.empty() ? "hadr" : name},
        {"", "target_session_attrs", "any"},
        {"", "keepalives_idle", "10"},
        {"", "keepalives_interval", "5"},
        {"", "keepalives_count", "3"},
        {"", "tcp_user_timeout", "30000"},
        {"Root_Certificate",
         "sslrootcert",
         identified(with.encrypt) ? root_certificate(with) : no_file},
        {"Certificate", "sslcert", or_none(with.certificate)},
        {"Certificate_Key", "sslkey", or_none(with.certificate_key)},
        {"", "sslcrl", no_file},
        {"", "sslcompression", "0"},
        {"", "sslsni", "1"},
        {"", "ssl_min_protocol_version", "TLSv1.2"},
        {"", "ssl_max_protocol_version", "TLSv1.3"},
        {"", "channel_binding", binding(to)},
        {"", "gssencmode", gss_encryption(with) ? "prefer" : "disable"},
        {"", "krbsrvname", "postgres"}};
}

}
