// SPDX-License-Identifier: Apache-2.0
#include "support/process.hpp"

#include "support/guardian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

std::size_t entries_of(const char* folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        count += entry.path().empty() ? 0U : 1U;
    return count;
}

const passwd* servers_user() {
    if (geteuid() != 0)
        return getpwuid(geteuid());
    const auto* const user = getpwnam("postgres");
    if (user == nullptr)
        throw std::runtime_error("there is no user postgres to run the servers");
    return user;
}

// Orphans of a killed server become ours, so that we can reap them.
void adopt_orphans() {
    static const bool once = [] { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0; }();
    static_cast<void>(once);
}

struct kin {
    pid_t pid = 0;
    pid_t parent = 0;
    char state = '?';
};

kin read_kin(const std::string& pid) {
    std::ifstream in("/proc/" + pid + "/stat");
    std::string text; // Empty where the process ended before it was read.
    std::getline(in, text, '\0');
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos)
        return {};
    std::istringstream rest(text.substr(name_end + 1));
    kin one;
    one.pid = std::stoi(pid);
    rest >> one.state >> one.parent;
    return one;
}

std::vector<kin> all_kin() {
    std::vector<kin> all;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const auto name = entry.path().filename().string();
        if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
            if (const auto one = read_kin(name); one.pid != 0)
                all.push_back(one);
    }
    return all;
}

bool gone(pid_t pid) {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid)
        return true;
    const auto one = read_kin(std::to_string(pid));
    return one.pid == 0 || one.state == 'Z';
}

[[noreturn]] void become(const child::command& what) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int in = ::open("/dev/null", O_RDONLY);
    const int out = ::open(
        what.log.empty() ? "/dev/null" : what.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644
    );
    dup2(in, 0);
    dup2(out, 1);
    dup2(out, 2);
    for (int fd = 3; fd < 1024; ++fd)
        close(fd);
    if (what.as_servers && geteuid() == 0) {
        const auto* const user = servers_user();
        const auto group = what.group != 0 ? what.group : user->pw_gid;
        if (initgroups(user->pw_name, group) != 0 || setgid(group) != 0 ||
            setuid(user->pw_uid) != 0)
            _exit(126);
        prctl(PR_SET_PDEATHSIG, SIGKILL); // setuid cleared it.
    }
    for (const auto& [name, value] : what.environment)
        setenv(name.c_str(), value.c_str(), 1);
    std::vector<char*> words;
    for (const auto& one : what.words)
        words.push_back(const_cast<char*>(one.c_str()));
    words.push_back(nullptr);
    execvp(words[0], words.data());
    _exit(127);
}

}

std::size_t threads_now() {
    return entries_of("/proc/self/task");
}

std::size_t descriptors_now() {
    return entries_of("/proc/self/fd");
}

uid_t servers_uid() {
    return servers_user()->pw_uid;
}

gid_t servers_gid() {
    return servers_user()->pw_gid;
}

temporary_folder::temporary_folder(std::string_view prefix) {
    const char* const base = std::getenv("TMPDIR");
    path_ = fmt::format("{}/{}-XXXXXX", base != nullptr ? base : "/tmp", prefix);
    if (mkdtemp(path_.data()) == nullptr)
        throw std::runtime_error("no temporary folder: " + path_);
    tell_guardian(path_);
    if (geteuid() == 0 && chown(path_.c_str(), servers_uid(), servers_gid()) != 0)
        throw std::runtime_error("cannot give away " + path_);
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    if (std::getenv("HADR_KEEP") == nullptr)
        std::filesystem::remove_all(path_, ignored);
}

child::child(const command& what) {
    adopt_orphans();
    pid_ = fork();
    if (pid_ < 0)
        throw std::runtime_error("cannot fork");
    if (pid_ == 0)
        become(what);
}

child::~child() {
    if (!reaped_)
        kill_all();
}

void child::signal(int which) const noexcept {
    if (!reaped_)
        ::kill(pid_, which);
}

