// SPDX-License-Identifier: Apache-2.0
#include "support/guardian.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hadr::test {

namespace {

int folders_told = -1; // The tests' end of a pipe.

int exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int await(pid_t one) {
    int status = 0;
    while (waitpid(one, &status, 0) < 0)
        if (errno != EINTR)
            return 1;
    return exit_code(status);
}

/// The children of this process; what their parents left behind is among them.
bool kill_children() {
    std::ifstream in("/proc/self/task/" + std::to_string(getpid()) + "/children");
    bool any = false;
    for (pid_t one = 0; in >> one; any = true)
        ::kill(one, SIGKILL);
    return any;
}

// Until there is none: each that ends may leave its own to us.
void end_all() {
    while (kill_children())
        while (waitpid(-1, nullptr, 0) > 0)
            kill_children();
}

/// Waits for the end of the tests, or for a signal to end them; gives the exit code.
int watch(pid_t tests, const sigset_t& ends) {
    for (;;) {
        int which = 0;
        sigwait(&ends, &which);
        int status = 0;
        for (pid_t one = 0; (one = waitpid(-1, &status, WNOHANG)) > 0;)
            if (one == tests)
                return exit_code(status);
        if (which != SIGCHLD)
            return 128 + which;
    }
}

void take_away(int told) {
    std::string all;
    char some[4096];
    for (ssize_t count = 0; (count = read(told, some, sizeof some)) > 0;)
        all.append(some, static_cast<std::size_t>(count));
    std::istringstream in(all);
    std::error_code ignored;
    if (std::getenv("HADR_KEEP") == nullptr)
        for (std::string folder; std::getline(in, folder);)
            std::filesystem::remove_all(folder, ignored);
}

[[noreturn]] void guard(int (*run)(int, char**), int count, char** words, pid_t whom) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t ends;
    sigemptyset(&ends);
    for (const int one : {SIGCHLD, SIGHUP, SIGINT, SIGTERM})
        sigaddset(&ends, one);
    sigset_t before;
    sigprocmask(SIG_BLOCK, &ends, &before);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != whom)
        _exit(1);
    const auto guardian = getpid();
    int folders[2];
    if (pipe2(folders, O_CLOEXEC | O_NONBLOCK) != 0)
        _exit(1);
    const auto tests = fork();
    if (tests < 0)
        _exit(1);
    if (tests == 0) {
        close(folders[0]);
        folders_told = folders[1];
        sigprocmask(SIG_SETMASK, &before, nullptr);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != guardian)
            _exit(1);
        std::exit(run(count, words));
    }
    close(folders[1]);
    const int code = watch(tests, ends);
    end_all();
    take_away(folders[0]);
    _exit(code);
}

}

int guarded(int (*run)(int, char**), int count, char** words) {
    const auto self = getpid();
    const auto guardian = fork();
    if (guardian < 0) {
        std::perror("fork");
        return 1;
    }
    if (guardian == 0)
        guard(run, count, words, self);
    signal(SIGINT, SIG_IGN); // The guardian's, from a terminal.
    return await(guardian);
}

void tell_guardian(const std::string& folder) noexcept {
    const auto line = folder + '\n';
    if (folders_told >= 0 && write(folders_told, line.data(), line.size()) < 0)
        return; // As many as a pipe holds are enough.
}

}
