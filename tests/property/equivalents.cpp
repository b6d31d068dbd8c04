// SPDX-License-Identifier: Apache-2.0
#include "property/strings.hpp"

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

struct equivalent {
    std::string_view when;
    std::string text;
    std::string means;
};

void hold(const std::vector<equivalent>& rows) {
    for (const auto& [when, text, means] : rows)
        BOOST_TEST_CONTEXT(when) {
            const auto made = taken(text);
            BOOST_TEST(core::same(made, taken(means)), print(made) << " is not " << means);
        }
}

const std::string base = "Server=db1;Database=rtc;UID=app";

}

BOOST_AUTO_TEST_SUITE(connection_string_equivalents)

BOOST_AUTO_TEST_CASE(the_grammar_is_that_of_odbc) {
    hold(
        {{"an empty setting is none", ";;Server=db1;;Database=rtc;UID=app;", base},
         {"blanks around keys and values do not count",
          " Server = db1 ;\tDatabase =rtc; UID= app ",
          base},
         {"case, '_', '-' and spaces in a key do not count",
          "SERVER=db1;data-base=rtc;u_i_d=app;application name=x;",
          base + ";Application_Name=x"},
         {"braces quote", "Server={db1};Database={rtc};UID={app}", base},
         {"a ';' in braces ends nothing",
          base + ";Application_Name={a;Server=evil}",
          base + ";Application_Name= {a;Server=evil}"},
         {"a brace inside a bare value is itself",
          base + ";Application_Name=a{b}c",
          base + ";Application_Name={a{b}}c}"},
         {"blanks after the closing brace do not count",
          "Server={db1} ;Database={rtc}\t;UID=app",
          base}}
    );
}

BOOST_AUTO_TEST_CASE(keys_have_the_names_that_odbc_users_know) {
    hold(
        {{"data source", "Data Source=db1;Initial Catalog=rtc;User ID=app", base},
         {"address", "Address=db1;Database=rtc;User=app", base},
         {"addr", "Addr=db1;DBName=rtc;Username=app", base},
         {"psqlODBC", "Servername=db1;Database=rtc;Uid=app;SSLmode=verify-full", base},
         {"SqlClient",
          "Network Address=db1;Database=rtc;User Id=app;Password=x;Connection "
          "Timeout=7;Application "
          "Name=y",
          base + ";PWD=x;Connect_Timeout=7s;Application_Name=y"},
         {"port beside the server", base + ";Port=5433", "Server=db1:5433;Database=rtc;UID=app"},
         {"yes and mandatory encrypt and identify",
          base + ";Encrypt=yes",
          base + ";Encrypt=Mandatory"},
         {"trust takes the identification away",
          base + ";Encrypt=yes;Trust Server Certificate=yes",
          base + ";Encrypt=require"},
         {"no and optional do not encrypt", base + ";Encrypt=no", base + ";Encrypt=disable"},
         {"optional", base + ";Encrypt=optional", base + ";Encrypt=disable"},
         {"pool sizes",
          base + ";Min Pool Size=2;Max Pool Size=20",
          base + ";Pool_Min=2;Pool_Max=20"}}
    );
}

BOOST_AUTO_TEST_CASE(a_uri_says_the_same) {
    hold(
        {{"the usual parts", "postgresql://app@db1/rtc", base},
         {"the short scheme, any case", " Postgres://app@db1/rtc ", base},
         {"a port and a password",
          "postgresql://app:x@db1:5433/rtc",
          "Server=db1:5433;Database=rtc;UID=app;PWD=x"},
         {"percent-decoding in each part",
          "postgresql://a%70p:%3B%7d%40@db%31/r%74c",
          base + ";PWD={;}}@}"},
         {"IPv6", "postgresql://app@[::1]:5433/rtc", "Server=[::1]:5433;Database=rtc;UID=app"},
         {"a socket directory",
          "postgresql://app@%2Frun%2Fpg:5433/rtc",
          "Server=/run/pg:5433;Database=rtc;UID=app"},
         {"a host as a parameter", "postgresql:///rtc?host=db1&user=app", base},
         {"parameters with libpq's names",
          "postgresql://app@db1/rtc?sslmode=require&connect_timeout=7&application_name=a%20b",
          base + ";Encrypt=require;Connect_Timeout=7;Application_Name=a b"},
         {"parameters with our names",
          "postgresql://app@db1,db2/rtc?Mode=mirroring&Pool_Max=3",
          "Mode=mirroring;Server=db1;Failover_Partner=db2;Database=rtc;UID=app;Pool_Max=3"},
         {"what the session is for",
          "postgresql://app@db1/rtc?target_session_attrs=standby",
          base + ";ApplicationIntent=ReadOnly"},
         {"a plus is a plus",
          "postgresql://app@db1/rtc?application_name=a+b",
          base + ";Application_Name=a+b"}}
    );
}

