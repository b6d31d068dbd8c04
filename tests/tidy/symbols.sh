#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: symbols.sh COMPILER OBJECT...
# The objects of core, adapters and runtime reach the world through hadr::world only: none of them has
# an undefined symbol for a clock, a wait, a socket, a resolver, a thread, the environment, chance or a
# file. Proved first on small objects that do reach it.
set -u
compiler=$1
shift
clocks='clock_gettime|clock_nanosleep|gettimeofday|timespec_get|time|nanosleep|usleep|sleep|std::chrono::_V2::[a-z_]+::now\(\)'
waits='poll|ppoll|__poll_chk|__ppoll_chk|select|pselect|epoll_[a-z0-9_]+|eventfd|sem_(timed|clock)?wait|pthread_cond_[a-z]+'
sockets='socket|socketpair|connect|bind|listen|accept4?|send|sendto|sendmsg|recv|recvfrom|recvmsg|shutdown'
names='getaddrinfo|getaddrinfo_a|gethostby[a-z_0-9]+|res_[a-z_]+'
threads='pthread_create|pthread_atfork|fork|vfork|std::thread::.*|std::condition_variable.*|std::this_thread::.*|__tls_get_addr'
environment='getenv|secure_getenv|setenv|unsetenv|putenv|getpid'
chance='rand|srand|random|srandom|[delmnj]rand48|getrandom|getentropy|std::random_device::.*'
files='open|open64|openat|fopen|fopen64|creat|std::basic_(if|of|f)stream.*|std::basic_filebuf.*|std::filesystem::.*'
all="$clocks|$waits|$sockets|$names|$threads|$environment|$chance|$files"

# Undefined symbols that reach the world, one per line: OBJECT: SYMBOL.
reaches() {
    nm -AuC "$@" | sed -E 's/^(.*): +[Uw] /\1: /; s/@.*$//' | grep -E "^.*\.o: ($all)$"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0
plants() {
    number=$((number + 1))
    cat >"$scratch/planted$number.cpp"
    "$compiler" -std=c++20 -O1 -fPIC -c -o "$scratch/planted$number.o" "$scratch/planted$number.cpp" || exit 1
    reaches "$scratch/planted$number.o" >"$scratch/found"
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
plants innocent <<<'#include <mutex>
#include <string>
std::mutex m; int connect(std::string, int);
int a(std::string s) { std::lock_guard l(m); return connect(s + "x", 1); }'

[ $# -gt 0 ] || { echo "symbols: no object given"; exit 1; }
found=$(reaches "$@")
[ -z "$found" ] || { printf '%s  <- only lib/platform reaches the world\n' "$found"; exit 1; }
echo "symbols: proved on $number objects; $# objects reach nothing but hadr::world"
