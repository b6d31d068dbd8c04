// SPDX-License-Identifier: Apache-2.0
#include "support/postgres.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>

#include <unistd.h>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

using clock = std::chrono::steady_clock;

constexpr std::string_view settings_text = R"(
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 16MB
max_connections = 60
max_wal_senders = 6
max_replication_slots = 6
max_worker_processes = 2
wal_keep_size = 32MB
min_wal_size = 8MB
max_wal_size = 64MB
wal_log_hints = on
fsync = off
jit = off
autovacuum = off
log_min_messages = warning
log_line_prefix = '%m [%p] %q%u@%d '
wal_receiver_status_interval = 1s
wal_retrieve_retry_interval = 100ms
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
)";

constexpr std::string_view trust_text = R"(
local all all trust
host all all 127.0.0.0/8 trust
host replication all 127.0.0.0/8 trust
)";

void append(const std::string& file, std::string_view text) {
    std::ofstream(file, std::ios::app) << text;
}

// initdb takes most of a second: once for each process, then copied.
const std::string& fresh_cluster() {
    static const temporary_folder folder("hadr-initdb");
    static const std::string path = [] {
        auto made = folder.path() + "/template";
        run({server_program("initdb"),
             "-D",
             made,
             "-U",
             "postgres",
             "-A",
             "trust",
             "--no-sync",
             "--no-instructions",
             "--wal-segsize=1",
             "-E",
             "UTF8",
             "--locale=C"},
            60s);
        std::ofstream(made + "/pg_hba.conf") << trust_text;
        append(made + "/postgresql.conf", settings_text);
        return made;
    }();
    return path;
}

}

void prepend(const std::string& file, std::string_view lines) {
    std::ifstream in(file);
    const std::string before((std::istreambuf_iterator<char>(in)), {});
    std::ofstream(file) << lines << '\n' << before;
}

std::string server_program(std::string_view name) {
    for (const int version : {15, 16, 17, 14, 13})
        if (auto path = fmt::format("/usr/lib/postgresql/{}/bin/{}", version, name);
            std::filesystem::exists(path))
            return path;
    return std::string(name);
}

postgres_server::postgres_server(
    const temporary_folder& in, std::string name, std::vector<std::string> settings
)
    : name_(std::move(name))
    , data_(in.path() + "/" + name_)
    , port_(free_port()) {
    run({"cp", "-a", "--reflink=auto", fresh_cluster(), data_}, 30s);
    append_setting(fmt::format("port = {}", port_));
    for (const auto& line : settings)
        append_setting(line);
}

std::unique_ptr<postgres_server> postgres_server::standby_of(
    const temporary_folder& in, const postgres_server& primary, std::string name
) {
    std::unique_ptr<postgres_server> made(new postgres_server);
    made->name_ = std::move(name);
    made->data_ = in.path() + "/" + made->name_;
    made->port_ = free_port();
    run({server_program("pg_basebackup"),
         "-h",
         "127.0.0.1",
         "-p",
         std::to_string(primary.port_),
         "-U",
         "postgres",
         "-D",
         made->data_,
         "-c",
         "fast",
         "-X",
         "stream",
         "--no-sync"},
        60s);
    made->follow(primary);
    return made;
}

void postgres_server::follow(const postgres_server& primary) {
    append_setting(fmt::format("port = {}", port_));
    append_setting(fmt::format(
        "primary_conninfo = 'host=127.0.0.1 port={} user=postgres application_name={} "
        "keepalives_idle=2'",
        primary.port_,
        name_
    ));
    append_setting("synchronous_standby_names = ''");
    append_setting("recovery_target_timeline = 'latest'");
    std::ofstream(data_ + "/standby.signal").flush();
}

void postgres_server::append_setting(std::string_view line) {
    append(data_ + "/postgresql.auto.conf", fmt::format("{}\n", line));
    if (geteuid() == 0) {
        // Written by root, read by the server's user.
        for (const auto* file : {"/postgresql.auto.conf", "/standby.signal"})
            static_cast<void>(::chown((data_ + file).c_str(), servers_uid(), servers_gid()));
    }
}

void postgres_server::prepend_access(std::string_view lines) {
    prepend(data_ + "/pg_hba.conf", lines);
}

