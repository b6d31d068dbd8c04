// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/profiles.hpp"

namespace hadr::inline v0::odbc {

namespace {

using texts = std::string_view;

// A protocol version left open is tried anew as another, and that attempt has no time-out. Nor have
// calls that are no statements, unless one is set here; statements set their own, or none.
constexpr texts freetds_always[] = {"TDS_Version=7.4", "ClientCharset=UTF-8", "Timeout=60"};

// Retries are the library's own (C44).
constexpr texts microsoft_always[] = {
    "ConnectRetryCount=0", "MultiSubnetFailover=No", "MARS_Connection=No"};

// Debian's odbcinst.ini turns CommLog on. -0: no savepoint around each statement.
constexpr texts psqlodbc_always[] = {
    "Debug=0",
    "CommLog=0",
    "Protocol=7.4-0",
    "UseServerSidePrepare=1",
    "UseDeclareFetch=0",
    "LFConversion=0"};
constexpr texts psqlodbc_usual[] = {"ByteaAsLongVarBinary=1"};

// A server may ask for any file of the client's unless it is told that it gets none.
constexpr texts mariadb_always[] = {
    "TCPIP=1", "NOLOCALINFILE=1", "AUTO_RECONNECT=0", "NO_PROMPT=1"};
constexpr texts mariadb_usual[] = {"CHARSET=utf8mb4"};

// Its own default may lose a commit with the machine.
constexpr texts sqlite_always[] = {"SyncPragma=FULL"};
constexpr texts sqlite_usual[] = {"Timeout=5000"};

// All four win over the connection string: three lead elsewhere, or to a protocol whose login has
// no time-out; the others write the login into a file.
constexpr hostile_variable freetds_variables[] = {
    {"TDSHOST"}, {"TDSPORT"}, {"TDSVER"}, {"TDSDUMP"}, {"TDSDUMPCONFIG"}};

// A service fills what is not said; the others what a socket has no option for.
constexpr hostile_variable psqlodbc_variables[] = {
    {"PGSERVICE"}, {"PGHOSTADDR", true}, {"PGREQUIREPEER", true}};

// It asks under both of its own names, whatever its name in odbcinst.ini is.
constexpr trace_setting psqlodbc_traces[] = {
    {"PostgreSQL Unicode", "Debug"}, {"PostgreSQL ANSI", "Debug"}};

constexpr driver_profile freetds() {
    driver_profile of;
    of.family = odbc_family::freetds;
    of.name = "FreeTDS";
    of.values = quoting::undoubled;
    of.password = quoting::undoubled;
    of.as = reading::latin1;
    of.user_never = "\\"; // A domain and its user, who log in by NTLM instead.
    of.value_max = 128;
    of.text_max = 8192;
    of.keys.server = "Server";
    of.keys.port = "Port";
    of.keys.database = "Database";
    of.keys.user = "UID";
    of.keys.password = "PWD";
    of.keys.application_name = "APP";
    // It checks a certificate only as its own freetds.conf says, which a string cannot reach.
    of.port = 1433;
    of.encrypts = {"Encryption=off", "Encryption=require", {}, {}, {}};
    of.encrypts_instead = "it cannot be told to check a certificate; Encrypt=require or "
                          "Encrypt=disable is the deliberate choice";
    of.always = freetds_always;
    of.variables = freetds_variables;
    // Never cancelled: beside a call that writes or is about to read, its SQLCancel works on the
    // same buffer and the same socket. Then nobody reads the answer; or two attentions leave, and
    // every later statement gets the answer of the one before; or an assertion ends the process.
    // No reset: sp_reset_connection is a flag of the protocol, which this driver never sets, and no
    // procedure that may be called. It would also lead a moved session back to where it logged in.
    of.ways = ways_of_sql_server();
    of.ways.broken_protocol = 20020;
    return of;
}

constexpr driver_profile microsoft(odbc_family family) {
    const bool newer = family == odbc_family::microsoft_18;
    driver_profile of;
    of.family = family;
    of.name = newer ? "Microsoft's ODBC Driver 18" : "Microsoft's ODBC Driver 17";
    of.tested = false;
    of.values = quoting::doubled;
    of.password = quoting::doubled;
    of.as = reading::ascii;
    of.value_max = 128;
    of.text_max = 8192;
    of.keys.server = "Server";
    of.keys.database = "Database";
    of.keys.user = "UID";
    of.keys.password = "PWD";
    of.keys.application_name = "APP";
    of.keys.host_in_certificate = newer ? "HostNameInCertificate" : "";
    of.port = 1433;
    of.encrypts_instead = newer ? "it checks the host's name as well; choose Encrypt=verify_full"
                                : "it knows no name but the server's address; version 18 does, or "
                                  "Encrypt=require is the deliberate choice";
    of.encrypts = {"Encrypt=no", "Encrypt=yes;TrustServerCertificate=yes", {}, {}, {}};
    if (newer) {
        of.encrypts[3] = "Encrypt=yes;TrustServerCertificate=no";
        of.encrypts[4] = "Encrypt=strict;TrustServerCertificate=no";
    }
    of.always = microsoft_always;
    of.cancels = true;
    of.ways = ways_of_sql_server();
    return of;
}

constexpr driver_profile psqlodbc() {
    driver_profile of;
    of.family = odbc_family::psqlodbc;
    of.name = "psqlODBC";
    of.values = quoting::none;
    of.password = quoting::doubled_always;
    of.value_max = 255;
    of.text_max = 4096;
    of.keys.server = "Server";
    of.keys.port = "Port";
    of.keys.database = "Database";
    of.keys.user = "UID";
    of.keys.password = "PWD";
    of.port = 5432;
    of.encrypts_instead = "choose Encrypt=verify_full";
    of.encrypts = {
        "SSLmode=disable", "SSLmode=require", "SSLmode=verify-ca", "SSLmode=verify-full", {}};
    of.libpq_inside = true;
    of.always = psqlodbc_always;
    of.usual = psqlodbc_usual;
    of.variables = psqlodbc_variables;
    of.traces = psqlodbc_traces;
    of.binds_columns = true;
    of.cancels = true;
    of.committed = commit_answer::unless_failed_before;
    of.reset = drivers::discard_all;
    of.ways = ways_of_postgresql();
    return of;
}

constexpr driver_profile mariadb() {
    driver_profile of;
    of.family = odbc_family::mariadb;
    of.name = "MariaDB's ODBC driver";
    of.values = quoting::doubled;
    of.password = quoting::doubled;
    of.trims = true;
    of.value_max = 255;
    of.text_max = 800;
    of.keys.server = "SERVER";
    of.keys.port = "PORT";
    of.keys.database = "DATABASE";
    of.keys.user = "UID";
    of.keys.password = "PWD";
    of.keys.login_limit = "CONN_TIMEOUT";
    of.keys.root_certificate = "SSLCA";
    of.keys.certificate = "SSLCERT";
    of.keys.certificate_key = "SSLKEY";
    of.port = 3306;
    of.encrypts_instead = "it checks the host's name as well; choose Encrypt=verify_full";
    of.encrypts = {"FORCETLS=0", "FORCETLS=1;SSLVERIFY=0", {}, "FORCETLS=1;SSLVERIFY=1", {}};
    of.host_checked = certificate_host::of_the_server;
    of.always = mariadb_always;
    of.usual = mariadb_usual;
    // Never cancelled: its SQLCancel gives up the lock of the call under way, and a second one then
    // closes the statement in the middle of that call.
    of.ways = ways_of_mariadb();
    return of;
}

constexpr driver_profile sqlite() {
    driver_profile of;
    of.family = odbc_family::sqlite;
    of.name = "SQLite's ODBC driver";
    of.values = quoting::none;
    of.password = quoting::none;
    of.value_max = 255;
    of.text_max = 2000;
    of.database_never = "file:"; // A URI, with options of its own.
    of.keys.database = "Database";
    of.encrypts = {"", {}, {}, {}, {}};
    of.encrypts_instead = "there is no wire to encrypt";
    of.always = sqlite_always;
    of.usual = sqlite_usual;
    of.binds_columns = true;
    of.ways = ways_of_sqlite();
    return of;
}

constexpr driver_profile other() {
    driver_profile of;
    of.name = "this ODBC driver";
    of.tested = false;
    of.value_max = 255;
    of.text_max = 1000;
    of.keys.server = "Server";
    of.keys.port = "Port";
    of.keys.database = "Database";
    of.keys.user = "UID";
    of.keys.password = "PWD";
    of.encrypts = {"", {}, {}, {}, {}};
    of.encrypts_instead = "its own files say how the wire is protected; Encrypt=disable "
                          "leaves it to them";
    return of;
}

// In the order of odbc_family.
constexpr driver_profile profiles[] = {
    freetds(),
    microsoft(odbc_family::microsoft_17),
    microsoft(odbc_family::microsoft_18),
    psqlodbc(),
    mariadb(),
    sqlite(),
    other()};

}

const driver_profile& profile_of(std::string_view driver) {
    return profile_of(family_of(driver));
}

const driver_profile& profile_of(odbc_family which) noexcept {
    return profiles[static_cast<std::size_t>(which)];
}

std::span<const driver_profile> all_profiles() noexcept {
    return profiles;
}

}
