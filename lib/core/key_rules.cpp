// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"
#include "core/keys.hpp"
#include "core/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace hadr::inline v0::core {

namespace {

using namespace std::chrono_literals;
using spec = store_specification;
using shown = std::optional<std::string>;
using view = std::string_view;

const spec& defaults() {
    static const spec fresh;
    return fresh;
}

constexpr std::array<view, 5> mode_words = {
    "standalone",
    "mirroring",
    "availability_group",
    "failover_cluster_instance",
    "failover_cluster"};
constexpr std::array<view, 5> encrypt_words = {
    "disable", "require", "verify_ca", "verify_full", "strict"};
constexpr std::array<view, 3> binding_words = {"disable", "prefer", "require"};
constexpr std::array<view, 2> intent_words = {"ReadWrite", "ReadOnly"};
constexpr std::array<view, 2> start_words = {"evidence", "alone"};
constexpr std::array<view, 3> engine_words = {"postgresql", "sql_server", "other"};
constexpr std::array<view, 2> generation_words = {"2015", "2019"};
constexpr std::array<view, 2> edition_words = {"enterprise", "standard"};
constexpr std::array<view, 4> role_words = {
    "front_end", "persistent_chat", "archiving", "monitoring"};
constexpr std::array<view, 2> safety_words = {"full", "off"};
constexpr std::array<view, 2> proxy_words = {"pgbouncer_session", "other_session"};

shown unless(bool is_default, std::string value) {
    return is_default ? shown() : shown(std::move(value));
}

template <class Enum, std::size_t N>
complaint choose(view value, const std::array<view, N>& words, Enum& into) {
    std::size_t index = 0;
    if (auto why = read_choice(value, words, index))
        return why;
    into = static_cast<Enum>(index);
    return std::nullopt;
}

complaint any_text(view value, std::size_t most, std::string& into) {
    if (value.empty())
        return "is empty";
    if (value.size() > most)
        return fmt::format("is longer than {} bytes", most);
    into = value;
    return std::nullopt;
}

complaint whole(view value, int least, int most, int& into) {
    std::int64_t number = 0;
    if (auto why = read_number(value, least, most, number))
        return why;
    into = static_cast<int>(number);
    return std::nullopt;
}

/// checks: whether the word itself says how the server is identified.
complaint read_encrypt(view value, encryption& into, bool* checks = nullptr) {
    const auto word = lower_case(value);
    if (word == "yes" || word == "true" || word == "mandatory") {
        into = encryption::verify_full;
        return std::nullopt;
    }
    if (word == "no" || word == "false" || word == "optional") {
        into = encryption::disable;
        return std::nullopt;
    }
    auto why = choose(value, encrypt_words, into);
    if (checks != nullptr)
        *checks = into > encryption::require;
    return why;
}

complaint read_witness(view value, witness_server& into) {
    constexpr std::array<view, 1> products = {"pg_auto_failover"};
    const auto colon = value.find(':');
    std::size_t index = 0;
    if (auto why = read_choice(value.substr(0, colon), products, index))
        return "begins with its product, as in pg_auto_failover:host:port; it " + *why;
    if (colon == view::npos)
        return "names no host, as in pg_auto_failover:host:port";
    into.product = products[index];
    return read_one_endpoint(value.substr(colon + 1), into.at);
}

complaint read_driver(draft& to, view value) {
    if (lower_case(value) == "libpq") {
        to.store.driver = "libpq";
        return std::nullopt;
    }
    to.store.driver = "odbc";
    return any_text(value, 255, to.with.odbc_driver);
}

complaint read_overrides(view value, std::vector<std::string>& into) {
    while (!value.empty()) {
        const auto comma = value.find(',');
        const auto one = trimmed(value.substr(0, comma));
        if (!one.empty())
            into.push_back(lower_case(one));
        value.remove_prefix(comma == view::npos ? value.size() : comma + 1);
    }
    return into.empty() ? complaint("names no override") : std::nullopt;
}

bool identifier(view value) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !value.empty() && value.size() <= 63 && letter(value.front()) &&
           std::all_of(value.begin(), value.end(), [&](char c) {
               return letter(c) || (c >= '0' && c <= '9') || c == '$';
           });
}

