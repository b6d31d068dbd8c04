// SPDX-License-Identifier: Apache-2.0
#include "conformance/server.hpp"
#include "support/listener.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

using environment = std::map<std::string, std::string>;

/// A place where hostile files lie, and a server that nothing of ours may reach.
struct hostile_place {
    hostile_place() {
        write(
            "service.conf",
            fmt::format(
                "[evil]\nhost=127.0.0.1\nhostaddr=127.0.0.1\nport={0}\ndbname=template1\n"
                "user=reader\npassword=stolen\nsslmode=disable\napplication_name=evil\n"
                "options=-c search_path=evil\ntarget_session_attrs=standby\n"
                "replication=database\nsslcrldir={1}\nconnect_timeout=1\n",
                wrong.port(),
                folder.path()
            )
        );
        std::filesystem::copy_file(file("service.conf"), file(".pg_service.conf"));
        std::filesystem::copy_file(file("service.conf"), file("pg_service.conf"));
        write("passwords", "*:*:*:*:stolen\n");
        std::filesystem::copy_file(file("passwords"), file(".pgpass"));
        std::filesystem::create_directory(file(".postgresql"));
        const auto stranger = the_server().signed_by.stranger();
        for (const auto* name : {"root.crt", "root.crl", "postgresql.crt", "postgresql.key"})
            std::filesystem::copy_file(stranger, file(".postgresql/") + name);
    }

    std::string file(std::string_view name) const {
        return fmt::format("{}/{}", folder.path(), name);
    }

    void write(std::string_view name, std::string_view text) const {
        std::ofstream(file(name)) << text;
        std::filesystem::permissions(file(name), std::filesystem::perms::owner_read);
    }

    temporary_folder folder{"hadr-hostile"};
    scripted_listener wrong{asks_for_the_password()};
};

/// The probe's one line under an environment.
std::string probe(
    const std::vector<std::string>& arguments,
    const environment& under,
    const std::string& program = HADR_LOGIN_PROBE
) {
    const temporary_folder scratch("hadr-probe");
    const auto log = scratch.path() + "/out";
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    child one({words, under, log, program != HADR_LOGIN_PROBE});
    BOOST_TEST_REQUIRE(one.ended(60s));
    std::ifstream in(log);
    return std::string((std::istreambuf_iterator<char>(in)), {});
}

std::vector<std::string> login(std::string_view encrypt) {
    return {
        "db.test",
        "127.0.0.1",
        std::to_string(the_server().at.port()),
        "app",
        std::string(password),
        std::string(encrypt),
        the_server().signed_by.authority()};
}

}

BOOST_FIXTURE_TEST_SUITE(hostile_environment, hostile_place)

