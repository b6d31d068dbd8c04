// SPDX-License-Identifier: Apache-2.0
#include "support/auto_failover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view monitor_settings = R"(
pgautofailover.health_check_period = '300ms'
pgautofailover.health_check_timeout = '300ms'
pgautofailover.health_check_max_retries = 1
pgautofailover.health_check_retry_delay = '100ms'
pgautofailover.node_considered_unhealthy_timeout = '1500ms'
pgautofailover.primary_demote_timeout = '500ms'
pgautofailover.startup_grace_period = '1s'
fsync = off
shared_buffers = 16MB
autovacuum = off
jit = off
)";

// Adopted by pg_autoctl; its own initdb would take a quarter of the memory.
constexpr std::string_view node_settings = R"(
shared_buffers = 16MB
max_connections = 60
max_worker_processes = 2
wal_keep_size = 32MB
min_wal_size = 8MB
max_wal_size = 64MB
wal_log_hints = on
fsync = off
jit = off
autovacuum = off
wal_retrieve_retry_interval = 100ms
wal_receiver_status_interval = 1s
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
)";

void append_to(const std::string& file, std::string_view text) {
    std::ofstream(file, std::ios::app) << text;
}

bool alive(pid_t pid) {
    return pid > 0 && ::kill(pid, 0) == 0;
}

}

auto_failover_cluster::auto_failover_cluster(gid_t group_of_first) {
    nodes_[0].group = group_of_first;
    for (const auto* name : {"/home", "/run"})
        run({"mkdir", "-p", "-m", "700", folder_.path() + name}, 5s);
    create_monitor();
    for (std::size_t i = 0; i < 2; ++i) {
        nodes_[i].name = fmt::format("n{}", i + 1);
        nodes_[i].data = folder_.path() + "/" + nodes_[i].name;
        nodes_[i].port = free_port();
        create_node(nodes_[i]);
    }
    wait_settled();
    for (const auto& one : nodes_)
        hasten(one);
}

auto_failover_cluster::~auto_failover_cluster() {
    for (auto& one : nodes_)
        kill(one);
    kill(monitor_);
}

std::map<std::string, std::string> auto_failover_cluster::environment() const {
    const auto bin = std::filesystem::path(server_program("postgres")).parent_path().string();
    return {
        {"HOME", folder_.path() + "/home"},
        {"XDG_RUNTIME_DIR", folder_.path() + "/run"},
        {"PATH", bin + ":/usr/bin:/bin"},
        {"LC_ALL", "C.UTF-8"}};
}

child::command
auto_failover_cluster::command(std::vector<std::string> words, const part& of) const {
    return {
        std::move(words), environment(), folder_.path() + "/" + of.name + ".log", true, of.group};
}

std::string auto_failover_cluster::monitor_uri() const {
    return fmt::format("postgres://autoctl_node@127.0.0.1:{}/pg_auto_failover", monitor_.port);
}

std::optional<std::string> auto_failover_cluster::monitor(std::string_view text) const {
    if (!asks_monitor_)
        asks_monitor_.emplace(monitor_.port, "pg_auto_failover");
    return asks_monitor_->ask(text, 2s);
}

void auto_failover_cluster::create_monitor() {
    monitor_.name = "monitor";
    monitor_.data = folder_.path() + "/monitor";
    monitor_.port = free_port();
    run({"pg_autoctl",
         "create",
         "monitor",
         "--pgdata",
         monitor_.data,
         "--pgport",
         std::to_string(monitor_.port),
         "--hostname",
         "127.0.0.1",
         "--auth",
         "trust",
         "--no-ssl"},
        60s,
        environment());
    append_to(monitor_.data + "/postgresql.conf", monitor_settings);
    run({"pg_autoctl",
         "config",
         "set",
         "--pgdata",
         monitor_.data,
         "postgresql.listen_addresses",
         "127.0.0.1"},
        10s,
        environment());
    start(monitor_);
    wait_until("the monitor", 30s, [&] { return monitor("select 1").has_value(); });
}

