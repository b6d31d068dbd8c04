// SPDX-License-Identifier: Apache-2.0
#include "property/strings.hpp"

#include <fmt/format.h>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

struct refused_text {
    std::string_view when;
    std::string text;
    std::vector<std::string_view> says;
};

void refuses(const std::vector<refused_text>& rows) {
    for (const auto& [when, text, says] : rows)
        BOOST_TEST_CONTEXT(when) {
            const auto message = refusal(text).message;
            for (const auto part : says)
                BOOST_TEST(message.find(part) != std::string::npos, message << " lacks " << part);
        }
}

const std::string plain = "Server=db1;Database=rtc;UID=app;";
const std::string pair = "Mode=mirroring;Server=db1,db2;Database=rtc;UID=app;";

}

BOOST_AUTO_TEST_SUITE(connection_string_refusals)

BOOST_AUTO_TEST_CASE(name_the_place_of_bad_grammar) {
    refuses(
        {{"no '='", plain + "Encrypt;", {"place 33", "'='"}},
         {"no key", plain + "=x", {"place 33", "key"}},
         {"an open brace", plain + "APP={x", {"place 37", "not closed"}},
         {"text after a brace", plain + "APP={x}y", {"place 39", "doubled"}},
         {"a lone brace ends the value", plain + "APP={x}y}", {"place 39"}},
         {"a line feed", plain + "APP=x\ny", {"line feed", "place 38"}},
         {"a NUL", plain + std::string("APP=x\0y", 7), {"NUL", "place 38"}},
         {"too long", std::string(70'000, ';'), {"65536"}},
         {"settings without ';'", "Server=db1 Database=rtc UID=app", {"place 8", "';'"}},
         {"libpq's own syntax", "host=db1 user=app dbname=rtc", {"place 6", "';'"}},
         {"nothing", "", {"Server is missing"}}}
    );
}

BOOST_AUTO_TEST_CASE(name_the_key_and_the_nearest_one) {
    refuses(
        {{"letters swapped",
          plain + "Tiemout=5",
          {"'Tiemout'", "place 33", "did you mean Timeout"}},
         {"a letter short", "Server=db1;Datbase=rtc", {"'Datbase'", "place 12", "Database"}},
         {"an alias", "Hots=db1", {"'Hots'", "place 1", "Host"}},
         {"another word", plain + "Colour=red", {"'Colour'", "place 33"}},
         {"a mode", plain + "Mode=mirorring", {"Mode 'mirorring'", "did you mean mirroring"}},
         {"an encryption", plain + "Encrypt=verify_ful", {"Encrypt", "did you mean verify_full"}},
         {"no weaker TLS than a choice", plain + "Encrypt=prefer", {"Encrypt 'prefer'", "require"}},
         {"the alias that was written", plain + "SSLMode=allow", {"Encrypt (written SSLMode)"}},
         {"a witness", pair + "Witness=pgautofailover:m", {"did you mean pg_auto_failover"}},
         {"a key of another driver", plain + "TDS_Version=7.4", {"'TDS_Version'"}},
         {"a key of another ODBC driver",
          "Driver=SQLite3;Database=a;TDS_Version=7.4",
          {"'TDS_Version'"}}}
    );
}

BOOST_AUTO_TEST_CASE(name_both_places_of_a_key_given_twice) {
    refuses(
        {{"the same name", plain + "UID=b", {"UID at place 33", "place 25"}},
         {"another case", plain + "uid=b", {"UID", "place 33", "place 25"}},
         {"an alias", plain + "User Id=b", {"UID (written User Id)", "place 33", "place 25"}},
         {"a driver", "Driver=libpq;Driver=libpq", {"Driver at place 14", "place 1"}},
         {"what passes through",
          "Driver=FreeTDS;Server=a;TDS_Version=7;tds_version=8",
          {"tds_version at place 39", "place 25"}},
         {"in a URI", "postgresql://app@db1/rtc?user=b", {"UID (written user)", "place 26"}}}
    );
}

BOOST_AUTO_TEST_CASE(name_what_contradicts_what) {
    refuses(
        {{"two sources of a password", plain + "PWD=a;PWD_File=b", {"PWD_File", "contradicts PWD"}},
         {"two sources", plain + "PWD_Env=a;PWD=b", {"PWD_Env", "contradicts PWD"}},
         {"two sources", plain + "PWD_File=a;PWD_Env=b", {"PWD_Env", "contradicts PWD_File"}},
         {"two of the witness",
          pair + "Witness=pg_auto_failover:m;Witness_PWD=a;Witness_PWD_File=b",
          {"Witness_PWD_File", "contradicts Witness_PWD"}},
         {"two drivers", "Driver=FreeTDS;DSN=a;Server=b", {"DSN", "contradicts Driver"}},
         {"two ports", plain + "Port=5432;Failover_Partner=db2:1;Mode=mirroring", {"Port"}},
         {"trust and identify",
          plain + "Encrypt=verify_full;TrustServerCertificate=yes",
          {"TrustServerCertificate", "Encrypt"}},
         {"trust and strict", plain + "Encrypt=strict;TrustServerCertificate=yes", {"Encrypt"}},
         {"trust and an authority",
          plain + "Encrypt=verify-ca;TrustServerCertificate=1",
          {"Encrypt"}},
         {"a certificate alone", plain + "Certificate=a", {"Certificate_Key"}},
         {"a key alone", plain + "Certificate_Key=a", {"Certificate"}},
         {"pool bounds", plain + "Pool_Min=5;Pool_Max=4", {"Pool_Min=5", "Pool_Max=4"}},
         {"more warm than allowed", pair + "Pool_Warm=5;Pool_Max=4", {"Pool_Warm=5", "Pool_Max=4"}},
         {"a member twice",
          "Mode=mirroring;Server=db1,DB1;Database=a;UID=b",
          {"db1 is named twice"}},
         {"a member twice, once with the engine's port",
          "Mode=mirroring;Server=db1,db1:5432;Database=a;UID=b",
          {"db1:5432 is named twice"}},
         {"a socket twice",
          "Mode=mirroring;Server=/run/pg:5432,/run/pg;Database=a;UID=b",
          {"/run/pg is named twice"}},
         {"a member of SQL Server's twice",
          "Driver=FreeTDS;Mode=mirroring;Server=db1:1433,db1;Database=a",
          {"db1 is named twice"}},
         {"an instance that libpq cannot reach",
          "Server=db1\\a;Database=a;UID=b",
          {"db1\\a", "instance"}},
         {"a partner's instance", plain + "Mode=mirroring;Failover_Partner=db2\\a", {"instance"}},
         {"a witness's instance", pair + "Witness=pg_auto_failover:m\\a", {"instance"}},
         {"an engine that libpq does not speak", plain + "Engine=sql_server", {"Driver=libpq"}},
         {"a witness key without a witness",
          pair + "Witness_UID=a",
          {"Witness_UID", "needs Witness"}}}
    );
}

BOOST_AUTO_TEST_CASE(name_what_no_tls_would_use, *utf::label("X1")) {
    const std::string near = "Server=localhost;Database=rtc;UID=app;";
    const std::string socket = "Server=/run/pg;Database=rtc;UID=app;Encrypt=verify_full;";
    const std::string both = "Mode=mirroring;Server=/run/pg,db2;Database=rtc;UID=app;";
    const std::string witness = "Mode=mirroring;Server=127.0.0.1,localhost;Database=rtc;UID=app;"
                                "Witness=pg_auto_failover:m;";
    const std::string own = "Certificate=/c;Certificate_Key=/k";
    refuses(
        {{"an authority where nothing is encrypted",
          plain + "Encrypt=disable;Root_Certificate=/ca",
          {"Root_Certificate at place 49", "Encrypt at place 33"}},
         {"an authority where nobody is identified",
          plain + "Encrypt=require;Root_Certificate=/ca",
          {"Root_Certificate", "Encrypt"}},
         {"an authority where the check was taken away",
          plain + "TrustServerCertificate=yes;Root_Certificate=/ca",
          {"Root_Certificate", "TrustServerCertificate"}},
         {"an authority of a local server",
          near + "Root_Certificate=/ca",
          {"Root_Certificate", "default of Encrypt"}},
         {"an authority of a socket", socket + "Root_Certificate=/ca", {"socket"}},
         {"a certificate of our own", plain + "Encrypt=no;" + own, {"Certificate", "Encrypt"}},
         {"a certificate at a local server", near + own, {"Certificate", "default of Encrypt"}},
         {"a name that is not checked",
          plain + "Encrypt=verify_ca;HostNameInCertificate=h",
          {"HostNameInCertificate", "Encrypt"}},
         {"a name of a socket", socket + "HostNameInCertificate=h", {"socket"}},
         {"a name, for the witness alone",
          witness + "HostNameInCertificate=h",
          {"HostNameInCertificate"}},
         {"a channel that is none",
          plain + "Encrypt=disable;Channel_Binding=require",
          {"Channel_Binding", "Encrypt"}},
         {"a channel to a local server", near + "Channel_Binding=require", {"Channel_Binding"}}}
    );
    for (const auto& text :
         {plain + "Root_Certificate=/ca;HostNameInCertificate=h;Channel_Binding=require;" + own,
          plain + "Encrypt=require;Channel_Binding=require;" + own,
          plain + "Encrypt=disable;Channel_Binding=prefer",
          near + "Encrypt=verify_ca;Root_Certificate=/ca",
          both + "Root_Certificate=/ca;HostNameInCertificate=h;Channel_Binding=require",
          witness + "Root_Certificate=/ca;" + own})
        taken(text);
}

BOOST_AUTO_TEST_CASE(say_that_a_printed_password_is_none, *utf::label("X4")) {
    const auto why = [](const std::string& text, bool asked = false) {
        const auto one = core::unusable_secret(taken(text), asked);
        return one ? to_string(*one) : std::string();
    };
    const auto printed = print(taken(plain + "PWD=x"));
    BOOST_TEST(why(printed).find("PWD is [redacted]") != std::string::npos);
    BOOST_TEST(why(printed, true) == "", "a callback gives it");
    const auto theirs = pair + "Witness=pg_auto_failover:m;Witness_PWD=[redacted]";
    BOOST_TEST(why(theirs, true).find("Witness_PWD is") != std::string::npos);
    BOOST_TEST(why(plain + "PWD=x") == "");
    BOOST_TEST(why(plain) == "");
}

BOOST_AUTO_TEST_CASE(name_what_is_missing, *utf::label("C42")) {
    refuses(
        {{"the server", "Database=rtc;UID=app", {"Server is missing"}},
         {"the user", "Server=db1;Database=rtc", {"UID is missing"}},
         {"the database", "Server=db1;UID=app", {"Database is missing"}},
         {"the database in a URI", "postgresql://app@db1", {"Database is missing"}},
         {"the database of a mirrored store, whatever the driver",
          "Driver=FreeTDS;Mode=mirroring;Server=a,b",
          {"Database is missing"}},
         {"the partner", plain + "Mode=mirroring", {"Failover_Partner", "second Server"}}}
    );
}

BOOST_AUTO_TEST_CASE(say_for_which_modes_a_key_is) {
    for (const auto& rule : core::key_rules())
        for (const auto how :
             {mode::standalone,
              mode::mirroring,
              mode::availability_group,
              mode::failover_cluster_instance,
              mode::failover_cluster}) {
            if (for_mode(rule, to_string(how)) ||
                (rule.name == "MultiSubnetFailover" && how == mode::mirroring))
                continue;
            const auto text =
                fmt::format("{}Mode={};{}={}", plain, to_string(how), rule.name, sample(rule.name));
            BOOST_TEST_CONTEXT(text) {
                const auto message = refusal(text).message;
                BOOST_TEST(message.starts_with(rule.name), message);
                BOOST_TEST(message.find("has no meaning") != std::string::npos, message);
                BOOST_TEST(message.find(rule.modes) != std::string::npos, message);
            }
        }
    refuses(
        {{"a partner alone",
          plain + "Failover_Partner=db2",
          {"Failover_Partner", "Mode=standalone"}},
         {"where it is for", pair + "Listener=l", {"it is for availability_group"}},
         {"several servers", "Server=a,b;Database=rtc;UID=app", {"Mode=standalone", "one"}},
         {"three partners", "Mode=mirroring;Server=a,b,c;Database=a;UID=b", {"3 servers", "two"}}}
    );
}

BOOST_AUTO_TEST_CASE(allow_no_partner_beside_several_subnets, *utf::label("D23")) {
    for (const std::string partner : {"Server=db1,db2", "Server=db1;Failover_Partner=db2"})
        BOOST_TEST(
            refusal("Mode=mirroring;MultiSubnetFailover=yes;Database=a;UID=b;" + partner)
                .message.find("D23") != std::string::npos
        );
}

BOOST_AUTO_TEST_CASE(allow_no_endless_wait, *utf::label("C50") * utf::label("T2")) {
    for (const std::string key : {"Connect_Timeout", "Acquire_Timeout", "Statement_Timeout"})
        for (const std::string value : {"infinite", "never", "0", "-1", "99999d", "2147483648"})
            BOOST_TEST_CONTEXT(key << '=' << value) {
                const auto message = refusal(plain + key + "=" + value).message;
                BOOST_TEST(message.find("must be from") != std::string::npos, message);
                BOOST_TEST(message.starts_with(key));
            }
}

BOOST_AUTO_TEST_CASE(let_no_host_be_anything_else_to_a_client_library, *utf::label("X5")) {
    for (const std::string_view host :
         {"a b",      "a'b",           "a?b",       "a/b",         "a@b",    "a%b",       "::1",
          "a:b:c",    "[::1",          "[::1]x",    "[db1]",       "[5432]", "[:g:]",     "[]",
          "5432",     "tcp:5432",      "tcp:",      "db1:",        "db1:0",  "db1:65536", "db1:-1",
          "db1:5x",   "db1,5432,5433", "5432,db1",  "db1,,db2",    "db1,",   ",",         "db1\\",
          "db1\\a b", "\\inst",        "d\xC3\xBC", "/run/x:65536"})
        BOOST_TEST_CONTEXT(host) {
            const auto message =
                refusal("Mode=availability_group;Database=a;UID=b;Server=" + in_braces(host))
                    .message;
            BOOST_TEST(message.starts_with("Server"), message);
        }
}

BOOST_AUTO_TEST_CASE(name_the_place_in_a_uri, *utf::label("M11")) {
    const std::string uri = "postgresql://app@db1/rtc";
    refuses(
        {{"a bad percent sign", "postgresql://a%2@db1/rtc", {"place 14", "percent"}},
         {"an encoded line feed", uri + "?application_name=a%0Ab", {"percent"}},
         {"an encoded comma makes no host", "postgresql://app@db1%2Cdb2/rtc", {"comma"}},
         {"two '@'", "postgresql://app@x@db1/rtc", {"%40"}},
         {"two '@' in the password", "postgresql://app:p@x@db1/rtc", {"%40"}},
         {"an '@' after a '/'", "postgresql://app:p/x@db1/rtc", {"%40", "%2F"}},
         {"an '@' after a '?'", "postgresql://app:5432?x@db1/rtc", {"%40", "%3F"}},
         {"no '='", uri + "?Pool_Max", {"place 26", "'='"}},
         {"another key", uri + "?Pol_Max=3", {"'Pol_Max'", "place", "Pool_Max"}},
         {"weaker TLS", uri + "?sslmode=prefer", {"Encrypt (written sslmode)", "require"}},
         {"another address", uri + "?hostaddr=10.0.0.1", {"hostaddr"}},
         {"a service", uri + "?service=x", {"service"}},
         {"a password file", uri + "?passfile=x", {"passfile"}},
         {"server options", uri + "?options=-c%20x", {"options"}},
         {"an attribute", uri + "?target_session_attrs=x", {"target_session_attrs", "primary"}},
         {"a second host", uri + "?host=db2", {"Server (written host)"}},
         {"places count from the string's start", "   " + uri + "?Colour=red", {"place 29"}}}
    );
}

BOOST_AUTO_TEST_SUITE_END()

}
