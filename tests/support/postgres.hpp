// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/asker.hpp"
#include "support/process.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

/// Puts lines before what a file says.
void prepend(const std::string& file, std::string_view lines);

std::string server_program(std::string_view name);

/// One PostgreSQL server on 127.0.0.1, trusting everybody, small and without fsync.
class postgres_server {
public:
    /// A new cluster, copied from one initdb of this process.
    postgres_server(
        const temporary_folder& in, std::string name, std::vector<std::string> settings = {}
    );

    /// A standby made from a primary by pg_basebackup, with a slot of its name.
    static std::unique_ptr<postgres_server>
    standby_of(const temporary_folder& in, const postgres_server& primary, std::string name);

    void start();
    /// As start(), without waiting for it to answer.
    void begin();
    bool running() const noexcept { return process_ != nullptr; }
    /// SIGINT (fast) or SIGQUIT (immediate), and waits for the end.
    void stop(int how = SIGINT);
    /// The whole machine gone: SIGKILL to every process of the server, taken at this moment.
    void kill_all();
    /// SIGKILL to the postmaster alone.
    void kill_postmaster();
    void freeze();
    void thaw();
    void promote();
    /// Makes a stopped former primary a standby of the new one.
    void rejoin(const postgres_server& primary);
    void append_setting(std::string_view line);
    /// Lines that come before what pg_hba.conf says; need a start or a reload.
    void prepend_access(std::string_view lines);
    void reload();

    int port() const noexcept { return port_; }
    const std::string& name() const noexcept { return name_; }
    const std::string& data() const noexcept { return data_; }
    std::string log() const;

private:
    postgres_server() = default;
    void follow(const postgres_server& primary);

    std::string name_;
    std::string data_;
    int port_ = 0;
    std::unique_ptr<child> process_;
    std::vector<pid_t> frozen_;
};

/// A primary and a synchronous standby, promoted by hand: what mirroring without a witness is.
class postgres_pair {
public:
    enum class replication {
        synchronous,
        asynchronous,
    };

    explicit postgres_pair(
        replication how = replication::synchronous, std::vector<std::string> settings = {}
    );

    postgres_server& primary() noexcept { return *members_[primary_]; }
    postgres_server& mirror() noexcept { return *members_[1 - primary_]; }
    postgres_server& first() noexcept { return *members_[0]; }
    postgres_server& second() noexcept { return *members_[1]; }

    /// Promotes the mirror, which commits alone then.
    void promote_mirror();
    /// Somebody else has promoted it.
    void mirror_was_promoted() noexcept { primary_ = 1 - primary_; }
    /// The killed or stopped old primary becomes the mirror of the present one, and commits wait
    /// for it again.
    void rejoin();
    void commit_alone();
    void commit_together();

    const temporary_folder& folder() const noexcept { return folder_; }

private:
    temporary_folder folder_{"hadr-pair"};
    replication how_;
    std::unique_ptr<postgres_server> members_[2];
    std::size_t primary_ = 0;
};

}
