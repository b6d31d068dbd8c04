// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace hadr::test {

using duration = std::chrono::steady_clock::duration;

/// A folder of our own below TMPDIR, owned by the user that runs the servers, removed at the end.
class temporary_folder {
public:
    explicit temporary_folder(std::string_view prefix);
    temporary_folder(const temporary_folder&) = delete;
    ~temporary_folder();

    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

/// A child process, run as the servers' user when we are root; it and all below it are killed and
/// reaped at the end, also when this process dies.
class child {
public:
    struct command {
        std::vector<std::string> words;
        std::map<std::string, std::string> environment = {};
        std::string log = {}; ///< File that its output is appended to; empty: none.
        /// Run as the servers' user; our own programs are not, since it may not enter their folder.
        bool as_servers = true;
        gid_t group = 0; ///< With this group; 0: the user's own.
    };

    explicit child(const command& what);
    child(const child&) = delete;
    ~child();

    pid_t pid() const noexcept { return pid_; }
    void signal(int which) const noexcept;
    /// Whether it has ended by then, and how, as waitpid() says it.
    bool ended(duration within, int* how = nullptr);
    /// SIGKILL to it and all below it, taken at this moment, and reaped.
    void kill_all();

private:
    pid_t pid_ = -1;
    bool reaped_ = false;
};

/// The process and everything below it, parents first.
std::vector<pid_t> family_of(pid_t root);

/// SIGKILL, and wait until each is gone or a zombie that nobody else reaps.
void kill_hard(const std::vector<pid_t>& all);
void signal_all(const std::vector<pid_t>& all, int which);
/// SIGSTOP, and wait until no thread of any of them runs.
void stop_all(const std::vector<pid_t>& all);

/// Runs a command to its end; throws with its output if it fails or takes longer.
std::string
run(const std::vector<std::string>& words,
    duration within,
    const std::map<std::string, std::string>& environment = {});
/// Likewise; its log is not used.
std::string run(child::command what, duration within);

/// A loopback port nobody listens on.
int free_port();

/// Polls until ready; throws std::runtime_error naming what was waited for.
void wait_until(std::string_view what, duration within, const std::function<bool()>& ready);

/// Threads and open descriptors of this process.
std::size_t threads_now();
std::size_t descriptors_now();

/// The user that runs the servers: postgres when we are root, else ourselves.
uid_t servers_uid();
gid_t servers_gid();

}
