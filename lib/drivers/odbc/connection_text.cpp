// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/connection_text.hpp"

#include "drivers/odbc/words.hpp"
#include "drivers/shared/certificates.hpp"
#include "drivers/shared/libpq_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace hadr::inline v0::odbc {

namespace {

using drivers::identified;
using view = std::string_view;

failure invalid(std::string message) {
    return make_failure(errc::configuration_invalid, advice::give_up, std::move(message));
}

bool blank_at_an_end(view value) {
    constexpr view blanks = " \t\v\f";
    return !value.empty() &&
           (blanks.find(value.front()) != view::npos || blanks.find(value.back()) != view::npos);
}

// What the driver is to be given, or nothing where it would read something else.
std::optional<std::string> written(view value, reading as) {
    std::string made;
    made.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto byte = static_cast<unsigned char>(value[i]);
        if (byte < 0x80 || as == reading::bytes) {
            made += value[i];
            continue;
        }
        // U+0080 to U+00FF are C2 or C3 and one byte more.
        const auto next = i + 1 < value.size() ? static_cast<unsigned char>(value[i + 1]) : 0U;
        if (as == reading::ascii || byte < 0xC2 || byte > 0xC3 || (next & 0xC0U) != 0x80)
            return std::nullopt;
        made += static_cast<char>((byte & 0x03U) << 6U | (next & 0x3FU));
        ++i;
    }
    return made;
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

// As PostgreSQL does with an application's name: whoever reads it is no program, and it must not
// keep a process of that name from its database.
std::string for_people(view value, const driver_profile& of) {
    std::string made(value.substr(0, of.value_max));
    for (char& c : made)
        if (c < ' ' || c > '~' || c == ';' || c == '{' || c == '}')
            c = '?';
    return made;
}

view more_that_none_holds(quoting how) {
    switch (how) {
    case quoting::none: return ", no ';', and none that begins with '{'";
    case quoting::undoubled: return ", and no '}' together with ';' or with '{' at the beginning";
    case quoting::doubled:
    case quoting::doubled_always: break;
    case quoting::not_known: return ", and nothing that some driver might take for its own signs";
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
        auto as_read = written(value, of_.as);
        if (auto why = unfit(as_read, how); !why.empty())
            refuse(ours, "cannot be told to", why);
        else if (bare(*as_read, how))
            add_raw(theirs, *as_read);
        else
            add_in_braces(theirs, *as_read);
        if (as_read)
            wipe(*as_read);
    }

    /// Whatever its length.
    void add_in_braces(view key, view value) {
        auto inside = doubled(value);
        add_raw(key, "{", inside, "}");
        wipe(inside);
    }

    /// Of our own making, with ';' between them.
    void add_settings(view settings) {
        while (!settings.empty()) {
            const auto end = std::min(settings.find(';'), settings.size());
            append(settings.substr(0, end));
            append(";");
            settings.remove_prefix(std::min(end + 1, settings.size()));
        }
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
    std::string unfit(const std::optional<std::string>& value, quoting how) const {
        if (!value)
            return of_.as == reading::ascii ? "it reads ASCII only" : "it reads ISO 8859-1 only";
        if (value->find_first_of(view("\0\r\n", 3)) != view::npos ||
            (!bare(*value, how) && !braced(*value, how)))
            return fmt::format(
                "its connection strings can hold no NUL, CR or LF{}", more_that_none_holds(how)
            );
        if ((of_.trims || how == quoting::not_known) && blank_at_an_end(*value))
            return "it drops blanks at the ends";
        if (value->size() > of_.value_max)
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

const std::string& certificate_name(const target& to) {
    return to.with->certificate_host.empty() ? to.at.host : to.with->certificate_host;
}

const std::string& database_of(const target& to) {
    return to.database.empty() ? to.with->database : to.database;
}

void add_place(string_of_settings& made, const driver_profile& of, const target& to) {
    if (to.at.host.empty())
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
    const auto number = to.at.port != 0 ? to.at.port : of.port;
    if (of.keys.port.empty())
        server += fmt::format(",{}", number);
    made.add("Server", of.keys.server, server);
    if (number != 0 && !of.keys.port.empty())
        made.add("Port", of.keys.port, std::to_string(number));
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
        made.add("Root_Certificate", of.keys.root_certificate, drivers::root_certificate(with));
    else if (drivers::root_certificate(with) != drivers::system_certificates)
        made.refuse("Root_Certificate", "has no meaning for", "it knows the system's only");
    if (of.host_checked == certificate_host::of_the_key)
        made.add("HostNameInCertificate", of.keys.host_in_certificate, certificate_name(to));
}

// libpq's own grammar: quotes around, and a backslash before a quote or a backslash.
class libpq_options {
public:
    /// ours: the key that an error names.
    void add(view ours, view keyword, view value) {
        if (value.find('\0') != view::npos && unfit_.empty())
            unfit_ = ours;
        text_ += fmt::format("{}{}='", text_.empty() ? "" : " ", keyword);
        for (const char c : value) {
            if (c == '\'' || c == '\\')
                text_ += '\\';
            text_ += c;
        }
        text_ += '\'';
    }
    const std::string& text() const noexcept { return text_; }
    /// The key whose value holds a NUL, or empty.
    view unfit() const noexcept { return unfit_; }

private:
    std::string text_;
    view unfit_;
};

// For what the environment may still say libpq 15 has no option. The driver passes 29 on and drops
// the rest silently; five stand in its own keys.
libpq_options options_inside(const target& to, std::chrono::seconds login_limit) {
    libpq_options made;
    if (!to.at.local_socket())
        made.add("", "hostaddr", to.address);
    made.add("", "connect_timeout", std::to_string(login_limit.count()));
    for (const auto& one : drivers::libpq_settings(to))
        made.add(one.ours, one.keyword, one.value);
    if (to.with->proxy.empty()) // A pooler refuses it.
        made.add("", "options", " ");
    return made;
}

void add_options(string_of_settings& made, const libpq_options& inside) {
    if (!inside.unfit().empty())
        return made.refuse(inside.unfit(), "cannot be told to", "it can hold no NUL");
    made.add_in_braces("pqopt", inside.text());
}

bool among(const profile& with, view setting) {
    return std::any_of(
        with.passed_through.begin(),
        with.passed_through.end(),
        [&](const auto& one) { return same(setting.substr(0, setting.find('=')), one.first); }
    );
}

void pass_through(string_of_settings& made, const driver_profile& of, view key, view value) {
    if (!passes(of.family, key))
        return made.refuse("a key that is passed through", "is not in the list of", "");
    for (const auto setting : of.always)
        if (const auto equals = setting.find('='); same(setting.substr(0, equals), key)) {
            if (!same(setting.substr(equals + 1), value))
                made.refuse(key, "cannot be chosen for", fmt::format("it needs {}", setting));
            return;
        }
    made.add(key, key, value);
}

void add_settings(string_of_settings& made, const driver_profile& of, const profile& with) {
    for (const auto setting : of.always)
        made.add_settings(setting);
    for (const auto setting : of.usual)
        if (!among(with, setting))
            made.add_settings(setting);
    for (const auto& [key, value] : with.passed_through)
        pass_through(made, of, key, value);
}

void add_database(string_of_settings& made, const driver_profile& of, const target& to) {
    const auto& name = database_of(to);
    if (name.empty() &&
        of.keys.server.empty()) // It would take the whole string for the file's name.
        return made.refuse("Database", "is missing, and is needed by", "");
    if (!of.database_never.empty() && name.starts_with(of.database_never))
        return made.refuse(
            "Database",
            "cannot be told to",
            fmt::format("it must not begin with {}", of.database_never)
        );
    if (!name.empty())
        made.add("Database", of.keys.database, name);
}

void add_login(
    string_of_settings& made, const driver_profile& of, const target& to, const secret& password
) {
    const auto& with = *to.with;
    add_database(made, of, to);
    if (with.user.find_first_of(of.user_never) != view::npos)
        made.refuse("UID", "cannot be told to", fmt::format("it must hold no {}", of.user_never));
    else if (!with.user.empty())
        made.add("UID", of.keys.user, with.user);
    // libpq would look for one in the environment.
    if (!password.empty() || of.libpq_inside)
        made.add(
            "PWD",
            of.keys.password,
            password.empty() ? drivers::no_password : password.reveal(),
            of.password
        );
    if (!with.application_name.empty() && !of.keys.application_name.empty())
        made.add(
            "Application_Name", of.keys.application_name, for_people(with.application_name, of)
        );
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
        add_options(made, options_inside(to, login_limit));
    return made.take();
}

}
