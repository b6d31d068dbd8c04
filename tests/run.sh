#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: bash tests/run.sh [--quick | --figures]
#
# Installs what is missing (Debian 12, apt-get, through sudo when not root), builds into .build/ and
# runs all tests: g++ with everything, clang++ with the address and undefined sanitizers, clang++ with
# the thread sanitizer. Warnings are errors. A test that was skipped fails the run, unless
# HADR_ALLOW_SKIP=1.
#
#   --quick     for developers: the g++ build, without the tests that need servers or an install
#   --figures   a plain run, then every test with the label `figures`; ends with a list of all figures
set -u
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
builds=$root/.build
jobs=$(nproc)
began=$SECONDS
failures=()
closing=()

# In this order: compilers and build, what the library and its tests link, benchmarks, the real engines.
packages=(
    g++ clang libclang-rt-14-dev clang-format cmake ninja-build ccache pkg-config
    libfmt-dev libpq-dev libboost-test-dev libboost-context-dev librapidcheck-dev nlohmann-json3-dev
    libbenchmark-dev libsoci-dev valgrind
    postgresql-15 postgresql-15-auto-failover pg-auto-failover-cli pgbouncer
    unixodbc-dev odbc-postgresql tdsodbc libsqliteodbc odbc-mariadb mariadb-server-core mariadb-client-core
    openssl iproute2 nftables patch procps)

mode=plain
case ${1-} in
    '') ;;
    --quick) mode=quick ;;
    --figures) mode=figures ;;
    *)
        sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        [ "$1" = --help ] && exit 0
        exit 2
        ;;
esac

say() {
    printf '\n== %s\n' "$*"
}

die() {
    printf '\nrun.sh: %s\n' "$*" >&2
    exit 1
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt() {
    local as_root=() attempt
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "not root and no sudo; install by hand: ${missing[*]}"
        as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
        [ -t 0 ] || as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
    fi
    for attempt in 1 2 3 4 5; do
        # Another apt-get may hold the lists, for which there is no lock time-out.
        [ "$attempt" -eq 1 ] || sleep $((attempt * 5))
        "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" </dev/null && return
    done
    return 1
}

install_missing() {
    local package
    missing=()
    if ! command -v dpkg-query >/dev/null; then
        say "Not a Debian system: going on with what is here. Needed: ${packages[*]}"
        return
    fi
    for package in "${packages[@]}"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    say "Installing with apt-get: ${missing[*]}"
    apt update || echo "run.sh: apt-get update failed; trying with the lists at hand" >&2
    apt install -y --no-install-recommends "${missing[@]}" || die "could not install: ${missing[*]}"
}

# build NAME TARGETS CMAKE-ARGUMENT...: configures and builds .build/NAME. TARGETS is a string of words.
build() {
    local name=$1 targets=$2 launcher=() started=$SECONDS
    shift 2
    say "Building $name"
    command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    # shellcheck disable=SC2086
    cmake -G Ninja -S "$root" -B "$builds/$name" -DHADR_WERROR=ON -DCMAKE_UNITY_BUILD=ON "${launcher[@]}" "$@" >"$builds/$name.log" 2>&1 &&
        cmake --build "$builds/$name" -j "$jobs" ${targets:+--target $targets} >>"$builds/$name.log" 2>&1
    local result=$?
    if [ $result -ne 0 ]; then
        grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking|Creating)' "$builds/$name.log" | tail -n 80
        failures+=("build of $name")
    fi
    echo "$name: $((SECONDS - started)) s"
    return $result
}

# Directories of tests/ that exist, as ninja targets that build all that is in them.
test_folders() {
    local folder
    for folder in "$@"; do
        [ -f "$root/tests/$folder/CMakeLists.txt" ] && printf 'tests/%s/all ' "$folder"
    done
}