BOOST_AUTO_TEST_CASE(in_mirroring_a_second_server_is_the_failover_partner) {
    const std::string rest = ";Mode=mirroring;Database=rtc;UID=app";
    hold(
        {{"two servers", "Server=db1,db2" + rest, "Server=db1;Failover_Partner=db2" + rest},
         {"two servers with ports",
          "Server=db1,5433,db2,5434" + rest,
          "Server=db1:5433;Failover_Partner=db2:5434" + rest},
         {"a port for both",
          "Server=db1,db2;Port=5433" + rest,
          "Server=db1:5433;Failover_Partner=db2,5433" + rest},
         {"the witness with a comma",
          "Witness=pg_auto_failover:m,5000;Server=db1,db2" + rest,
          "Witness=pg_auto_failover:m:5000;Server=db1,db2" + rest}}
    );
}

BOOST_AUTO_TEST_CASE(server_names_have_no_case_and_database_names_have, *utf::label("C49")) {
    hold({{"a server", "Server=DB1;Database=rtc;UID=app", base}});
    BOOST_TEST(!core::same(taken("Server=db1;Database=RTC;UID=app"), taken(base)));
    BOOST_TEST(taken("Server=db1;Database=RTC;UID=app").with->database == "RTC");
    BOOST_TEST(taken("Server=/run/PG;Database=rtc;UID=app").servers.front().host == "/run/PG");
}

BOOST_AUTO_TEST_CASE(after_a_comma_digits_alone_are_the_port_of_the_host_before) {
    const std::vector<std::pair<std::string_view, std::vector<endpoint>>> rows = {
        {"db1", {{"db1", 0, ""}}},
        {"db1:5433", {{"db1", 5433, ""}}},
        {"db1,5433", {{"db1", 5433, ""}}},
        {"db1 , 5433 , db2", {{"db1", 5433, ""}, {"db2", 0, ""}}},
        {"db1,db2,5434", {{"db1", 0, ""}, {"db2", 5434, ""}}},
        {"db1,5433,db2,5434", {{"db1", 5433, ""}, {"db2", 5434, ""}}},
        {"5db,db5", {{"5db", 0, ""}, {"db5", 0, ""}}},
        {"[::1]", {{"::1", 0, ""}}},
        {"[FE80::1%eth0]:5433,[::1],5434", {{"fe80::1%eth0", 5433, ""}, {"::1", 5434, ""}}},
        {"10.0.0.1,1433", {{"10.0.0.1", 1433, ""}}},
        {"tcp:DB1\\Inst,1433", {{"db1", 1433, "inst"}}},
        {"/run/postgresql", {{"/run/postgresql", 0, ""}}},
        {"/run/postgresql:5433,/var/pg,5434",
         {{"/run/postgresql", 5433, ""}, {"/var/pg", 5434, ""}}},
        {"/run/a:b", {{"/run/a:b", 0, ""}}}};
    for (const auto& [text, means] : rows)
        BOOST_TEST_CONTEXT(text) {
            const auto made =
                taken("Driver=FreeTDS;Mode=availability_group;Server=" + in_braces(text));
            BOOST_TEST(made.servers == means, boost::test_tools::per_element());
        }
}

BOOST_AUTO_TEST_CASE(tls_identifies_the_server_unless_every_server_is_local) {
    const std::vector<std::pair<std::string_view, encryption>> rows = {
        {"Server=db1", encryption::verify_full},
        {"Server=10.0.0.1", encryption::verify_full},
        {"Server=localhost", encryption::disable},
        {"Server=LOCALHOST:5433", encryption::disable},
        {"Server=127.0.0.1", encryption::disable},
        {"Server=127.255.0.9:5433", encryption::disable},
        {"Server=[::1]", encryption::disable},
        {"Server=/run/postgresql", encryption::disable},
        {"Server=127.0.0.1.example.org", encryption::verify_full},
        {"Server=127.0.0.256", encryption::verify_full},
        {"Server=127.0.1", encryption::verify_full},
        {"Server=127.0..1", encryption::verify_full},
        {"Server=127.0.0.1.", encryption::verify_full},
        {"Server=128.0.0.1", encryption::verify_full},
        {"Server=localhost.example.org", encryption::verify_full},
        {"Server=[::2]", encryption::verify_full},
        {"Mode=mirroring;Server=127.0.0.1,127.0.0.2", encryption::disable},
        {"Mode=mirroring;Server=127.0.0.1,db2", encryption::verify_full},
        {"Mode=mirroring;Server=db1,127.0.0.1", encryption::verify_full},
        {"Mode=mirroring;Server=/run/a;Failover_Partner=db2", encryption::verify_full},
        {"Mode=availability_group;Listener=ag", encryption::verify_full},
        {"Mode=availability_group;Listener=localhost", encryption::disable},
        {"Mode=availability_group;Listener=ag;Server=localhost", encryption::verify_full},
        {"DSN=anything", encryption::verify_full},
        {"Server=localhost;Encrypt=verify_full", encryption::verify_full},
        {"Server=db1;Encrypt=disable", encryption::disable},
        {"Server=db1;Encrypt=strict", encryption::strict},
        {"Server=db1;TrustServerCertificate=yes", encryption::require},
        {"Server=localhost;TrustServerCertificate=yes", encryption::disable},
        {"Server=db1;Encrypt=no;TrustServerCertificate=yes", encryption::disable}};
    for (const auto& [text, means] : rows)
        BOOST_TEST_CONTEXT(text)
    BOOST_TEST((taken(std::string(text) + ";Database=rtc;UID=app").with->encrypt == means));
}