void auto_failover_cluster::create_node(part& one) {
    if (&one == &nodes_[0]) {
        run({server_program("initdb"),
             "-D",
             one.data,
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
        append_to(
            one.data + "/pg_hba.conf",
            "\nhost all all 127.0.0.0/8 trust\nhost replication all 127.0.0.0/8 trust\n"
        );
        append_to(one.data + "/postgresql.conf", node_settings);
    }
    one.keeper = std::make_unique<child>(command(
        {"pg_autoctl",
         "create",
         "postgres",
         "--pgdata",
         one.data,
         "--pgport",
         std::to_string(one.port),
         "--name",
         one.name,
         "--hostname",
         "127.0.0.1",
         "--listen",
         "127.0.0.1",
         "--auth",
         "trust",
         "--no-ssl",
         "--monitor",
         monitor_uri(),
         "--run"},
        one
    ));
    wait_until(fmt::format("{} to register", one.name), 60s, [&] {
        // The base backup asks for a spread checkpoint; this one ends it.
        if (&one != &nodes_[0])
            ask(nodes_[0].port, "checkpoint", "postgres", 2s);
        return monitor(fmt::format(
                   "select count(*) from pgautofailover.node where nodename = '{}' and "
                   "reportedstate in "
                   "('single', 'primary', 'secondary')",
                   one.name
               )) == "1";
    });
}

void auto_failover_cluster::hasten(const part& one) const {
    const std::pair<const char*, const char*> settings[] = {
        {"timeout.network_partition_timeout", "3"},
        {"timeout.prepare_promotion_catchup", "3"},
        {"timeout.prepare_promotion_walreceiver", "1"},
        {"timeout.postgresql_restart_failure_timeout", "2"},
        {"timeout.postgresql_restart_failure_max_retries", "1"}};
    // The keeper writes the same file, not atomically: what is read meanwhile is half of it.
    for (const auto& setting : settings)
        wait_until(fmt::format("pg_autoctl to set {}", setting.first), 20s, [&] {
            try {
                run({"pg_autoctl",
                     "config",
                     "set",
                     "--pgdata",
                     one.data,
                     setting.first,
                     setting.second},
                    10s,
                    environment());
                return true;
            } catch (const std::runtime_error&) {
                return false;
            }
        });
    run({"pg_autoctl", "reload", "--pgdata", one.data}, 10s, environment());
}

void auto_failover_cluster::start(part& one) {
    one.keeper = std::make_unique<child>(command({"pg_autoctl", "run", "--pgdata", one.data}, one));
}

pid_t auto_failover_cluster::postmaster_of(const part& one) const {
    std::ifstream in(one.data + "/postmaster.pid");
    pid_t pid = 0; // Also where the file is just being written.
    in >> pid;
    return pid;
}

pid_t auto_failover_cluster::running_postmaster_of(const part& one) const {
    pid_t pid = 0;
    wait_until(fmt::format("the postmaster of {}", one.name), 5s, [&] {
        pid = postmaster_of(one);
        return alive(pid);
    });
    return pid;
}

// The postmaster leaves the keeper's family once the keeper is gone.
std::vector<pid_t> auto_failover_cluster::everything_of(const part& one) const {
    std::vector<pid_t> all;
    if (one.keeper)
        all = family_of(one.keeper->pid());
    const auto postmaster = postmaster_of(one);
    if (alive(postmaster) && std::find(all.begin(), all.end(), postmaster) == all.end())
        for (const auto pid : family_of(postmaster))
            all.push_back(pid);
    return all;
}

void auto_failover_cluster::kill(part& one) {
    const auto all = everything_of(one);
    if (!all.empty())
        kill_hard(all);
    one.keeper.reset();
    one.frozen.clear();
}

void auto_failover_cluster::kill_node(std::size_t node) {
    kill(nodes_[node]);
}

void auto_failover_cluster::kill_keeper(std::size_t node) {
    auto& one = nodes_[node];
    const auto postmaster = postmaster_of(one);
    const auto server = alive(postmaster) ? family_of(postmaster) : std::vector<pid_t>{};
    auto all = family_of(one.keeper->pid());
    std::erase_if(all, [&](pid_t pid) {
        return std::find(server.begin(), server.end(), pid) != server.end();
    });
    kill_hard(all);
    one.keeper.reset();
}

void auto_failover_cluster::kill_postmaster(std::size_t node) {
    ::kill(running_postmaster_of(nodes_[node]), SIGKILL);
}

void auto_failover_cluster::stop_server(std::size_t node, int how) {
    ::kill(running_postmaster_of(nodes_[node]), how);
}

void auto_failover_cluster::freeze_node(std::size_t node) {
    nodes_[node].frozen = everything_of(nodes_[node]);
    signal_all(nodes_[node].frozen, SIGSTOP);
}

void auto_failover_cluster::thaw_node(std::size_t node) {
    signal_all(nodes_[node].frozen, SIGCONT);
    nodes_[node].frozen.clear();
}

void auto_failover_cluster::prepend_monitor_access(std::string_view lines) {
    prepend(monitor_.data + "/pg_hba.conf", lines);
    must(monitor_.port, "select pg_reload_conf()", "pg_auto_failover");
}

void auto_failover_cluster::kill_monitor() {
    kill(monitor_);
}

void auto_failover_cluster::perform_failover() const {
    if (!monitor("select pgautofailover.perform_failover('default', 0)"))
        throw std::runtime_error("the monitor refused perform_failover");
}

void auto_failover_cluster::revive() {
    for (auto* one : {&monitor_, &nodes_[0], &nodes_[1]})
        revive(*one);
}

void auto_failover_cluster::revive_monitor() {
    revive(monitor_);
}

void auto_failover_cluster::revive(part& one) {
    if (one.keeper)
        return;
    if (!alive(postmaster_of(one))) {
        // A dead server's locks stop the next one; its socket folder is shared.
        std::error_code ignored;
        std::filesystem::remove(one.data + "/postmaster.pid", ignored);
        for (const auto* folder : {"/tmp", "/var/run/postgresql"})
            for (const auto* suffix : {"", ".lock"})
                std::filesystem::remove(
                    fmt::format("{}/.s.PGSQL.{}{}", folder, one.port, suffix), ignored
                );
    }
    start(one);
}

bool auto_failover_cluster::settled() const {
    return monitor("select count(*) from pgautofailover.node where reportedstate = goalstate and "
                   "reportedstate in ('primary', 'secondary') and health = 1") == "2";
}

void auto_failover_cluster::wait_settled() {
    wait_until(fmt::format("pg_auto_failover to settle; logs in {}", folder_.path()), 90s, [&] {
        return settled();
    });
}

std::size_t auto_failover_cluster::primary() const {
    const auto port = monitor("select primary_port from pgautofailover.get_primary('default', 0)");
    return port == std::to_string(nodes_[1].port) ? 1 : 0;
}

std::optional<std::string> auto_failover_cluster::role_of(int port) {
    return ask(
        port,
        "select case when pg_is_in_recovery() then 'standby' else 'primary ' || "
        "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) end",
        "postgres",
        500ms
    );
}

}
