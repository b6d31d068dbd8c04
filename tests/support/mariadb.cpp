// SPDX-License-Identifier: Apache-2.0
#include "support/mariadb.hpp"

#include "support/odbc_asker.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

// init_connect is run for users without SUPER: it makes the sessions of `reader` read-only.
constexpr std::string_view settings_text = R"ini([mariadbd]
datadir={0}/data
socket={0}/socket
pid-file={0}/pid
port={1}
bind-address=127.0.0.1
skip-name-resolve
innodb_log_file_size=8M
innodb_buffer_pool_size=16M
innodb_doublewrite=0
innodb_flush_log_at_trx_commit=0
innodb_lock_wait_timeout=5
max_connections={2}
character-set-server=utf8mb4
init_connect="set session tx_read_only = if(user() like 'reader%', 1, 0)"
init_file={0}/users.sql
)ini";

constexpr std::string_view users_text =
    "create database if not exists hadr;\n"
    "create or replace user root@127.0.0.1;\n"
    "create or replace user app@127.0.0.1 identified by 'right-horse';\n"
    "create or replace user reader@127.0.0.1;\n"
    "grant all on *.* to root@127.0.0.1;\n"
    "grant all on hadr.* to app@127.0.0.1;\n"
    "grant all on hadr.* to reader@127.0.0.1;\n";

std::string program(std::string_view name) {
    for (const auto* const folder : {"/usr/sbin", "/usr/bin"})
        if (auto path = fmt::format("{}/{}", folder, name); std::filesystem::exists(path))
            return path;
    return std::string(name);
}

}

mariadb_server::mariadb_server(const temporary_folder& in) : port_(free_port()) {
    const auto folder = in.path() + "/mariadb";
    settings_ = folder + "/my.cnf";
    make(folder);
    start(folder);
}

void mariadb_server::make(const std::string& folder) {
    std::filesystem::create_directory(folder);
    if (geteuid() == 0)
        static_cast<void>(::chown(folder.c_str(), servers_uid(), servers_gid()));
    std::ofstream(settings_) << fmt::format(settings_text, folder, port_, sessions_max);
    std::ofstream(folder + "/users.sql") << users_text;
    run({program("mariadb-install-db"),
         "--defaults-file=" + settings_,
         "--auth-root-authentication-method=normal",
         "--skip-test-db"},
        60s);
}

void mariadb_server::start(const std::string& folder) {
    process_ = std::make_unique<child>(child::command{
        {program("mariadbd"), "--defaults-file=" + settings_}, {}, folder + "/log"});
    wait_until(fmt::format("MariaDB to answer; {}", folder), 30s, [&] {
        return odbc_asker(odbc_text()).ask("select 1").has_value();
    });
}

std::string mariadb_server::odbc_text() const {
    return fmt::format(
        "Driver={{MariaDB Unicode}};Server=127.0.0.1;Port={};UID=root;Database=hadr", port_
    );
}

void mariadb_server::freeze() {
    frozen_ = family_of(process_->pid());
    stop_all(frozen_);
}

void mariadb_server::thaw() {
    signal_all(frozen_, SIGCONT);
    frozen_.clear();
}

}