complaint read_table(view value, std::string& into) {
    const auto dot = value.find('.');
    const bool schema = dot == view::npos || identifier(value.substr(0, dot));
    if (!schema || !identifier(value.substr(dot == view::npos ? 0 : dot + 1)))
        return "must be table or schema.table, of letters, digits, '_' and '$', at most 63 bytes "
               "each";
    into = value;
    return std::nullopt;
}

complaint read_partner(view value, std::string& into) {
    if (value == "*") {
        into = value;
        return std::nullopt;
    }
    const bool suffix = value.starts_with("*.");
    endpoint at;
    if (auto why = read_endpoint(value.substr(suffix ? 2 : 0), at))
        return why;
    if (at.local_socket() || !at.instance.empty() || at.host.starts_with('.') ||
        at.host.find_first_not_of("0123456789") == std::string::npos)
        return "must be hosts, *.suffix, either with :port, or *; separated by commas";
    into = (suffix ? "*." : "") + to_string(at);
    return std::nullopt;
}

complaint read_partners(view value, std::vector<std::string>& into) {
    while (true) {
        const auto comma = value.find(',');
        if (auto why = read_partner(trimmed(value.substr(0, comma)), into.emplace_back()))
            return why;
        if (comma == view::npos)
            return std::nullopt;
        value.remove_prefix(comma + 1);
    }
}

shown secret_shown(const std::shared_ptr<const profile>& of) {
    return of && !of->password.empty() ? shown(std::string(redaction)) : shown();
}

template <duration spec::*Field>
shown show_time(const spec& s) {
    return unless(s.*Field == defaults().*Field, show_duration(s.*Field));
}

template <int spec::*Field>
shown show_int(const spec& s) {
    return unless(s.*Field == defaults().*Field, std::to_string(s.*Field));
}

template <std::string spec::*Field>
shown show_text(const spec& s) {
    return unless((s.*Field).empty(), s.*Field);
}

template <std::string profile::*Field>
shown show_profile(const spec& s) {
    return unless(
        !s.with || (s.with.get()->*Field).empty(), s.with ? s.with.get()->*Field : std::string()
    );
}

template <std::string profile::*Field>
shown show_witness(const spec& s) {
    if (!s.witness || (s.witness->with.get()->*Field).empty())
        return {};
    return s.witness->with.get()->*Field;
}

shown show_objective(const std::optional<duration>& of) {
    return of ? shown(show_duration(*of)) : shown();
}

complaint read_objective(view value, std::optional<duration>& into) {
    duration length{};
    if (auto why = read_duration(value, 0s, 24h * 30, length))
        return why;
    into = length;
    return std::nullopt;
}

#define READ [](draft & d, view v) -> complaint
#define SHOW [](const spec& s) -> shown