bool child::ended(duration within, int* how) {
    const auto until = std::chrono::steady_clock::now() + within;
    while (!reaped_) {
        int status = 0;
        if (waitpid(pid_, &status, WNOHANG) != 0) {
            reaped_ = true;
            if (how != nullptr)
                *how = status;
        } else if (std::chrono::steady_clock::now() >= until) {
            return false;
        } else {
            std::this_thread::sleep_for(2ms);
        }
    }
    return true;
}

void child::kill_all() {
    if (reaped_)
        return;
    kill_hard(family_of(pid_));
    ended(5s);
}

std::vector<pid_t> family_of(pid_t root) {
    const auto all = all_kin();
    std::vector<pid_t> family{root};
    for (std::size_t i = 0; i < family.size(); ++i)
        for (const auto& one : all)
            if (one.parent == family[i])
                family.push_back(one.pid);
    return family;
}

void signal_all(const std::vector<pid_t>& all, int which) {
    for (const auto pid : all)
        ::kill(pid, which);
}

void stop_all(const std::vector<pid_t>& all) {
    signal_all(all, SIGSTOP);
    const auto stopped = [](pid_t pid) {
        const auto threads = fmt::format("{}/task/", pid);
        std::error_code ended;
        for (const auto& one : std::filesystem::directory_iterator("/proc/" + threads, ended)) {
            const char state = read_kin(threads + one.path().filename().string()).state;
            if (std::string_view("TZX?").find(state) == std::string_view::npos)
                return false;
        }
        return true;
    };
    wait_until("processes to be stopped", 10s, [&] {
        return std::all_of(all.begin(), all.end(), stopped);
    });
}

void kill_hard(const std::vector<pid_t>& all) {
    signal_all(all, SIGSTOP); // None of them sees another one die.
    signal_all(all, SIGKILL);
    wait_until("killed processes to be gone", 10s, [&] {
        return std::all_of(all.begin() + 1, all.end(), gone) &&
               (gone(all.front()) || read_kin(std::to_string(all.front())).state == 'Z');
    });
}

std::string
run(const std::vector<std::string>& words,
    duration within,
    const std::map<std::string, std::string>& environment) {
    return run(child::command{words, environment}, within);
}

std::string run(child::command what, duration within) {
    const temporary_folder scratch("hadr-run");
    const auto log = what.log = scratch.path() + "/out";
    const child one(what);
    const auto text = [&] {
        std::ifstream in(log);
        return std::string((std::istreambuf_iterator<char>(in)), {});
    };
    const auto until = std::chrono::steady_clock::now() + within;
    for (;;) {
        int status = 0;
        if (waitpid(one.pid(), &status, WNOHANG) == one.pid()) {
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return text();
            throw std::runtime_error(
                fmt::format("{} failed: {}", fmt::join(what.words, " "), text())
            );
        }
        if (std::chrono::steady_clock::now() >= until)
            throw std::runtime_error(
                fmt::format("{} took too long: {}", fmt::join(what.words, " "), text())
            );
        std::this_thread::sleep_for(2ms);
    }
}

int free_port() {
    // Below the range that outgoing connections take their ports from, so that none is taken
    // meanwhile.
    static std::atomic<int> next = [] {
        std::random_device device;
        return 20'000 + static_cast<int>(device() % 10'000U);
    }();
    for (int tries = 0; tries < 2000; ++tries) {
        const int port = 20'000 + (next++ - 20'000) % 12'000;
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at.sin_port = htons(static_cast<std::uint16_t>(port));
        const bool free = bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
        close(fd);
        if (free)
            return port;
    }
    throw std::runtime_error("no free port");
}

void wait_until(std::string_view what, duration within, const std::function<bool()>& ready) {
    const auto until = std::chrono::steady_clock::now() + within;
    // A look may cost a process: the longer it takes, the fewer of them.
    for (duration pause = 2ms; !ready(); pause = std::min<duration>(pause * 3 / 2, 50ms)) {
        if (std::chrono::steady_clock::now() >= until)
            throw std::runtime_error(fmt::format("waited in vain for {}", what));
        std::this_thread::sleep_for(pause);
    }
}

}
