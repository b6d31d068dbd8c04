// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/expected.hpp>
#include <hadr/secret.hpp>
#include <hadr/time.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace hadr::inline v0 {

/// How the wire is protected. Rulings 19: verify_full unless the endpoint is local.
enum class encryption {
    disable,     ///< Plain text, chosen by name.
    require,     ///< Encrypted, the server's identity unchecked.
    verify_ca,   ///< Encrypted, signed by a known authority.
    verify_full, ///< Encrypted, signed by a known authority, and issued to the configured host.
    strict,      ///< verify_full before the first byte of the engine's protocol; refused where the
                 ///< client library has no such thing (libpq before 17).
};

enum class channel_binding {
    disable,
    prefer,
    require,
};

/// Asked at every login for the password of the user, so that passwords rotate without a restart
/// (rulings 20). Called on a login worker; may block within the login's deadline. It should not
/// throw: a login whose source throws fails as unreachable with retry, of a local cause (F44).
using password_source = std::function<expected<secret>(std::string_view user)>;

/// Everything that a login needs besides where it goes: one immutable profile feeds pool, watcher,
/// warm-up and cancel (X2). Nothing in it is defaulted by the environment (M10).
struct profile {
    std::string user;
    secret password;
    std::string password_file;        ///< Read at every login; its last line end is dropped.
    std::string password_environment; ///< Name of a variable read at every login.
    password_source password_asked;   ///< Wins over the three above.
    std::string database;
    encryption encrypt = encryption::verify_full;
    std::string root_certificate; ///< File; "system" or empty: the system's authorities.
    std::string certificate;      ///< The client's own, or empty.
    std::string certificate_key;
    std::string certificate_host; ///< Name the server's certificate must bear, if not the host's.
    channel_binding binding = channel_binding::prefer;
    bool kerberos = false; ///< GSS is off unless asked for.
    std::string application_name;
    std::string proxy;       ///< What stands in between, as declared (F53); empty: nothing may.
    std::string odbc_driver; ///< Driver= of an ODBC string; empty for libpq.
    std::string odbc_source; ///< DSN= of an ODBC string.
    std::vector<std::pair<std::string, std::string>> passed_through; ///< ODBC keys of its driver.
};

}
