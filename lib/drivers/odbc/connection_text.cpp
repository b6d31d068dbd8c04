// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/connection_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace hadr::inline v0::odbc {

namespace {

using view = std::string_view;

// libpq takes an empty value for none given, and then looks into the environment; this one is
// given, and no file.
constexpr view no_file = "/dev/null/none";

// Sent only to a server that asks for a password although none is configured.
constexpr view no_password = "none-configured";

constexpr view system_certificates = "/etc/ssl/certs/ca-certificates.crt";

failure invalid(std::string message) {
    return make_failure(errc::configuration_invalid, advice::give_up, std::move(message));
}

bool blank_at_an_end(view value) {
    constexpr view blanks = " \t\v\f";
    return !value.empty() &&
           (blanks.find(value.front()) != view::npos || blanks.find(value.back()) != view::npos);
}

// Of well-formed UTF-8; nothing if it is none. Surrogates, overlong forms and what is beyond
// Unicode are none.
std::optional<std::size_t> utf16_units(view text) {
    std::size_t units = 0;
    for (std::size_t i = 0; i < text.size(); ++units) {
        const auto first = static_cast<unsigned char>(text[i++]);
        const std::size_t more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || text.size() - i < more)
            return std::nullopt;
        std::uint32_t point = more == 0 ? first : first & (0x3FU >> more);
        for (std::size_t end = i + more; i < end; ++i) {
            const auto next = static_cast<unsigned char>(text[i]);
            if ((next & 0xC0U) != 0x80)
                return std::nullopt;
            point = point << 6U | (next & 0x3FU);
        }
        const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
        if (overlong || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
            return std::nullopt;
        units += more == 3 ? 1 : 0;
    }
    return units;
}

bool in_braces(quoting how) {
    return how != quoting::none && how != quoting::not_known;
}

// Read alike by whoever takes braces off, doubles or not, and by whoever does neither.
bool bare(view value, quoting how) {
    if (how == quoting::doubled_always)
        return false;
    if (how == quoting::not_known && value.find_first_of("{}[]()=?*!@,\"'") != view::npos)
        return false;
    return value.find(';') == view::npos && !value.starts_with('{');
}

bool braced(view value, quoting how) {
    const bool closes = value.find('}') != view::npos;
    return in_braces(how) && (how != quoting::undoubled || !closes);
}

std::string doubled(view value) {
    std::string made;
    made.reserve(2 * value.size());
    for (const char c : value)
        made.append(c == '}' ? 2 : 1, c);
    return made;
}

view rule_of(quoting how) {
    switch (how) {
    case quoting::none: return "nor ';', nor begin with '{'";
    case quoting::undoubled: return "nor both '}' and either ';' or a leading '{'";
    case quoting::doubled:
    case quoting::doubled_always: return "";
    case quoting::not_known: return "nor ';', braces or punctuation that it might take for its own";
    }
    return "";
}

/// A connection string in the making, wiped at the end (X4).
class string_of_settings {
public:
    string_of_settings(const driver_profile& of, std::size_t most) : of_(of) {
        text_.reserve(most);
    }
    string_of_settings(const string_of_settings&) = delete;
    string_of_settings& operator=(const string_of_settings&) = delete;
    ~string_of_settings() { wipe(text_); }

    /// ours: the key that an error names.
    void add(view ours, view theirs, view value) { add(ours, theirs, value, of_.values); }

    void add(view ours, view theirs, view value, quoting how) {
        if (theirs.empty())
            return refuse(ours, "has no meaning for", "");
        if (auto why = unfit(value, how); !why.empty())
            return refuse(ours, "cannot be told to", why);
        if (bare(value, how))
            return add_raw(theirs, value);
        auto inside = doubled(value);
        add_raw(theirs, "{", inside, "}");
        wipe(inside);
    }

    /// Whole, whatever its length: in braces, which is how it is read best.
    void add_text(view key, view value) {
        auto inside = doubled(value);
        add_raw(key, "{", inside, "}");
    }

    /// Of our own making.
    void add_settings(view settings) {
        for (; !settings.empty(); settings.remove_prefix(std::min(next(settings), settings.size())))
            append(settings.substr(0, settings.find(';'))), append(";");
    }

    void refuse(view ours, view what, view why) {
        if (!why_)
            why_ = fmt::format("{} {} {}{}{}", ours, what, of_.name, why.empty() ? "" : ": ", why);
    }

    expected<secret> take() {
        if (!why_ && text_.size() > of_.text_max)
            why_ = fmt::format(
                "what {} is to be told is longer than the {} bytes that it can take; shorten the "
                "longest of Application_Name, UID, PWD and Database",
                of_.name,
                of_.text_max
            );
        if (why_)
            return invalid(*std::move(why_));
        return secret(text_);
    }