BOOST_AUTO_TEST_CASE(the_witness_is_judged_for_itself) {
    const auto of = [](const std::string& more) {
        return taken("Mode=mirroring;Server=db1,db2;Database=rtc;UID=app;PWD=x;" + more).witness;
    };
    const auto far = of("Witness=pg_auto_failover:monitor:5000;Encrypt=disable");
    BOOST_TEST_REQUIRE(far.has_value());
    BOOST_TEST(far->at == (endpoint{"monitor", 5000, ""}));
    BOOST_TEST(far->product == "pg_auto_failover");
    BOOST_TEST((far->with->encrypt == encryption::verify_full));
    BOOST_TEST(far->with->user == "autoctl_node");
    BOOST_TEST(far->with->database == "pg_auto_failover");
    BOOST_TEST(far->with->password.empty(), "the store's password is not for the witness");
    BOOST_TEST(far->formation == "default");
    BOOST_TEST(far->group == 0);
    const auto near =
        of("Witness=PG_Auto_Failover:[::1];Witness_UID=w;Witness_Database=m;Witness_Formation=f;"
           "Witness_Group=3;Witness_PWD=y;Root_Certificate=/ca;Kerberos=yes");
    BOOST_TEST_REQUIRE(near.has_value());
    BOOST_TEST(near->at == (endpoint{"::1", 0, ""}));
    BOOST_TEST((near->with->encrypt == encryption::disable));
    BOOST_TEST(near->with->user == "w");
    BOOST_TEST(near->with->database == "m");
    BOOST_TEST((near->with->password == secret("y")));
    BOOST_TEST(near->with->root_certificate == "/ca");
    BOOST_TEST(near->with->kerberos);
    const auto bound = of("Witness=pg_auto_failover:[::1];Channel_Binding=require");
    BOOST_TEST((bound->with->binding == channel_binding::prefer), "there is no channel");
    BOOST_TEST(
        (of("Witness=pg_auto_failover:m;Channel_Binding=require")->with->binding ==
         channel_binding::require)
    );
    BOOST_TEST(near->formation == "f");
    BOOST_TEST(near->group == 3);
    BOOST_TEST(near->with->odbc_driver.empty());
    const auto odbc = of("Driver={PostgreSQL Unicode};BoolsAsChar=0;Witness=pg_auto_failover:m");
    BOOST_TEST(odbc->with->odbc_driver == "PostgreSQL Unicode", "one client library for both");
    BOOST_TEST(odbc->with->passed_through.size() == 1U);
    BOOST_TEST(!of("").has_value());
}

BOOST_AUTO_TEST_CASE(keys_of_an_odbc_driver_pass_through_to_it_alone) {
    const auto made = taken("Driver=FreeTDS;Server=db1,1433;TDS_Version=7.4;clientcharset=UTF-8");
    const std::vector<std::pair<std::string, std::string>> passed = {
        {"TDS_Version", "7.4"}, {"clientcharset", "UTF-8"}};
    BOOST_TEST((made.with->passed_through == passed));
    BOOST_TEST(made.driver == "odbc");
    BOOST_TEST(made.with->odbc_driver == "FreeTDS");
    BOOST_TEST((made.kind == engine::sql_server));
    const auto file = taken("Driver=SQLite3;Database=/a/b;Timeout=5000");
    BOOST_TEST(file.with->passed_through.size() == 1U, "SQLite's Timeout is not ours");
    BOOST_TEST((file.kind == engine::other));
    BOOST_TEST((taken("Driver={PostgreSQL Unicode};Server=db1").kind == engine::postgresql));
    const auto source = taken("DSN=libpq;Server=db1");
    BOOST_TEST(source.driver == "odbc", "a data source is ODBC's, whatever its name");
    BOOST_TEST(source.with->odbc_source == "libpq");
}

BOOST_AUTO_TEST_CASE(
    several_subnets_are_tried_at_once_where_the_mode_has_them, *utf::label("D22")
) {
    const std::string rest = ";Server=db1;Database=rtc;UID=app";
    BOOST_TEST(taken("Mode=availability_group" + rest).multi_subnet_failover);
    BOOST_TEST(taken("Mode=failover_cluster_instance" + rest).multi_subnet_failover);
    BOOST_TEST(!taken("Mode=failover_cluster" + rest).multi_subnet_failover);
    BOOST_TEST(!taken("Mode=standalone" + rest).multi_subnet_failover);
    BOOST_TEST(!taken("Mode=availability_group;MultiSubnetFailover=no" + rest).multi_subnet_failover
    );
    BOOST_TEST(!taken("Mode=standalone;MultiSubnetFailover=no" + rest).multi_subnet_failover);
}

BOOST_AUTO_TEST_SUITE_END()

}
