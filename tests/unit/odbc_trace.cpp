// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/trace.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <set>
#include <tuple>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

struct scene : odbc::surroundings {
    std::map<std::tuple<std::string, std::string, std::string>, std::string> settings;
    std::set<std::string, std::less<>> variables;
    bool on = false;

    std::string
    setting(std::string_view file, std::string_view section, std::string_view key) override {
        const auto found =
            settings.find({std::string(file), std::string(section), std::string(key)});
        return found == settings.end() ? std::string() : found->second;
    }
    std::optional<std::string> variable(std::string_view name) override {
        return variables.contains(name) ? std::optional<std::string>("x") : std::nullopt;
    }
    bool traced() override { return on; }

    std::string why(const char* driver, endpoint at = {"db1", 0, {}}, const char* source = "") {
        auto with = std::make_shared<profile>();
        with->odbc_driver = driver;
        with->odbc_source = source;
        const target to{std::move(at), "10.0.0.1", with, purpose::lend, {}};
        const auto how = odbc::unobserved(odbc::profile_of(driver), to, *this);
        if (how)
            return "";
        BOOST_TEST(how.error().code == errc::configuration_invalid);
        BOOST_TEST((how.error().next == advice::give_up));
        return how.error().message;
    }
};

}

BOOST_FIXTURE_TEST_SUITE(odbc_traces, scene)

BOOST_AUTO_TEST_CASE(of_the_driver_manager_are_told_by_file_and_setting, *utf::label("X4")) {
    BOOST_TEST(why("FreeTDS") == "");
    for (const auto* value : {"1", "Yes", "y", "ON", "on"})
        BOOST_TEST_CONTEXT(value) {
            settings[{"odbcinst.ini", "ODBC", "Trace"}] = value;
            BOOST_TEST(why("FreeTDS").starts_with("Trace in [ODBC] of odbcinst.ini would write"));
        }
    for (const auto* value : {"0", "No", "off", "false", ""})
        BOOST_TEST_CONTEXT(value) {
            settings[{"odbcinst.ini", "ODBC", "Trace"}] = value;
            BOOST_TEST(why("FreeTDS") == "");
        }
    settings[{"odbcinst.ini", "ODBC", "Pooling"}] = "Yes";
    BOOST_TEST(why("FreeTDS").starts_with("Pooling in [ODBC] of odbcinst.ini would keep"));
    settings.clear();
    on = true;
    BOOST_TEST(why("SQLite3").starts_with("SQL_ATTR_TRACE is on"));
}

BOOST_AUTO_TEST_CASE(of_a_driver_are_told_where_its_string_cannot_end_them, *utf::label("X4")) {
    settings[{"odbcinst.ini", "PostgreSQL Unicode", "Debug"}] = "1";
    BOOST_TEST(
        why("PostgreSQL Unicode").starts_with("Debug in [PostgreSQL Unicode] of odbcinst.ini")
    );
    BOOST_TEST(why("FreeTDS") == "");
    settings[{"odbcinst.ini", "PostgreSQL Unicode", "Debug"}] = "0";
    settings[{"odbcinst.ini", "PostgreSQL Unicode", "CommLog"}] = "1";
    BOOST_TEST(why("PostgreSQL Unicode") == "", "its string turns that off");
    settings[{"odbc.ini", "rtc", "DumpFile"}] = "/tmp/x";
    BOOST_TEST(why("", {}, "rtc").starts_with("DumpFile in [rtc] of odbc.ini"));
    BOOST_TEST(why("", {}, "other") == "");
}

BOOST_AUTO_TEST_CASE(and_moves_by_the_environment_are_told, *utf::label("X2") * utf::label("M10")) {
    for (const auto* name : {"TDSHOST", "TDSPORT", "TDSVER", "TDSDUMP", "TDSDUMPCONFIG"})
        BOOST_TEST_CONTEXT(name) {
            variables = {name};
            BOOST_TEST(why("FreeTDS").find(std::string("variable ") + name) != std::string::npos);
            BOOST_TEST(why("PostgreSQL Unicode") == "");
        }
    variables = {"PGHOSTADDR", "PGREQUIREPEER", "PGOPTIONS", "PGSSLMODE"};
    BOOST_TEST(why("PostgreSQL Unicode") == "");
    BOOST_TEST(
        why("PostgreSQL Unicode", {"/run/pg", 0, {}}).find("PGHOSTADDR") != std::string::npos
    );
    variables = {"PGSERVICE"};
    BOOST_TEST(why("PostgreSQL Unicode").find("PGSERVICE") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}