    static void wipe(std::string& text) {
        volatile char* bytes = text.data();
        for (std::size_t i = 0; i < text.size(); ++i)
            bytes[i] = '\0';
    }

private:
    static std::size_t next(view settings) {
        const auto end = settings.find(';');
        return end == view::npos ? settings.size() : end + 1;
    }

    std::string unfit(view value, quoting how) const {
        const auto units = utf16_units(value);
        if (value.find_first_of(view("\0\r\n", 3)) != view::npos ||
            (!bare(value, how) && !braced(value, how)))
            return fmt::format(
                "its connection strings can hold no NUL, CR or LF{}{}",
                rule_of(how).empty() ? "" : ", ",
                rule_of(how)
            );
        if (of_.utf8 && !units)
            return "it takes UTF-8 only";
        if ((of_.trims || how == quoting::not_known) && blank_at_an_end(value))
            return "it drops blanks at the ends";
        if (units.value_or(value.size()) > of_.value_max)
            return fmt::format("it takes at most {} characters", of_.value_max);
        return {};
    }

    template <class... Parts>
    void add_raw(view key, const Parts&... parts) {
        append(key);
        append("=");
        (append(parts), ...);
        append(";");
    }

    // Never beyond what is reserved: a moved string would leave its bytes behind.
    void append(view part) {
        if (text_.capacity() - text_.size() < part.size())
            return refuse("the connection string", "is too long for", "");
        text_ += part;
    }

