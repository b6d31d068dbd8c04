// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/connection_text.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

struct login {
    profile with;
    endpoint at{"db1", 0, {}};
    std::string address = "10.0.0.1";
    std::string password = "right-horse";

    explicit login(const char* driver = "FreeTDS") {
        with.odbc_driver = driver;
        with.user = "app";
        with.database = "rtc";
        with.encrypt = encryption::disable;
    }

    expected<secret> made() const {
        const target to{
            at,
            at.local_socket() ? "" : address,
            std::make_shared<const profile>(with),
            purpose::lend,
            {}};
        return odbc::connection_text(
            odbc::profile_of(with.odbc_driver), to, secret(password), std::chrono::seconds(3)
        );
    }

    std::string text() const {
        const auto how = made();
        return how ? std::string(how->reveal()) : to_string(how.error());
    }

    /// Up to the driver's usual settings.
    std::string begins() const {
        const auto whole = text();
        return whole.substr(0, whole.find(";Debug="));
    }

    std::string why_not() const {
        const auto how = made();
        if (how)
            return "it is taken";
        BOOST_TEST(how.error().code == errc::configuration_invalid);
        BOOST_TEST((how.error().next == advice::give_up));
        return how.error().message;
    }
};

}

BOOST_AUTO_TEST_SUITE(odbc_connection_text)

BOOST_AUTO_TEST_CASE(says_to_each_driver_what_it_understands, *utf::label("M12")) {
    login freetds;
    freetds.with.application_name = "demo";
    BOOST_TEST(
        freetds.text() ==
        "Driver=FreeTDS;Server=10.0.0.1;Port=1433;Database=rtc;UID=app;PWD=right-horse;APP=demo;"
        "Encryption=off;TDS_Version=7.4;ClientCharset=UTF-8;Timeout=60;"
    );
    login mariadb("MariaDB Unicode");
    mariadb.at.port = 3307;
    BOOST_TEST(
        mariadb.text() ==
        "Driver=MariaDB Unicode;SERVER=10.0.0.1;PORT=3307;DATABASE=rtc;UID=app;PWD=right-horse;"
        "FORCETLS=0;TCPIP=1;NOLOCALINFILE=1;AUTO_RECONNECT=0;NO_PROMPT=1;CHARSET=utf8mb4;"
        "CONN_TIMEOUT=3;"
    );
    login sqlite("SQLite3");
    sqlite.with.user.clear();
    sqlite.password.clear();
    sqlite.at = {};
    sqlite.with.database = "/var/lib/app/rtc.db";
    BOOST_TEST(
        sqlite.text() == "Driver=SQLite3;Database=/var/lib/app/rtc.db;SyncPragma=FULL;Timeout=5000;"
    );
    login microsoft("ODBC Driver 18 for SQL Server");
    microsoft.with.encrypt = encryption::verify_full;
    BOOST_TEST(
        microsoft.text() ==
        "Driver=ODBC Driver 18 for SQL Server;Server=10.0.0.1,1433;Database=rtc;UID=app;"
        "PWD=right-horse;Encrypt=yes;TrustServerCertificate=no;HostNameInCertificate=db1;"
        "ConnectRetryCount=0;MultiSubnetFailover=No;MARS_Connection=No;"
    );
}