void postgres_server::start() {
    begin();
    wait_until(fmt::format("server {} to answer; {}", name_, data_), 30s, [&] {
        return ask(port_, "select 1", "postgres", 1s).has_value();
    });
}

void postgres_server::begin() {
    // A killed server leaves its lock behind; nobody runs here now.
    std::error_code ignored;
    std::filesystem::remove(data_ + "/postmaster.pid", ignored);
    if (std::filesystem::exists(data_ + "/standby.signal"))
        static_cast<void>(::chown((data_ + "/standby.signal").c_str(), servers_uid(), servers_gid())
        );
    process_ = std::make_unique<child>(child::command{
        {server_program("postgres"), "-D", data_}, {}, data_ + ".log"});
}

std::string postgres_server::log() const {
    std::ifstream in(data_ + ".log");
    return std::string((std::istreambuf_iterator<char>(in)), {});
}

void postgres_server::stop(int how) {
    if (!process_)
        return;
    process_->signal(how);
    if (!process_->ended(20s))
        process_->kill_all();
    process_.reset();
}

void postgres_server::kill_all() {
    if (process_)
        process_->kill_all();
    process_.reset();
    frozen_.clear();
}

void postgres_server::kill_postmaster() {
    if (!process_)
        return;
    const auto family = family_of(process_->pid());
    process_->signal(SIGKILL);
    process_->ended(5s);
    wait_until("the backends to notice", 10s, [&] {
        for (auto one = family.begin() + 1; one != family.end(); ++one)
            if (::kill(*one, 0) == 0 && family_of(*one).size() == 1 &&
                std::filesystem::exists(fmt::format("/proc/{}/exe", *one)) &&
                !std::filesystem::read_symlink(fmt::format("/proc/{}/exe", *one)).empty())
                return false;
        return true;
    });
    process_.reset();
}

void postgres_server::freeze() {
    frozen_ = family_of(process_->pid());
    stop_all(frozen_);
}

void postgres_server::thaw() {
    signal_all(frozen_, SIGCONT);
    frozen_.clear();
}

void postgres_server::promote() {
    must(port_, "select pg_promote(true, 30)");
}

void postgres_server::reload() {
    must(port_, "select pg_reload_conf()");
}

void postgres_server::rejoin(const postgres_server& primary) {
    must(primary.port_, "checkpoint"); // Else pg_rewind sees the old timeline.
    run({server_program("pg_rewind"),
         "-D",
         data_,
         "--no-sync",
         fmt::format(
             "--source-server=host=127.0.0.1 port={} user=postgres dbname=postgres", primary.port_
         )},
        60s);
    follow(primary);
    start();
}

postgres_pair::postgres_pair(replication how, std::vector<std::string> settings) : how_(how) {
    members_[0] = std::make_unique<postgres_server>(folder_, "n1", std::move(settings));
    members_[0]->start();
    members_[1] = postgres_server::standby_of(folder_, *members_[0], "n2");
    members_[1]->start();
    wait_until("the mirror to stream", 20s, [&] {
        return ask(primary().port(),
                   "select count(*) from pg_stat_replication where state = 'streaming'") == "1";
    });
    if (how_ == replication::synchronous)
        commit_together();
}

void postgres_pair::commit_together() {
    must(
        primary().port(),
        fmt::format("alter system set synchronous_standby_names = 'ANY 1 ({})'", mirror().name())
    );
    primary().reload();
    wait_until("the mirror to be synchronous", 20s, [&] {
        return ask(primary().port(),
                   "select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum')"
               ) == "1";
    });
}

void postgres_pair::commit_alone() {
    must(primary().port(), "alter system set synchronous_standby_names = ''");
    primary().reload();
}

void postgres_pair::promote_mirror() {
    mirror().promote();
    mirror_was_promoted();
}

void postgres_pair::rejoin() {
    mirror().stop(SIGINT);
    mirror().rejoin(primary());
    wait_until("the old primary to stream", 30s, [&] {
        return ask(primary().port(),
                   "select count(*) from pg_stat_replication where state = 'streaming'") == "1";
    });
    if (how_ == replication::synchronous)
        commit_together();
}

}
