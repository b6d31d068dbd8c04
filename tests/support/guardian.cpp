// SPDX-License-Identifier: Apache-2.0
#include "support/guardian.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hadr::test {

namespace {

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
    const auto tests = fork();
    if (tests < 0)
        _exit(1);
    if (tests == 0) {
        sigprocmask(SIG_SETMASK, &before, nullptr);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != guardian)
            _exit(1);
        std::exit(run(count, words));
    }
    const int code = watch(tests, ends);
    end_all();
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

}
