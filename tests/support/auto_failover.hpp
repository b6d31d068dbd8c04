// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/postgres.hpp"

#include <memory>
#include <optional>
#include <string>

namespace hadr::test {

/// pg_auto_failover: a monitor (the witness) and two nodes, each with its keeper, at its "faster"
/// settings (failover in about 2.5 s).
class auto_failover_cluster {
public:
    /// The first node may run with a group of its own, by which its packets can be told.
    explicit auto_failover_cluster(gid_t group_of_first = 0);
    ~auto_failover_cluster();

    int monitor_port() const noexcept { return monitor_.port; }
    int port(std::size_t node) const noexcept { return nodes_[node].port; }

    /// By the monitor's word, when all is settled.
    std::size_t primary() const;
    std::size_t mirror() const { return 1 - primary(); }
    bool settled() const;
    void wait_settled();

    /// Keeper and server.
    void kill_node(std::size_t node);
    void kill_keeper(std::size_t node);
    void kill_postmaster(std::size_t node);
    void stop_server(std::size_t node, int how);
    void freeze_node(std::size_t node);
    void thaw_node(std::size_t node);
    void kill_monitor();
    void perform_failover() const;
    void prepend_monitor_access(std::string_view lines);
    /// Starts again whatever was killed.
    void revive();
    void revive_monitor();

    /// Timeline and role as the server itself says, or nothing.
    static std::optional<std::string> role_of(int port);

private:
    struct part {
        std::string name;
        std::string data;
        int port = 0;
        gid_t group = 0;
        std::unique_ptr<child> keeper;
        std::vector<pid_t> frozen;
    };

    void create_monitor();
    void create_node(part& one);
    void hasten(const part& one) const;
    void start(part& one);
    void revive(part& one);
    std::vector<pid_t> everything_of(const part& one) const;
    pid_t postmaster_of(const part& one) const;
    pid_t running_postmaster_of(const part& one) const;
    void kill(part& one);
    child::command command(std::vector<std::string> words, const part& of) const;
    std::map<std::string, std::string> environment() const;
    std::string monitor_uri() const;
    std::optional<std::string> monitor(std::string_view text) const;

    temporary_folder folder_{"hadr-pgaf"};
    part monitor_;
    mutable std::optional<asker> asks_monitor_;
    part nodes_[2];
};

}
