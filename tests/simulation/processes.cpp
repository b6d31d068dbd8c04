// SPDX-License-Identifier: Apache-2.0
#include "simulation/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hadr::test {

namespace {

constexpr auto hang_limit = std::chrono::seconds(90);
constexpr int look_ms = 1000;

/// In memory that a child shares with its parent.
struct progress {
    std::atomic<std::uint64_t> runs{0};
    std::array<char, 240> replayed_by{};
};

progress* mine = nullptr;

struct child {
    pid_t id = 0;
    int from = -1;
    progress* at = nullptr;
    std::uint64_t seen = 0;
    std::chrono::steady_clock::time_point seen_at = std::chrono::steady_clock::now();
    bool hung = false;
    std::vector<std::uint64_t> numbers{};
};

void write_all(int to, const std::vector<std::uint64_t>& numbers) {
    const auto* at = reinterpret_cast<const char*>(numbers.data());
    for (auto left = numbers.size() * sizeof numbers[0]; left > 0;) {
        const auto done = write(to, at, left);
        if (done <= 0)
            _exit(3);
        at += done;
        left -= static_cast<std::size_t>(done);
    }
}

child begin(
    std::uint64_t number, const std::function<std::vector<std::uint64_t>(std::uint64_t)>& work
) {
    child made;
    int ends[2] = {};
    void* const shared =
        mmap(nullptr, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    std::fflush(stdout);
    if (shared == MAP_FAILED || pipe(ends) != 0)
        std::abort();
    made.at = new (shared) progress;
    made.id = fork();
    if (made.id == 0) {
        close(ends[0]);
        mine = made.at;
        write_all(ends[1], work(number));
        std::fflush(stdout);
        _exit(0);
    }
    close(ends[1]);
    made.from = ends[0];
    return made;
}

// False once it has said all it will.
bool listen(child& to) {
    pollfd one{to.from, POLLIN, 0};
    if (poll(&one, 1, look_ms) == 0) {
        const auto now = std::chrono::steady_clock::now();
        const auto runs = to.at->runs.load();
        if (runs != to.seen) {
            to.seen = runs;
            to.seen_at = now;
        } else if (now - to.seen_at > hang_limit && !to.hung) {
            to.hung = true;
            kill(to.id, SIGKILL);
        }
        return true;
    }
    std::array<char, 8192> part{}; // A multiple of what is sent; a pipe gives it whole.
    std::size_t have = 0;
    while (have % sizeof(std::uint64_t) != 0 || have == 0) {
        const auto got = read(to.from, part.data() + have, part.size() - have);
        if (got <= 0)
            return false;
        have += static_cast<std::size_t>(got);
    }
    const auto before = to.numbers.size();
    to.numbers.resize(before + have / sizeof(std::uint64_t));
    std::memcpy(to.numbers.data() + before, part.data(), have);
    return true;
}

ended_process end(child& of) {
    close(of.from);
    int how = 0;
    waitpid(of.id, &how, 0);
    ended_process made{std::move(of.numbers), {}};
    if (how != 0)
        made.failure = fmt::format(
            "{} in: hadr_simulation {}",
            of.hung            ? std::string("it hung")
            : WIFSIGNALED(how) ? fmt::format("it died of signal {}", WTERMSIG(how))
                               : fmt::format("it ended with {}", WEXITSTATUS(how)),
            of.at->replayed_by.data()
        );
    munmap(of.at, sizeof(progress));
    return made;
}

}

void about_to_run(const std::string& replayed_by) noexcept {
    if (mine == nullptr)
        return;
    const auto length = std::min(replayed_by.size(), mine->replayed_by.size() - 1);
    std::copy_n(replayed_by.data(), length, mine->replayed_by.data());
    mine->replayed_by[length] = '\0';
    mine->runs.fetch_add(1);
}

std::vector<ended_process> in_processes(
    std::uint64_t count, const std::function<std::vector<std::uint64_t>(std::uint64_t)>& work
) {
    std::vector<child> all;
    for (std::uint64_t i = 0; i < count; ++i)
        all.push_back(begin(i, work));
    std::vector<bool> speaking(all.size(), true);
    while (std::find(speaking.begin(), speaking.end(), true) != speaking.end())
        for (std::size_t i = 0; i < all.size(); ++i)
            if (speaking[i])
                speaking[i] = listen(all[i]);
    std::vector<ended_process> made;
    for (auto& one : all)
        made.push_back(end(one));
    return made;
}

}