    const driver_profile& of_;
    std::string text_;
    std::optional<std::string> why_;
};

bool identified(encryption how) noexcept {
    return how != encryption::disable && how != encryption::require;
}

view word_of(encryption how) {
    switch (how) {
    case encryption::disable: return "Encrypt=disable";
    case encryption::require: return "Encrypt=require";
    case encryption::verify_ca: return "Encrypt=verify_ca";
    case encryption::verify_full: return "Encrypt=verify_full";
    case encryption::strict: return "Encrypt=strict";
    }
    return "Encrypt";
}

view own_or_systems(const std::string& file) {
    return file.empty() || file == "system" ? system_certificates : view(file);
}

const std::string& certificate_name(const target& to) {
    return to.with->certificate_host.empty() ? to.at.host : to.with->certificate_host;
}

const std::string& database_of(const target& to) {
    return to.database.empty() ? to.with->database : to.database;
}

void add_place(string_of_settings& made, const driver_profile& of, const target& to) {
    if (of.keys.server.empty())
        return; // The data source, or the database's file, says it.
    const bool by_name = of.libpq_inside || (of.host_checked == certificate_host::of_the_server &&
                                             identified(to.with->encrypt));
    std::string server = to.address;
    if (to.at.local_socket() && !of.libpq_inside)
        return made.refuse("Server", "cannot be a socket for", "");
    if (to.at.local_socket() || to.address.empty())
        server = to.at.host;
    else if (by_name)
        server = certificate_name(to);
    const auto port = std::to_string(to.at.port != 0 ? to.at.port : of.port);
    if (of.keys.port.empty())
        server += "," + port;
    made.add("Server", of.keys.server, server);
    if (!of.keys.port.empty())
        made.add("Port", of.keys.port, port);
}

void add_security(string_of_settings& made, const driver_profile& of, const target& to) {
    const auto& with = *to.with;
    const auto text = of.encrypts[static_cast<std::size_t>(with.encrypt)];
    if (to.at.local_socket())
        return made.add_settings(of.encrypts.front().value_or(""));
    if (!text)
        return made.refuse(word_of(with.encrypt), "cannot be told to", of.encrypts_instead);
    made.add_settings(*text);
    if (of.libpq_inside)
        return;
    if (with.kerberos)
        made.refuse("Kerberos", "cannot be told to", "");
    if (with.binding == channel_binding::require)
        made.refuse("Channel_Binding=require", "cannot be told to", "");
    if (!with.certificate.empty()) {
        made.add("Certificate", of.keys.certificate, with.certificate);
        made.add("Certificate_Key", of.keys.certificate_key, with.certificate_key);
    }
    if (!identified(with.encrypt))
        return;
    if (!of.keys.root_certificate.empty())
        made.add(
            "Root_Certificate", of.keys.root_certificate, own_or_systems(with.root_certificate)
        );
    else if (own_or_systems(with.root_certificate) != system_certificates)
        made.refuse("Root_Certificate", "has no meaning for", "it knows the system's only");
    if (of.host_checked == certificate_host::of_the_key)
        made.add("HostNameInCertificate", of.keys.host_in_certificate, certificate_name(to));
}

// libpq's own grammar: quotes around, and a backslash before a quote or a backslash.
class libpq_options {
public:
    void add(view keyword, view value) {
        text_ += fmt::format("{}{}='", text_.empty() ? "" : " ", keyword);
        for (const char c : value) {
            if (c == '\'' || c == '\\')
                text_ += '\\';
            text_ += c;
        }
        text_ += '\'';
    }
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

const char* binding_of(const target& to) {
    if (to.at.local_socket())
        return "prefer";
    switch (to.with->binding) {
    case channel_binding::disable: return "disable";
    case channel_binding::prefer: return "prefer";
    case channel_binding::require: return "require";
    }
    return "prefer";
}

// All that libpq 15 would else take from the environment, a service file or the home folder (X2,
// M10), but for what it has no option for. The driver passes 29 on and drops the rest silently;
// five stand in its own keys.
libpq_options options_inside(const target& to, std::chrono::seconds login_limit) {
    const auto& with = *to.with;
    const auto or_none = [](const std::string& file) {
        return file.empty() ? no_file : view(file);
    };
    libpq_options made;
    if (!to.at.local_socket())
        made.add("hostaddr", to.address);
    made.add("passfile", no_file);
    made.add("connect_timeout", std::to_string(login_limit.count()));
    made.add("client_encoding", "UTF8");
    made.add("application_name", with.application_name.empty() ? "hadr" : with.application_name);
    made.add("target_session_attrs", "any");
    made.add("keepalives_idle", "10");
    made.add("keepalives_interval", "5");
    made.add("keepalives_count", "3");
    made.add("tcp_user_timeout", "30000");
    made.add(
        "sslrootcert", identified(with.encrypt) ? own_or_systems(with.root_certificate) : no_file
    );
    made.add("sslcert", or_none(with.certificate));
    made.add("sslkey", or_none(with.certificate_key));
    made.add("sslcrl", no_file);
    made.add("sslcompression", "0");
    made.add("sslsni", "1");
    made.add("ssl_min_protocol_version", "TLSv1.2");
    made.add("ssl_max_protocol_version", "TLSv1.3");
    made.add("channel_binding", binding_of(to));
    made.add("gssencmode", with.kerberos ? "prefer" : "disable");
    made.add("krbsrvname", "postgres");
    if (with.proxy.empty()) // A pooler refuses it.
        made.add("options", " ");
    return made;
}

bool same_key(view setting, view key) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(
        key.begin(),
        key.end(),
        setting.begin(),
        setting.begin() + static_cast<std::ptrdiff_t>(std::min(setting.find('='), setting.size())),
        [&](char a, char b) { return lower(a) == lower(b); }
    );
}

void add_settings(string_of_settings& made, const driver_profile& of, const profile& with) {
    for (const auto setting : of.always) {
        const bool replaced = std::any_of(
            with.passed_through.begin(),
            with.passed_through.end(),
            [&](const auto& one) { return same_key(setting, one.first); }
        );
        if (!replaced)
            made.add_settings(setting);
    }
    for (const auto& [key, value] : with.passed_through) {
        if (!passes(of.family, key))
            made.refuse("a key that is passed through", "is not in the list of", "");
        else
            made.add(key, key, value);
    }
}

void add_login(
    string_of_settings& made, const driver_profile& of, const target& to, const secret& password
) {
    const auto& with = *to.with;
    if (!database_of(to).empty())
        made.add("Database", of.keys.database, database_of(to));
    if (!with.user.empty())
        made.add("UID", of.keys.user, with.user);
    // libpq would look for one in the environment.
    if (!password.empty() || of.libpq_inside)
        made.add(
            "PWD", of.keys.password, password.empty() ? no_password : password.reveal(), of.password
        );
    if (!with.application_name.empty() && !of.keys.application_name.empty())
        made.add("Application_Name", of.keys.application_name, with.application_name);
}

}

expected<secret> connection_text(
    const driver_profile& of,
    const target& to,
    const secret& password,
    std::chrono::seconds login_limit
) {
    const auto& with = *to.with;
    string_of_settings made(of, 2 * of.text_max);
    if (with.odbc_source.empty())
        made.add("Driver", "Driver", with.odbc_driver, quoting::not_known);
    else
        made.add("DSN", "DSN", with.odbc_source, quoting::not_known);
    add_place(made, of, to);
    add_login(made, of, to, password);
    add_security(made, of, to);
    add_settings(made, of, with);
    if (!of.keys.login_limit.empty())
        made.add_settings(fmt::format("{}={}", of.keys.login_limit, login_limit.count()));
    if (of.libpq_inside)
        made.add_text("pqopt", options_inside(to, login_limit).text());
    return made.take();
}

}
