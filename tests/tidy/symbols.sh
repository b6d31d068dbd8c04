#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: symbols.sh COMPILER OBJECT...
# The objects of core, adapters and runtime reach the world through hadr::world only: none of them has
# an undefined symbol for a clock, a wait, a socket, a resolver, a thread, the environment, chance or a
# file. Proved first on small objects that do reach it. One exception, by name: std::stop_callback, by which an
# application's stop token wakes a caller that waits in acquire; where such a token is stopped on another thread at
# the very moment that the wait ends, the standard library spins or sleeps until that call is over.
set -u
compiler=$1
shift
clocks='clock|clock_gettime|clock_nanosleep|gettimeofday|timespec_get|time|times|timerfd_[a-z]+|timer_[a-z]+|setitimer|alarm|nanosleep|usleep|sleep|std::chrono::_V2::[a-z_]+::now\(\)'
waits='syscall|sched_yield|poll|ppoll|__poll_chk|__ppoll_chk|select|pselect|epoll_[a-z0-9_]+|eventfd|sem_(timed|clock)?wait|pthread_cond_[a-z]+'
sockets='socket|socketpair|connect|bind|listen|accept4?|send|sendto|sendmsg|recv|recvfrom|recvmsg|shutdown'
names='getaddrinfo|getaddrinfo_a|gethostby[a-z_0-9]+|res_[a-z_]+'
threads='pthread_create|pthread_atfork|fork|vfork|std::thread::.*|std::condition_variable.*|std::this_thread::.*|__tls_get_addr'
environment='getenv|secure_getenv|setenv|unsetenv|putenv|getpid'
chance='rand|srand|random|srandom|[delmnj]rand48|getrandom|getentropy|std::random_device::.*'
files='pipe2?|read|write|p?(read|write)v?|rename(at2?)?|unlink(at)?|open|open64|openat|fopen|fopen64|creat|std::basic_(if|of|f)stream.*|std::basic_filebuf.*|std::filesystem::.*'
all="$clocks|$waits|$sockets|$names|$threads|$environment|$chance|$files"

# Undefined symbols that reach the world, one per line: OBJECT: SYMBOL.
reaches() {
    nm -AuC "$@" | sed -E 's/^(.*): +[Uw] /\1: /; s/@.*$//' | grep -E "^.*\.o: ($all)$"
}

# Calls of syscall and sched_yield by anything but the waits of std::stop_callback, each with its function.
spins() {
    local object
    for object in "$@"; do
        objdump -drC "$object" | awk -v object="$object" '
            /^[0-9a-f]+ <.*>:$/ { function_name = $0; sub(/^[0-9a-f]+ </, "", function_name); sub(/>:$/, "", function_name) }
            /R_[A-Z0-9_]+[ \t]+(syscall|sched_yield)([-@+].*)?$/ { print object ": " function_name }' |
            grep -vE ': (.*std::stop_callback<|void std::__atomic_wait_address|.*std::__atomic_semaphore|.*runtime::store::wait_for_one\()'
    done
}

# What reaches the world, and is not that exception.
all_found() {
    local found
    found=$(reaches "$@")
    grep -vE ': (syscall|sched_yield)$' <<<"$found" | grep .
    spins $(grep -oE '^.*\.o: (syscall|sched_yield)$' <<<"$found" | sed 's/: [a-z_]*$//' | sort -u)
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0
plants() {
    number=$((number + 1))
    cat >"$scratch/planted$number.cpp"
    "$compiler" -std=c++20 -O1 -fPIC -c -o "$scratch/planted$number.o" "$scratch/planted$number.cpp" || exit 1
    all_found "$scratch/planted$number.o" >"$scratch/found"
    if [ "$1" = guilty ] && ! [ -s "$scratch/found" ]; then
        echo "symbols: planted object $number was not found"
        exit 1
    elif [ "$1" = innocent ] && [ -s "$scratch/found" ]; then
        echo "symbols: an innocent object was found: $(cat "$scratch/found")"
        exit 1
    fi
}
plants guilty <<<'#include <chrono>
auto a() { return std::chrono::steady_clock::now(); }'
plants guilty <<<'#include <time.h>
int a(timespec* t) { return clock_gettime(CLOCK_MONOTONIC, t); }'
plants guilty <<<'#include <thread>
void a() { std::thread([] {}).detach(); }'
plants guilty <<<'#include <netdb.h>
int a(addrinfo** r) { return getaddrinfo("a", "1", nullptr, r); }'
plants guilty <<<'#include <poll.h>
#include <stdlib.h>
int a(pollfd* p) { return poll(p, 1, getenv("A") ? 1 : 0); }'
plants guilty <<<'#include <fstream>
std::ifstream a() { return std::ifstream("a"); }'
plants guilty <<<'extern thread_local int a; int b() { return a; }'
plants guilty <<<'#include <random>
unsigned a() { return std::random_device{}(); }'
plants guilty <<<'#include <unistd.h>
#include <sys/syscall.h>
long a() { return syscall(SYS_getpid); }'
plants guilty <<<'#include <sched.h>
int a() { return sched_yield(); }'
plants guilty <<<'#include <time.h>
long a() { return clock(); }'
plants guilty <<<'#include <sys/timerfd.h>
int a() { return timerfd_create(1, 0); }'
plants guilty <<<'#include <unistd.h>
int a(int* p) { return pipe(p); }'
plants guilty <<<'#include <unistd.h>
long a(int f, char* p) { return read(f, p, 1) + write(f, p, 1); }'
plants guilty <<<'#include <stdio.h>
int a() { return rename("a", "b"); }'
plants guilty <<<'#include <sys/times.h>
long a(tms* p) { return times(p); }'
plants innocent <<<'#include <stop_token>
void wake();
namespace runtime { struct store { bool wait_for_one(std::stop_token t); }; }
bool runtime::store::wait_for_one(std::stop_token t) { auto f = [] { wake(); }; std::stop_callback<decltype(f)> c(t, f); return t.stop_requested(); }'
plants innocent <<<'#include <mutex>
#include <string>
std::mutex m; int connect(std::string, int);
int a(std::string s) { std::lock_guard l(m); return connect(s + "x", 1); }'

[ $# -gt 0 ] || { echo "symbols: no object given"; exit 1; }
found=$(all_found "$@")
[ -z "$found" ] || { printf '%s  <- only lib/platform reaches the world\n' "$found"; exit 1; }
echo "symbols: proved on $number objects; $# objects reach nothing but hadr::world"
