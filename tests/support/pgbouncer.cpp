// SPDX-License-Identifier: Apache-2.0
#include "support/pgbouncer.hpp"

#include "support/postgres.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace hadr::test {

using namespace std::chrono_literals;

pgbouncer::pgbouncer(const temporary_folder& in, int server_port, std::string_view mode)
    : port_(free_port()) {
    const auto file = fmt::format("{}/pgbouncer-{}.ini", in.path(), mode);
    std::ofstream(file) << fmt::format(
        "[databases]\n"
        "* = host=127.0.0.1 port={} user=postgres\n"
        "[pgbouncer]\n"
        "listen_addr = 127.0.0.1\n"
        "listen_port = {}\n"
        "unix_socket_dir =\n"
        "auth_type = any\n"
        "pool_mode = {}\n"
        "server_tls_sslmode = disable\n"
        "server_login_retry = 1\n",
        server_port,
        port_,
        mode
    );
    const std::string program =
        std::filesystem::exists("/usr/sbin/pgbouncer") ? "/usr/sbin/pgbouncer" : "pgbouncer";
    process_ = std::make_unique<child>(child::command{{program, file}, {}, file + ".log"});
    wait_until("PgBouncer to answer", 20s, [&] {
        return ask(port_, "select 1", "postgres", 1s).has_value();
    });
}

}
