// SPDX-License-Identifier: Apache-2.0
#include "support/privileged.hpp"

#include "support/process.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;

void run_as_root(const std::vector<std::string>& words) {
    child one({words, {}, {}, false});
    int status = 0;
    if (!one.ended(10s, &status) || status != 0)
        throw std::runtime_error(fmt::format("{} failed", fmt::join(words, " ")));
}

bool installed(const char* program) {
    for (const auto* folder : {"/usr/sbin", "/sbin", "/usr/bin", "/bin"})
        if (access(fmt::format("{}/{}", folder, program).c_str(), X_OK) == 0)
            return true;
    return false;
}

void need_root() {
    if (geteuid() != 0)
        skip("needs root");
}

void nft(std::string_view text) {
    std::vector<std::string> words{"nft"};
    std::istringstream in{std::string(text)};
    for (std::string word; in >> word;)
        words.push_back(word);
    run_as_root(words);
}

}

void skip(std::string_view why) {
    fmt::print("skipped: {}\n", why);
    std::fflush(stdout);
    std::_Exit(77);
}

own_network::own_network() {
    need_root();
    for (const auto* program : {"ip", "nft"})
        if (!installed(program))
            skip(fmt::format("needs {}", program));
    if (unshare(CLONE_NEWNET) != 0)
        skip(fmt::format("no network of its own: {}", std::strerror(errno)));
    run_as_root({"ip", "link", "set", "lo", "up"});
    nft("add table inet hadr");
    nft("add chain inet hadr out { type filter hook output priority 0 ; }");
}

void own_network::add(std::string_view rule) {
    nft(fmt::format("add rule inet hadr out {}", rule));
}

void own_network::insert(std::string_view rule) {
    nft(fmt::format("insert rule inet hadr out {}", rule));
}

void own_network::heal() {
    nft("flush chain inet hadr out");
}

small_disk::small_disk(std::string path, int mib) : path_(std::move(path)) {
    need_root();
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(
            "tmpfs",
            path_.c_str(),
            "tmpfs",
            0,
            fmt::format("size={}m,uid={},gid={},mode=700", mib, servers_uid(), servers_gid())
                .c_str()
        ) != 0)
        skip(fmt::format("no disk of its own: {}", std::strerror(errno)));
}

small_disk::~small_disk() {
    umount2(path_.c_str(), MNT_DETACH);
}

}
