// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/profiles.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

bool one_setting(std::string_view text) {
    const auto equals = text.find('=');
    return equals != std::string_view::npos && equals != 0 &&
           text.find_first_of(";{} ") == std::string_view::npos;
}

}

BOOST_AUTO_TEST_SUITE(odbc_profiles)

BOOST_AUTO_TEST_CASE(are_found_by_a_drivers_name_and_by_its_librarys, *utf::label("M12")) {
    using f = odbc_family;
    const std::pair<const char*, odbc_family> rows[] = {
        {"FreeTDS", f::freetds},
        {"freetds for SQL Server", f::freetds},
        {"/opt/lib/libtdsodbc.so.0", f::freetds},
        {"ODBC Driver 18 for SQL Server", f::microsoft_18},
        {"libmsodbcsql-18.3.so.2.1", f::microsoft_18},
        {"ODBC Driver 17 for SQL Server", f::microsoft_17},
        {"libmsodbcsql-17.10.so.5.1", f::microsoft_17},
        {"SQL Server", f::microsoft_17},
        {"PostgreSQL Unicode", f::psqlodbc},
        {"PostgreSQL ANSI", f::psqlodbc},
        {"psqlodbcw.so", f::psqlodbc},
        {"MariaDB Unicode", f::mariadb},
        {"/opt/lib/libmaodbc.so", f::mariadb},
        {"SQLite3", f::sqlite},
        {"libsqlite3odbc.so", f::sqlite},
        {"Oracle 21", f::other},
        {"", f::other}};
    for (const auto& [driver, of] : rows)
        BOOST_TEST((odbc::profile_of(driver).family == of), driver);
}

BOOST_AUTO_TEST_CASE(are_one_for_each_family_and_marked_where_untested) {
    std::set<odbc_family> families;
    for (const auto& one : odbc::all_profiles()) {
        families.insert(one.family);
        const bool from_documents = one.family == odbc_family::microsoft_17 ||
                                    one.family == odbc_family::microsoft_18 ||
                                    one.family == odbc_family::other;
        BOOST_TEST(one.tested == !from_documents, one.name);
        BOOST_TEST(one.value_max > 0U);
        BOOST_TEST(one.text_max > 4 * one.value_max / 2, one.name);
    }
    BOOST_TEST(families.size() == 7U);
    BOOST_TEST(odbc::all_profiles().size() == families.size());
}

BOOST_AUTO_TEST_CASE(hold_settings_of_one_key_each, *utf::label("X5")) {
    for (const auto& one : odbc::all_profiles()) {
        for (const auto settings : {one.always, one.usual})
            for (const auto setting : settings)
                BOOST_TEST(one_setting(setting), setting);
        for (const auto setting : one.usual)
            BOOST_TEST(passes(one.family, setting.substr(0, setting.find('='))), setting);
        BOOST_TEST(one.encrypts.front().has_value(), one.name);
    }
}

BOOST_AUTO_TEST_CASE(let_no_key_pass_that_leads_elsewhere_or_writes, *utf::label("X5")) {
    constexpr const char* kept_out[] = {
        "Server",   "Servername", "Address",         "Port",         "Driver",   "DSN",
        "FILEDSN",  "SAVEFILE",   "DumpFile",        "TraceFile",    "Trace",    "LoadExt",
        "Debug",    "CommLog",    "pqopt",           "ConnSettings", "INITSTMT", "PLUGIN_DIR",
        "SOCKET",   "SSLmode",    "Encryption",      "Encrypt",      "UID",      "PWD",
        "Database", "DMEnvAttr",  "Failover_Partner"};
    for (const auto& one : odbc::all_profiles())
        for (const auto* key : kept_out)
            BOOST_TEST(!passes(one.family, key), one.name << " and " << key);
    BOOST_TEST(passes(odbc_family::freetds, "tds_version"));
    BOOST_TEST(!passes(odbc_family::sqlite, "TDS_Version"));
}

BOOST_AUTO_TEST_SUITE_END()

}