# Shows one line per test, figures at once, and the output of a test that did not pass.
show() {
    local line id
    local -A output=()
    while IFS= read -r line; do
        if [[ $line =~ ^([0-9]+):\ (figure\ .*)$ ]]; then
            printf '%s\n' "${BASH_REMATCH[2]}"
            output[${BASH_REMATCH[1]}]+=$line$'\n'
        elif [[ $line =~ ^([0-9]+):\  ]]; then
            output[${BASH_REMATCH[1]}]+=$line$'\n'
        elif [[ $line =~ ^\ *[0-9]+/[0-9]+\ Test\ +#([0-9]+): ]]; then
            id=${BASH_REMATCH[1]}
            printf '%s\n' "$line"
            [[ $line == *' Passed '* ]] || printf '%s' "${output[$id]-}"
            unset "output[$id]"
        elif [[ $line == *'tests passed,'* ]]; then
            printf '%s\n' "$line"
            cat
        fi
    done
}

# check NAME BUILD CTEST-ARGUMENT...: runs tests and keeps ctest's closing lines for the end.
check() {
    local name=$1 folder=$builds/$2 log=$builds/ctest-$1.log
    shift 2
    say "Testing $name"
    # Newer kernels randomise addresses more than the thread sanitizer of clang 14 bears.
    local fixed=()
    [ "$name" = thread ] && setarch "$(uname -m)" -R true 2>/dev/null && fixed=(setarch "$(uname -m)" -R)
    (cd "$folder" && "${fixed[@]}" ctest -V --no-tests=error "$@") </dev/null 2>&1 | tee "$log" | show
    [ "${PIPESTATUS[0]}" -eq 0 ] || failures+=("tests of $name")
    closing+=("$name:" "$(sed -n '/tests passed,/,$p' "$log" | grep -vE '^(Errors while|Output from|Use "--rerun)')")
    if grep -qE '\*\*\*(Skipped|Not Run)' "$log" && [ "${HADR_ALLOW_SKIP-}" != 1 ]; then
        failures+=("tests of $name were skipped (HADR_ALLOW_SKIP=1 allows it)")
    fi
}

finish() {
    local line
    say "Closing lines of ctest"
    printf '%s\n' "${closing[@]}"
    say "Figures"
    cat "$builds"/ctest-*.log 2>/dev/null | sed -nE 's/^[0-9]+: (figure [^ ]+ .*)$/\1/p' | sort -u
    [ -z "${minutes-}" ] || echo "figure tests_minutes $minutes"
    if [ ${#failures[@]} -gt 0 ]; then
        say "FAILED"
        printf '%s\n' "${failures[@]}"
        exit 1
    fi
    say "Passed"
}

install_missing
mkdir -p "$builds" && rm -f "$builds"/ctest-*.log || die "cannot write to $builds"
[ -w "${HOME-/nowhere}" ] || export CCACHE_DIR=${CCACHE_DIR-$builds/ccache}
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# Optimised as shipped, with assertions.
build gcc '' -DCMAKE_CXX_COMPILER=g++ -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_FLAGS_RELEASE=-O2 || finish
if [ $mode = quick ]; then
    check gcc gcc -j "$jobs" -LE '^(integration|consumer|benchmark|figures)$'
    finish
    exit
fi
check gcc gcc -j "$jobs" -LE '^(integration|figures)$'
# Of those that are not serial each waits most of the time.
check engines gcc -j $((2 * jobs)) -L '^integration$' -LE '^figures$'

# Fuzzed for longer where figures are asked for.
fuzz=(-DHADR_FUZZ_SECONDS=) # It would stay in the cache.
[ $mode = figures ] && fuzz=(-DHADR_FUZZ_SECONDS=60)
sanitized='^(unit|platform|vectors|property|runtime|conformance|fuzz|simulation|tds)$'
build address "$(test_folders unit platform vectors property runtime conformance fuzz simulation tds)" \
    -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1 -gline-tables-only' \
    -DHADR_SANITIZE=address,undefined -DHADR_EXAMPLES=OFF "${fuzz[@]}" &&
    check address address -j "$jobs" -L "$sanitized" -LE '^figures$'

# The same seeds give the same traces in a release and in a debug build (S3).
same_traces() {
    local one program=tests/simulation/hadr_simulation
    for one in gcc address; do
        "$builds/$one/$program" --hashes 1 200 >"$builds/traces-$one.txt" || failures+=("traces of $one")
    done
    cmp "$builds/traces-gcc.txt" "$builds/traces-address.txt" || failures+=("traces differ between builds")
}
if [ -x "$builds/address/tests/simulation/hadr_simulation" ]; then
    say "Comparing traces of a release and a debug build"
    same_traces
fi

threaded=(platform runtime)
[ $mode = figures ] && threaded=(platform runtime conformance tds)
build thread "$(test_folders "${threaded[@]}")" \
    -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1 -gline-tables-only' \
    -DHADR_SANITIZE=thread -DHADR_EXAMPLES=OFF &&
    check thread thread -j "$jobs" -L "^($(IFS="|" && echo "${threaded[*]}"))\$" -LE '^figures$'

minutes=$(awk -v s=$((SECONDS - began)) 'BEGIN { printf "%.1f", s / 60 }')
echo "figure tests_minutes $minutes"
if [ $mode = figures ]; then
    HADR_FIGURES=1 check figures gcc -L '^figures$'
fi
finish