BOOST_AUTO_TEST_CASE(
    leaves_nothing_of_libpqs_to_the_environment, *utf::label("X2") * utf::label("M10")
) {
    login of("PostgreSQL Unicode");
    of.with.encrypt = encryption::verify_full;
    of.with.application_name = "it's; a \\ {demo}";
    BOOST_TEST(
        of.text() ==
        "Driver=PostgreSQL Unicode;Server=db1;Port=5432;Database=rtc;UID=app;PWD={right-horse};"
        "SSLmode=verify-full;Debug=0;CommLog=0;Protocol=7.4-0;UseServerSidePrepare=1;"
        "UseDeclareFetch=0;LFConversion=0;ByteaAsLongVarBinary=1;"
        "pqopt={hostaddr='10.0.0.1' connect_timeout='3' passfile='/dev/null/none' "
        "client_encoding='UTF8' application_name='it\\'s; a \\\\ {demo}}' "
        "target_session_attrs='any' keepalives_idle='10' keepalives_interval='5' "
        "keepalives_count='3' tcp_user_timeout='30000' "
        "sslrootcert='/etc/ssl/certs/ca-certificates.crt' sslcert='/dev/null/none' "
        "sslkey='/dev/null/none' sslcrl='/dev/null/none' sslcompression='0' sslsni='1' "
        "ssl_min_protocol_version='TLSv1.2' ssl_max_protocol_version='TLSv1.3' "
        "channel_binding='prefer' gssencmode='disable' krbsrvname='postgres' options=' '};"
    );
    of.with.proxy = "pgbouncer_session";
    BOOST_TEST(of.text().find("options=") == std::string::npos);
    of.password.clear();
    BOOST_TEST(of.text().find("PWD={none-configured};") != std::string::npos);
    of.at = {"/run/postgresql", 5433, {}};
    BOOST_TEST(
        of.begins() == "Driver=PostgreSQL Unicode;Server=/run/postgresql;Port=5433;Database=rtc;"
                       "UID=app;PWD={none-configured};SSLmode=disable"
    );
    BOOST_TEST(of.text().find("hostaddr") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(quotes_as_driver_and_driver_manager_both_read_it, *utf::label("X5")) {
    struct row {
        const char* driver;
        const char* password;
        const char* written; ///< Null: refused.
    };
    const row rows[] = {
        {"FreeTDS", "a}b", "PWD=a}b;"},
        {"FreeTDS", "a;b", "PWD={a;b};"},
        {"FreeTDS", "{a", "PWD={{a};"},
        {"FreeTDS", "a};Server=b", nullptr},
        {"FreeTDS", "{a}", nullptr},
        {"FreeTDS", "a=b", "PWD=a=b;"},
        {"FreeTDS", "\xc3\xa9", "PWD=\xe9;"},
        {"FreeTDS", "\xe2\x82\xac", nullptr},
        {"FreeTDS", "\xe9", nullptr},
        {"FreeTDS", "a\nb", nullptr},
        {"MariaDB Unicode", "a};b", "PWD={a}};b};"},
        {"MariaDB Unicode", " a", nullptr},
        {"MariaDB Unicode", "a\t", nullptr},
        {"MariaDB Unicode", "\xe2\x82\xac", "PWD=\xe2\x82\xac;"},
        {"PostgreSQL Unicode", "a%20b+c", "PWD={a%20b+c};"},
        {"PostgreSQL Unicode", "a};b", "PWD={a}};b};"},
        {"PostgreSQL Unicode", "a\rb", nullptr},
        {"ODBC Driver 17 for SQL Server", "a};b", "PWD={a}};b};"},
        {"ODBC Driver 17 for SQL Server", "\xc3\xa9", nullptr},
        {"Unknown", "a-b_c.d", "PWD=a-b_c.d;"},
        {"Unknown", "a b", "PWD=a b;"},
        {"Unknown", "a=b", nullptr}};
    for (const auto& [driver, password, written] : rows)
        BOOST_TEST_CONTEXT(driver << ' ' << password) {
            login of(driver);
            of.password = password;
            if (written != nullptr)
                BOOST_TEST(
                    of.text().find(std::string(";") + written) != std::string::npos, of.text()
                );
            else
                BOOST_TEST(of.why_not().starts_with("PWD cannot be told to "), of.why_not());
        }
}

BOOST_AUTO_TEST_CASE(refuses_a_name_that_would_not_stay_one, *utf::label("X5")) {
    login of("PostgreSQL Unicode");
    of.with.user = "a;Server=b";
    BOOST_TEST(of.why_not().starts_with("UID cannot be told to psqlODBC"));
    of.with.user = "{a}";
    BOOST_TEST(of.why_not().starts_with("UID cannot be told to psqlODBC"));
    of.with.user = "a}b{c";
    BOOST_TEST(of.text().find(";UID=a}b{c;") != std::string::npos);
    of.with.database = std::string(256, 'x');
    BOOST_TEST(of.why_not().starts_with("Database cannot be told to psqlODBC: it takes at most 255")
    );
    of.with.database = "rtc";
    of.with.application_name = std::string("a\0b", 3);
    BOOST_TEST(of.why_not().starts_with("Application_Name cannot be told to psqlODBC"));
    login domain;
    domain.with.user = "corp\\app";
    BOOST_TEST(domain.why_not().starts_with("UID cannot be told to FreeTDS: it must hold no \\"));
    login file("SQLite3");
    file.at = {};
    file.password.clear();
    file.with.user.clear();
    file.with.database = "file:rtc?vfs=x";
    BOOST_TEST(file.why_not().starts_with("Database cannot be told to SQLite"));
    file.with.database.clear();
    BOOST_TEST(file.why_not().starts_with("Database is missing"));
    file.with.database = "rtc";
    file.with.user = "app";
    BOOST_TEST(file.why_not() == "UID has no meaning for SQLite's ODBC driver");
    login other;
    other.with.odbc_driver = "FreeTDS;Trace=x";
    BOOST_TEST(other.why_not().starts_with("Driver cannot be told to"));
}

BOOST_AUTO_TEST_CASE(writes_an_applications_name_for_people) {
    login of;
    of.with.application_name = "\xd0\xbb;{a}\n" + std::string(200, 'x');
    const auto text = of.text();
    const auto written = ";APP=????a??" + std::string(121, 'x') + ";";
    BOOST_TEST(text.find(written) != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(refuses_an_encryption_that_a_driver_cannot_do, *utf::label("X1")) {
    using e = encryption;
    struct row {
        const char* driver;
        encryption how;
        const char* written; ///< Null: refused.
    };
    const row rows[] = {
        {"FreeTDS", e::require, "Encryption=require;"},
        {"FreeTDS", e::verify_ca, nullptr},
        {"FreeTDS", e::verify_full, nullptr},
        {"FreeTDS", e::strict, nullptr},
        {"PostgreSQL Unicode", e::require, "SSLmode=require;"},
        {"PostgreSQL Unicode", e::verify_ca, "SSLmode=verify-ca;"},
        {"PostgreSQL Unicode", e::verify_full, "SSLmode=verify-full;"},
        {"PostgreSQL Unicode", e::strict, nullptr},
        {"MariaDB Unicode", e::require, "FORCETLS=1;SSLVERIFY=0;"},
        {"MariaDB Unicode", e::verify_ca, nullptr},
        {"MariaDB Unicode", e::verify_full, "FORCETLS=1;SSLVERIFY=1;"},
        {"ODBC Driver 17 for SQL Server", e::require, "Encrypt=yes;TrustServerCertificate=yes;"},
        {"ODBC Driver 17 for SQL Server", e::verify_full, nullptr},
        {"ODBC Driver 18 for SQL Server", e::verify_ca, nullptr},
        {"ODBC Driver 18 for SQL Server", e::strict, "Encrypt=strict;TrustServerCertificate=no;"},
        {"Unknown", e::require, nullptr},
        {"Unknown", e::verify_full, nullptr}};
    for (const auto& [driver, how, written] : rows)
        BOOST_TEST_CONTEXT(driver << ' ' << static_cast<int>(how)) {
            login of(driver);
            of.with.encrypt = how;
            if (written != nullptr)
                BOOST_TEST(
                    of.text().find(std::string(";") + written) != std::string::npos, of.text()
                );
            else
                BOOST_TEST(of.why_not().starts_with("Encrypt="), of.why_not());
        }
}

BOOST_AUTO_TEST_CASE(proves_a_host_by_its_name_where_only_the_servers_counts, *utf::label("X1")) {
    login of("MariaDB Unicode");
    of.with.encrypt = encryption::verify_full;
    BOOST_TEST(of.text().find(";SERVER=db1;") != std::string::npos);
    BOOST_TEST(of.text().find(";SSLCA=/etc/ssl/certs/ca-certificates.crt;") != std::string::npos);
    of.with.root_certificate = "/ca";
    of.with.certificate_host = "rtc.example.org";
    BOOST_TEST(of.text().find(";SERVER=rtc.example.org;") != std::string::npos);
    BOOST_TEST(of.text().find(";SSLCA=/ca;") != std::string::npos);
    of.with.encrypt = encryption::require;
    BOOST_TEST(of.text().find(";SERVER=10.0.0.1;") != std::string::npos);
    login newer("ODBC Driver 18 for SQL Server");
    newer.with.encrypt = encryption::verify_full;
    newer.with.root_certificate = "/ca";
    BOOST_TEST(newer.why_not().starts_with("Root_Certificate has no meaning for Microsoft"));
}

BOOST_AUTO_TEST_CASE(passes_a_drivers_own_keys_and_no_others, *utf::label("X5")) {
    login of;
    of.with.passed_through = {{"tds_version", "7.4"}, {"Language", "french"}};
    BOOST_TEST(of.text().find(";TDS_Version=7.4;") != std::string::npos);
    BOOST_TEST(of.text().find("tds_version") == std::string::npos);
    BOOST_TEST(of.text().ends_with(";Language=french;"));
    of.with.passed_through = {{"TDS_Version", "5.0"}};
    BOOST_TEST(
        of.why_not() == "TDS_Version cannot be chosen for FreeTDS: it needs TDS_Version=7.4"
    );
    of.with.passed_through = {{"DumpFile", "x"}};
    BOOST_TEST(of.why_not().find("DumpFile") == std::string::npos);
    login sqlite("SQLite3");
    sqlite.at = {};
    sqlite.with.user.clear();
    sqlite.password.clear();
    sqlite.with.passed_through = {{"timeout", "7"}};
    BOOST_TEST(sqlite.text() == "Driver=SQLite3;Database=rtc;SyncPragma=FULL;timeout=7;");
}

BOOST_AUTO_TEST_CASE(leaves_the_server_of_a_data_source_to_it) {
    login of("");
    of.with.odbc_source = "rtc";
    of.at = {};
    of.address.clear();
    BOOST_TEST(of.text() == "DSN=rtc;Database=rtc;UID=app;PWD=right-horse;");
    of.with.odbc_source = "rtc;Trace=1";
    BOOST_TEST(of.why_not().starts_with("DSN cannot be told to"));
}

BOOST_AUTO_TEST_CASE(is_never_longer_than_what_a_driver_can_hold, *utf::label("M12")) {
    login of("MariaDB Unicode");
    of.with.user = std::string(250, 'u');
    of.with.database = std::string(250, 'd');
    of.password = std::string(250, 'p');
    BOOST_TEST(of.why_not().find("longer than the 800 bytes") != std::string::npos, of.why_not());
}

BOOST_AUTO_TEST_SUITE_END()

}