// clang-format off
const key_rule rules[] = {
    {"Mode", "", "all", "standalone, mirroring; availability_group, failover_cluster_instance and failover_cluster are parsed, and refused when opened in this release", "standalone", "How the database is made highly available.", false,
        READ { return choose(v, mode_words, d.store.how); },
        SHOW { return unless(s.how == mode::standalone, std::string(to_string(s.how))); }},
    {"Driver", "", "all", "libpq, or an ODBC driver's name to 255 bytes", "libpq", "The client library. Any name but libpq is an ODBC driver; a few keys of its own pass through to it.", false,
        READ { return read_driver(d, v); },
        SHOW { return show_profile<&profile::odbc_driver>(s); }},
    {"DSN", "", "all", "an ODBC data source, to 255 bytes", "none", "Names driver and server in ODBC's own files, which also say how the wire is protected: Encrypt=disable leaves it to them. Not with Driver.", false,
        READ { d.store.driver = "odbc"; return any_text(v, 255, d.with.odbc_source); },
        SHOW { return show_profile<&profile::odbc_source>(s); }},
    {"Engine", "", "all", "postgresql, sql_server, other", "by Driver: postgresql with libpq and psqlODBC, sql_server with FreeTDS and SQL Server's, else other", "What is asked of the servers, and how it is read.", false,
        READ { d.engine_given = true; return choose(v, engine_words, d.store.kind); },
        SHOW { return unless(!s.with || s.kind == usual_engine(s, *s.with), std::string(engine_words[static_cast<std::size_t>(s.kind)])); }},
    {"Server", "Host, Address, Addr, Servername, Data Source, Network Address", "all", "host, host:port, host,port, [IPv6]:port, host\\instance with ODBC drivers, or a socket directory; several with commas where the mode has several", "required but with SQLite and DSN", "Where the database is. In mirroring the fixed name of the primary; a second one is the failover partner.", false,
        READ { return read_endpoints(v, d.store.servers); },
        SHOW { return unless(s.servers.empty() || s.servers.front().host.empty(), show_endpoints(s.servers)); }},
    {"Port", "", "all", "1 to 65535", "the engine's", "For every server that is named without a port, the failover partner included.", false,
        READ { int n = 0; if (auto why = whole(v, 1, 65'535, n)) return why; d.port = static_cast<std::uint16_t>(n); return std::nullopt; },
        SHOW { static_cast<void>(s); return shown(); }},
    {"Failover_Partner", "", "mirroring", "as Server, one", "none", "The fixed name of the mirror.", false,
        READ { endpoint at; if (auto why = read_one_endpoint(v, at)) return why; d.store.failover_partner = at; return std::nullopt; },
        SHOW { return s.failover_partner ? shown(to_string(*s.failover_partner)) : shown(); }},
    {"Witness", "", "mirroring", "pg_auto_failover:host:port or pg_auto_failover:host,port", "none", "The part that decides failovers. Without it failover is manual_only. Not with Engine=sql_server, whose partners tell of their witness (C9).", false,
        READ { return read_witness(v, d.witness); },
        SHOW { return s.witness ? shown(s.witness->product + ":" + to_string(s.witness->at)) : shown(); }},
    {"Witness_UID", "", "mirroring", "text to 255 bytes", "autoctl_node", "User at the witness.", false,
        READ { d.witness_user_given = true; return any_text(v, 255, d.witness_with.user); },
        SHOW { return unless(!s.witness || s.witness->with->user == "autoctl_node", s.witness ? s.witness->with->user : ""); }},
    {"Witness_PWD", "", "mirroring", "text", "none", "Password at the witness. Never printed.", true,
        READ { d.witness_with.password = secret(v); return std::nullopt; },
        SHOW { return s.witness ? secret_shown(s.witness->with) : shown(); }},
    {"Witness_PWD_File", "", "mirroring", "path to 4096 bytes", "none", "File with that password, read at every login.", false,
        READ { return any_text(v, 4096, d.witness_with.password_file); },
        SHOW { return show_witness<&profile::password_file>(s); }},
    {"Witness_PWD_Env", "", "mirroring", "name to 255 bytes", "none", "Environment variable with that password, read at every login.", false,
        READ { return any_text(v, 255, d.witness_with.password_environment); },
        SHOW { return show_witness<&profile::password_environment>(s); }},
    {"Witness_Database", "", "mirroring", "text to 63 bytes", "pg_auto_failover", "Database of the witness.", false,
        READ { return any_text(v, 63, d.witness_with.database); },
        SHOW { return unless(!s.witness || s.witness->with->database == "pg_auto_failover", s.witness ? s.witness->with->database : ""); }},
    {"Witness_Encrypt", "", "mirroring", "as Encrypt", "verify_full; disable if the witness is local (socket or loopback)", "TLS to the witness.", false,
        READ { d.witness_encrypt_given = true; return read_encrypt(v, d.witness_with.encrypt); },
        SHOW { if (!s.witness) return {}; return unless(s.witness->with->encrypt == usual_encryption(*s.witness), std::string(encrypt_words[static_cast<std::size_t>(s.witness->with->encrypt)])); }},
    {"Witness_Formation", "", "mirroring", "text to 63 bytes", "default", "The formation of this store; rows of others are refused.", false,
        READ { return any_text(v, 63, d.witness.formation); },
        SHOW { return unless(!s.witness || s.witness->formation == "default", s.witness ? s.witness->formation : ""); }},
    {"Witness_Group", "", "mirroring", "0 to 1000000", "0", "The group within the formation.", false,
        READ { return whole(v, 0, 1'000'000, d.witness.group); },
        SHOW { return unless(!s.witness || s.witness->group == 0, s.witness ? std::to_string(s.witness->group) : ""); }},
    {"Listener", "", "availability_group", "as Server, one", "none", "The listener's name.", false,
        READ { endpoint at; if (auto why = read_one_endpoint(v, at)) return why; d.store.listener = at; return std::nullopt; },
        SHOW { return s.listener ? shown(to_string(*s.listener)) : shown(); }},
    {"Database", "Initial Catalog, DBName", "all", "text to 63 bytes; to 255 with an ODBC driver", "required in mirroring, with libpq and with SQLite (C42)", "The database; case matters (C49). With SQLite its file.", false,
        READ { return any_text(v, d.store.driver == "libpq" ? 63 : 255, d.with.database); },
        SHOW { return show_profile<&profile::database>(s); }},
    {"UID", "User, User Id, Username", "all", "text to 255 bytes", "required with libpq", "The user.", false,
        READ { return any_text(v, 255, d.with.user); },
        SHOW { return show_profile<&profile::user>(s); }},
    {"PWD", "Password", "all", "text", "none", "The password. Never printed.", true,
        READ { d.with.password = secret(v); return std::nullopt; },
        SHOW { return secret_shown(s.with); }},
    {"PWD_File", "", "all", "path to 4096 bytes", "none", "File with the password, read at every login.", false,
        READ { return any_text(v, 4096, d.with.password_file); },
        SHOW { return show_profile<&profile::password_file>(s); }},
    {"PWD_Env", "", "all", "name to 255 bytes", "none", "Environment variable with the password, read at every login.", false,
        READ { return any_text(v, 255, d.with.password_environment); },
        SHOW { return show_profile<&profile::password_environment>(s); }},
    {"Encrypt", "SSLMode", "all", "disable, require, verify_ca, verify_full, strict (also with '-'); yes, true, mandatory = verify_full; no, false, optional = disable", "verify_full; disable if every server is local (socket or loopback), and with SQLite", "TLS, and how the server is identified. strict (TLS before the first byte of the engine's protocol) needs libpq 17 or Microsoft's driver 18. What an ODBC driver cannot do is refused: FreeTDS has disable and require only; MariaDB's and Microsoft's have no verify_ca, and Microsoft's 17 no verify_full.", false,
        READ { d.encrypt_given = true; return read_encrypt(v, d.with.encrypt, &d.encrypt_checks); },
        SHOW { if (!s.with) return {}; return unless(s.with->encrypt == usual_encryption(s, *s.with), std::string(encrypt_words[static_cast<std::size_t>(s.with->encrypt)])); }},
    {"TrustServerCertificate", "", "all", "yes, no", "no", "yes with Encrypt=yes or its default: encrypt without checking who answers, which is Encrypt=require. Not with the words that name a check.", false,
        READ { return read_flag(v, d.trust_server_certificate); },
        SHOW { static_cast<void>(s); return shown(); }},
    {"Root_Certificate", "sslrootcert", "all", "path to 4096 bytes, or system", "system", "Authorities that may sign a server's certificate. Only where one is checked: Encrypt of store or witness at least verify_ca.", false,
        READ { return any_text(v, 4096, d.with.root_certificate); },
        SHOW { return show_profile<&profile::root_certificate>(s); }},
    {"Certificate", "sslcert", "all", "path to 4096 bytes", "none", "The client's own certificate. Only where TLS is used.", false,
        READ { return any_text(v, 4096, d.with.certificate); },
        SHOW { return show_profile<&profile::certificate>(s); }},
    {"Certificate_Key", "sslkey", "all", "path to 4096 bytes", "none", "Its key; the two go together.", false,
        READ { return any_text(v, 4096, d.with.certificate_key); },
        SHOW { return show_profile<&profile::certificate_key>(s); }},
    {"HostNameInCertificate", "", "all", "host name to 253 bytes", "the server's host", "The name that the server's certificate must bear; not for a socket. Only with verify_full or strict.", false,
        READ { return any_text(v, 253, d.with.certificate_host); },
        SHOW { return show_profile<&profile::certificate_host>(s); }},
    {"Channel_Binding", "", "all", "disable, prefer, require", "prefer", "SCRAM bound to the TLS channel. require only where TLS is used.", false,
        READ { return choose(v, binding_words, d.with.binding); },
        SHOW { return unless(!s.with || s.with->binding == channel_binding::prefer, s.with ? std::string(binding_words[static_cast<std::size_t>(s.with->binding)]) : ""); }},
    {"Kerberos", "", "all", "yes, no", "no", "GSS encryption and login where the server offers them.", false,
        READ { return read_flag(v, d.with.kerberos); },
        SHOW { return unless(!s.with || !s.with->kerberos, "yes"); }},
    {"Application_Name", "APP", "all", "text to 63 bytes", "\"hadr PROCESS:PID STORE\"", "What operators see in the server.", false,
        READ { return any_text(v, 63, d.with.application_name); },
        SHOW { return show_profile<&profile::application_name>(s); }},
    {"ApplicationIntent", "", "all", "ReadWrite, ReadOnly", "ReadWrite", "The intent of an acquire that names none.", false,
        READ { return choose(v, intent_words, d.store.read_intent); },
        SHOW { return unless(!s.read_intent, "ReadOnly"); }},
    {"MultiSubnetFailover", "", "availability_group, failover_cluster_instance", "yes, no", "yes in those modes", "Try all addresses of a name at once (D22). Not with a failover partner (D23); no is allowed in every mode.", false,
        READ { d.multi_subnet_given = true; return read_flag(v, d.store.multi_subnet_failover); },
        SHOW { return unless(s.multi_subnet_failover == usual_multi_subnet(s.how), s.multi_subnet_failover ? "yes" : "no"); }},
    {"Connect_Timeout", "Login Timeout, Connection Timeout, Timeout", "all", "100ms to 10min", "5s", "One login, name look-up included.", false,
        READ { return read_duration(v, 100ms, 10min, d.store.connect_timeout); }, SHOW { return show_time<&spec::connect_timeout>(s); }},
    {"Acquire_Timeout", "", "all", "1ms to 24h", "15s", "How long acquire waits where the call names no deadline.", false,
        READ { return read_duration(v, 1ms, 24h, d.store.acquire_timeout); }, SHOW { return show_time<&spec::acquire_timeout>(s); }},
    {"Statement_Timeout", "Query Timeout, Command Timeout", "all", "1ms to 24h", "30s", "How long a statement may take where the call names no deadline; then its session is cut.", false,
        READ { return read_duration(v, 1ms, 24h, d.store.statement_timeout); }, SHOW { return show_time<&spec::statement_timeout>(s); }},
    {"Close_Timeout", "", "all", "1ms to 1h", "5s", "How long close waits.", false,
        READ { return read_duration(v, 1ms, 1h, d.store.close_timeout); }, SHOW { return show_time<&spec::close_timeout>(s); }},
    {"Pool_Min", "Min Pool Size", "all", "0 to 10000, at most Pool_Max", "1", "Sessions kept open to the primary.", false,
        READ { return whole(v, 0, 10'000, d.store.pool_min); }, SHOW { return show_int<&spec::pool_min>(s); }},
    {"Pool_Max", "Max Pool Size", "all", "1 to 10000", "10", "Sessions to one server, warm ones included; watchers apart (P2).", false,
        READ { return whole(v, 1, 10'000, d.store.pool_max); }, SHOW { return show_int<&spec::pool_max>(s); }},
    {"Pool_Warm", "", "mirroring, availability_group", "0 to 10000, at most Pool_Max", "2, or Pool_Max if that is less", "Sessions kept ready on a standby for its promotion; each costs a server process there.", false,
        READ { return whole(v, 0, 10'000, d.store.warm); }, SHOW { return unless(s.warm == usual_warm(s.pool_max), std::to_string(s.warm)); }},
    {"Idle_Limit", "", "all", "1s to 24h", "10min", "Sessions idle for longer are closed, down to Pool_Min.", false,
        READ { return read_duration(v, 1s, 24h, d.store.idle_limit); }, SHOW { return show_time<&spec::idle_limit>(s); }},
    {"Lifetime", "Connection Lifetime, Load Balance Timeout", "all", "1s to 720h", "1h", "Sessions are closed at this age, spread over its last tenth.", false,
        READ { return read_duration(v, 1s, 720h, d.store.lifetime); }, SHOW { return show_time<&spec::lifetime>(s); }},
    {"Lease_Limit", "", "all", "1s to 720h", "5min", "A lease held longer is reported as a leak.", false,
        READ { return read_duration(v, 1s, 720h, d.store.lease_limit); }, SHOW { return show_time<&spec::lease_limit>(s); }},
    {"Connects_Per_Second", "", "all", "1 to 10000", "50", "Logins of the store to one server, after a failover too (F56).", false,
        READ { return whole(v, 1, 10'000, d.store.connects_per_second); }, SHOW { return show_int<&spec::connects_per_second>(s); }},
    {"Waiters_Max", "", "all", "1 to 1000000", "10000", "Callers that may wait for a session; more fail at once.", false,
        READ { return whole(v, 1, 1'000'000, d.store.waiters_max); }, SHOW { return show_int<&spec::waiters_max>(s); }},
    {"Watch_Interval", "", "all", "10ms to 1min", "250ms", "How often a server is asked while all is calm.", false,
        READ { return read_duration(v, 10ms, 1min, d.store.watch_interval); }, SHOW { return show_time<&spec::watch_interval>(s); }},
    {"Watch_Timeout", "", "all", "50ms to 1min", "1s", "How long such an answer may take before the server counts as silent.", false,
        READ { return read_duration(v, 50ms, 1min, d.store.watch_timeout); }, SHOW { return show_time<&spec::watch_timeout>(s); }},
    {"Ride_Out", "", "all", "1s to 24h", "30min", "How long writers wait for an absent primary before writes are refused at once and reads go on (B6).", false,
        READ { return read_duration(v, 1s, 24h, d.store.ride_out); }, SHOW { return show_time<&spec::ride_out>(s); }},
    {"Recovery_Hold", "", "all", "0s to 10min", "2s", "How long the primary must be back before that ends (H8).", false,
        READ { return read_duration(v, 0s, 10min, d.store.recovery_hold); }, SHOW { return show_time<&spec::recovery_hold>(s); }},
    {"Witness_Lost_Advice", "", "mirroring", "1s to 24h", "10min", "After how long a lost witness is worth an advice (C32).", false,
        READ { return read_duration(v, 1s, 24h, d.store.witness_lost_advice); }, SHOW { return show_time<&spec::witness_lost_advice>(s); }},
    {"Lag_Limit", "", "mirroring, availability_group", "0 to 1048576GB; bytes, or with kB, MB, GB", "none", "A standby further behind serves no reads.", false,
        READ { std::uint64_t n = 0; if (auto why = read_bytes(v, n)) return why; d.store.lag_limit_bytes = n; return std::nullopt; },
        SHOW { return s.lag_limit_bytes ? shown(std::to_string(*s.lag_limit_bytes)) : shown(); }},
    {"Cold_Start", "", "all", "evidence, alone", "evidence", "What the first write session of a process needs without State_File: the engine's naming or both partners' answers, or the primary's word alone.", false,
        READ { return choose(v, start_words, d.store.start); },
        SHOW { return unless(s.start == cold_start::evidence, "alone"); }},
    {"State_File", "", "all", "path to 4096 bytes", "none", "Remembers the highest epoch accepted, so that a restarted process refuses an older one. One that is there and cannot be read is told, and no server's word alone then suffices (Cold_Start).", false,
        READ { return any_text(v, 4096, d.store.state_file); }, SHOW { return show_text<&spec::state_file>(s); }},
    {"Fork_Table", "", "mirroring", "table or schema.table", "none", "Opt-in: a row per timeline proves a fork (rulings 11).", false,
        READ { return read_table(v, d.store.fork_table); }, SHOW { return show_text<&spec::fork_table>(s); }},
    {"Partner_Allowed", "", "mirroring", "hosts and *.suffix, each with :port or without, separated by commas; or *", "none", "Hosts that the engine may name as new partners and that are then contacted with the store's credentials (X3).", false,
        READ { return read_partners(v, d.store.partners_allowed); },
        SHOW { return unless(s.partners_allowed.empty(), fmt::format("{}", fmt::join(s.partners_allowed, ","))); }},
    {"Proxy", "", "all", "pgbouncer_session, other_session", "none", "What stands in between; undeclared poolers are refused (F53).", false,
        READ { std::size_t i = 0; if (auto why = read_choice(v, proxy_words, i)) return why; d.store.proxy = proxy_words[i]; return std::nullopt; },
        SHOW { return show_text<&spec::proxy>(s); }},
    {"Store_Name", "", "all", "text to 63 bytes", "the database's name", "The store in events, logs and application names.", false,
        READ { return any_text(v, 63, d.store.name); },
        SHOW { return unless(!s.with || s.name == usual_name(*s.with), s.name); }},
    {"Generation", "", "all", "2015, 2019", "none", "Turns on the support policy of that product generation.", false,
        READ { std::size_t i = 0; if (auto why = read_choice(v, generation_words, i)) return why; d.store.generation = i == 0 ? generation_year::v2015 : generation_year::v2019; return std::nullopt; },
        SHOW { return s.generation ? shown(std::to_string(static_cast<int>(*s.generation))) : shown(); }},
    {"Database_Version", "", "all", "text to 31 bytes, e.g. 2012, 2016", "none", "The server's version, for the policy.", false,
        READ { std::string one; if (auto why = any_text(v, 31, one)) return why; d.store.database_version = one; return std::nullopt; },
        SHOW { return s.database_version; }},
    {"Edition", "", "all", "enterprise, standard", "none", "The server's edition, for the policy.", false,
        READ { sql_edition one{}; if (auto why = choose(v, edition_words, one)) return why; d.store.edition = one; return std::nullopt; },
        SHOW { return s.edition ? shown(std::string(edition_words[static_cast<std::size_t>(*s.edition)])) : shown(); }},
    {"Partner_Version", "", "mirroring", "as Database_Version", "not said", "The failover partner's version, for the policy (C3).", false,
        READ { std::string one; if (auto why = any_text(v, 31, one)) return why; d.store.partner_version = one; return std::nullopt; },
        SHOW { return s.partner_version; }},
    {"Witness_Version", "", "mirroring", "as Database_Version", "not said", "The witness's version, for the policy (C3).", false,
        READ { std::string one; if (auto why = any_text(v, 31, one)) return why; d.store.witness_version = one; return std::nullopt; },
        SHOW { return s.witness_version; }},
    {"Partner_Edition", "", "mirroring", "enterprise, standard", "not said", "The failover partner's edition, for the policy (C3).", false,
        READ { sql_edition one{}; if (auto why = choose(v, edition_words, one)) return why; d.store.partner_edition = one; return std::nullopt; },
        SHOW { return s.partner_edition ? shown(std::string(edition_words[static_cast<std::size_t>(*s.partner_edition)])) : shown(); }},
    {"Server_Role", "", "all", "front_end, persistent_chat, archiving, monitoring", "front_end", "What the application is, for the policy.", false,
        READ { return choose(v, role_words, d.store.role); },
        SHOW { return unless(s.role == server_role::front_end, std::string(role_words[static_cast<std::size_t>(s.role)])); }},
    {"Safety", "", "mirroring", "full, off", "full", "Whether mirroring is synchronous (C1).", false,
        READ { std::size_t i = 0; if (auto why = read_choice(v, safety_words, i)) return why; d.store.synchronous = i == 0; return std::nullopt; },
        SHOW { return unless(s.synchronous, "off"); }},
    {"Policy_Override", "", "all", "names with commas, as a refusal gives them", "none", "Goes against the policy knowingly.", false,
        READ { return read_overrides(v, d.store.policy_overrides); },
        SHOW { return unless(s.policy_overrides.empty(), fmt::format("{}", fmt::join(s.policy_overrides, ","))); }},
    {"RTO", "", "all", "0s to 720h", "none", "Recovery time wanted, reported beside what was measured (C17).", false,
        READ { return read_objective(v, d.store.wanted.recovery_time); }, SHOW { return show_objective(s.wanted.recovery_time); }},
    {"RPO", "", "all", "0s to 720h", "none", "Data loss tolerated, likewise.", false,
        READ { return read_objective(v, d.store.wanted.recovery_point); }, SHOW { return show_objective(s.wanted.recovery_point); }},
};
// clang-format on

#undef READ
#undef SHOW
}

std::span<const key_rule> key_rules() noexcept {
    return rules;
}
}