BOOST_AUTO_TEST_CASE(
    moves_and_changes_no_session,
    *utf::label("X2") * utf::label("M9") * utf::label("M10") * utf::label("M11")
) {
    const auto there = std::to_string(wrong.port());
    const auto stranger = the_server().signed_by.stranger();
    const std::pair<const char*, environment> rows[] = {
        {"another host", {{"PGHOST", "127.0.0.1"}, {"PGPORT", there}}},
        {"another address", {{"PGHOSTADDR", "127.0.0.2"}}},
        {"another port", {{"PGPORT", there}}},
        {"another database", {{"PGDATABASE", "template1"}}},
        {"a whole address as the database", {{"PGDATABASE", "host=127.0.0.1 port=" + there}}},
        {"another user", {{"PGUSER", "reader"}}},
        {"another password", {{"PGPASSWORD", "stolen"}}},
        {"a file of passwords", {{"PGPASSFILE", file("passwords")}}},
        {"a service", {{"PGSERVICE", "evil"}, {"PGSERVICEFILE", file("service.conf")}}},
        {"a service of the system", {{"PGSERVICE", "evil"}, {"PGSYSCONFDIR", folder.path()}}},
        {"a home with files of libpq's", {{"HOME", folder.path()}}},
        {"a home with a service", {{"HOME", folder.path()}, {"PGSERVICE", "evil"}}},
        {"plain text", {{"PGSSLMODE", "disable"}}},
        {"unverified TLS", {{"PGSSLMODE", "require"}, {"PGREQUIRESSL", "1"}}},
        {"a strange authority", {{"PGSSLROOTCERT", stranger}}},
        {"an authority that is not there", {{"PGSSLROOTCERT", "/none"}}},
        {"a client's certificate", {{"PGSSLCERT", stranger}, {"PGSSLKEY", stranger}}},
        {"a list of revoked certificates", {{"PGSSLCRL", stranger}}},
        {"a folder of such lists", {{"PGSSLCRLDIR", folder.path()}}},
        {"no name in the handshake", {{"PGSSLSNI", "0"}}},
        {"an old TLS alone", {{"PGSSLMAXPROTOCOLVERSION", "TLSv1"}}},
        {"no channel binding", {{"PGCHANNELBINDING", "disable"}}},
        {"Kerberos", {{"PGGSSENCMODE", "require"}, {"PGKRBSRVNAME", "evil"}}},
        {"a standby wanted", {{"PGTARGETSESSIONATTRS", "standby"}}},
        {"settings of the session",
         {{"PGOPTIONS", "-c default_transaction_read_only=on -c search_path=evil"}}},
        {"another name of the application", {{"PGAPPNAME", "evil"}}},
        {"another encoding", {{"PGCLIENTENCODING", "LATIN1"}}},
        {"no time to connect", {{"PGCONNECT_TIMEOUT", "1"}}}};
    for (const auto* encrypt : {"verify_full", "disable"}) {
        const auto undisturbed = probe(login(encrypt), {});
        BOOST_TEST(
            undisturbed ==
            fmt::format(
                "server={} database=postgres user=app tls={} application=probe read_only=off "
                "path=\"$user\", public encoding=UTF8 walsender=0\n",
                the_server().at.port(),
                std::string_view(encrypt) == "disable" ? "f" : "t"
            )
        );
        for (const auto& [what, under] : rows)
            BOOST_TEST_CONTEXT(what << ", Encrypt=" << encrypt)
        BOOST_TEST(probe(login(encrypt), under) == undisturbed);
    }
    BOOST_TEST(wrong.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(
    that_cannot_be_overruled_is_refused_by_name, *utf::label("X2") * utf::label("M10")
) {
    const std::vector<std::string> socket = {
        folder.path(), "", std::to_string(wrong.port()), "app", "secret", "disable"};
    struct row {
        const char* name;
        std::vector<std::string> arguments;
        std::string value;
    };
    const row rows[] = {
        {"PGHOSTADDR", socket, "127.0.0.1"},
        {"PGREQUIREPEER", socket, "evil"},
        {"PGSERVICE", socket, "evil"}};
    for (const auto& [name, arguments, value] : rows)
        BOOST_TEST_CONTEXT(name) {
            const auto said =
                probe(arguments, {{name, value}, {"PGSERVICEFILE", file("service.conf")}});
            BOOST_TEST(said.starts_with("configuration_invalid"));
            BOOST_TEST(said.find(name) != std::string::npos);
        }
    BOOST_TEST(wrong.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(that_names_a_missing_service_is_refused_by_name, *utf::label("M10")) {
    const std::pair<const char*, environment> rows[] = {
        {"a service that is not there",
         {{"PGSERVICE", "none"}, {"PGSERVICEFILE", file("service.conf")}}},
        {"a file that is not there", {{"PGSERVICE", "evil"}, {"PGSERVICEFILE", file("none")}}}};
    for (const auto& [what, under] : rows)
        BOOST_TEST_CONTEXT(what) {
            const auto said = probe(login("disable"), under);
            BOOST_TEST(said.starts_with("configuration_invalid"), said);
            BOOST_TEST(said.find("PGSERVICE") != std::string::npos);
        }
}

BOOST_AUTO_TEST_CASE(is_seen_by_a_privileged_program_as_libpq_sees_it, *utf::label("M10")) {
    // Set-user-ID, and owned by another than whoever starts it.
    const auto privileged = file("privileged_probe");
    std::filesystem::copy_file(HADR_LOGIN_PROBE, privileged);
    std::filesystem::permissions(
        privileged,
        std::filesystem::perms::owner_all | std::filesystem::perms::others_exec |
            std::filesystem::perms::others_read | std::filesystem::perms::set_uid
    );
    const auto said = probe(
        {folder.path(), "", std::to_string(wrong.port()), "app", "secret", "disable"},
        {{"PGHOSTADDR", "127.0.0.1"}},
        privileged
    );
    BOOST_TEST(said.starts_with("configuration_invalid"), said);
    BOOST_TEST(said.find("PGHOSTADDR") != std::string::npos);
    BOOST_TEST(wrong.connections() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}
