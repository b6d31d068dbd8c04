// SPDX-License-Identifier: Apache-2.0
#include "conformance/server.hpp"

#include <fmt/format.h>

#include <fstream>

namespace hadr::test {

namespace {

std::vector<std::string> settings_with(const certificates& with, const temporary_folder& sockets) {
    return {
        fmt::format("unix_socket_directories = '{}'", sockets.path()),
        "ssl = on",
        fmt::format("ssl_cert_file = '{}'", with.certificate("good")),
        fmt::format("ssl_key_file = '{}'", with.key())};
}

}

test_server::test_server() : at(folder, "server", settings_with(signed_by, sockets)) {
    std::ofstream(at.data() + "/pg_hba.conf") << "host all app,rotating 127.0.0.0/8 scram-sha-256\n"
                                                 "host all all 127.0.0.0/8 trust\n"
                                                 "local all app scram-sha-256\n"
                                                 "local all all trust\n";
    at.start();
    must(at.port(), fmt::format("create role app login password '{}'", password));
    must(at.port(), "create role reader login");
    must(at.port(), "alter role reader set default_transaction_read_only = on");
}

void test_server::show(std::string_view certificate) {
    const auto file = signed_by.certificate(certificate);
    must(at.port(), fmt::format("alter system set ssl_cert_file = '{}'", file));
    at.reload();
    wait_until("the certificate to be taken", std::chrono::seconds(10), [&] {
        return ask(at.port(), "show ssl_cert_file") == file;
    });
}

test_server& the_server() {
    static test_server one;
    return one;
}

profile superuser() {
    profile made;
    made.user = "postgres";
    made.database = "postgres";
    made.encrypt = encryption::disable;
    return made;
}

profile app() {
    auto made = superuser();
    made.user = "app";
    made.password = secret(std::string(password));
    return made;
}

target target_of(int port, const profile& with, purpose why) {
    return {
        {"db.test", static_cast<std::uint16_t>(port), {}},
        "127.0.0.1",
        std::make_shared<const profile>(with),
        why,
        {}};
}

expected<std::unique_ptr<session>> connect(const target& to, duration within) {
    const auto through = real_world();
    return libpq::make_driver()->connect(to, through->now() + within, *through, nullptr);
}

std::string store_string(int port, std::string_view more) {
    return fmt::format(
        "Driver=libpq;Server=127.0.0.1:{};Database=postgres;UID=postgres;{}", port, more
    );
}

std::unique_ptr<connection_manager> open_store(int port, std::string_view more) {
    return need(open(store_string(port, more), {.drivers = {libpq::make_driver()}}));
}

}
