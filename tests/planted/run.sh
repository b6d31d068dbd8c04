#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: run.sh [NAME...] | --applies
# Plants each bug (NAME.patch beside this file; all without a NAME) into a copy of the sources and
# expects that the test it names turns red. Proves first that all these tests are green without a
# bug. Prints a table and two figures; leaves nothing behind.
#
#   --applies   only: every patch fits the tree, names its test, and the rules are all covered
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
lanes=${HADR_LANES-2}
# Rules of commit truth, epochs, pool and time that the code keeps, one bug for each at least. C3, C9
# and C10 are about forced outcomes, of which the code has none.
rules='C1 C2 C4 C5 C6 C7 C8 E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 T1 T2 T3 T4'

# field PATCH KEY: what stands behind "KEY: " in the lines before the difference.
field() {
    local line
    while IFS= read -r line && [[ $line != '--- '* ]]; do
        [[ $line == "$2: "* ]] && { printf '%s\n' "${line#*: }"; return; }
    done <"$1"
}

fits() {
    patch --directory="$1" -p1 --fuzz=0 --force --silent --no-backup-if-mismatch --reject-file=- "${@:2}"
}

applies() {
    local one key id covered=' ' failed=0
    # All at once, since a process for each would take longer than the check may; then to find which.
    if ! cat "$here"/*.patch | fits "$root" --dry-run >/dev/null 2>&1; then
        failed=1
        for one in "$here"/*.patch; do
            fits "$root" --dry-run <"$one" >/dev/null 2>&1 ||
                echo "planted: ${one##*/} no longer fits: plant its bug in the code as it is now"
        done
    fi
    for one in "$here"/*.patch; do
        local bug='' breaks='' test='' line removed=0 added=0
        while IFS= read -r line; do
            case $line in
                'Bug: '*) bug=${line#*: } ;;
                'Breaks: '*) breaks=${line#*: } ;;
                'Test: '*) test=${line#*: } ;;
                '--- a/lib/'* | '--- a/adapters/'*) ;;
                '+++ '*) ;;
                -*) removed=$((removed + 1)) ;;
                +*) added=$((added + 1)) ;;
            esac
        done <"$one"
        if [ -z "$bug" ] || [ -z "$breaks" ] || [ $removed -gt 1 ] || [ $added -gt 1 ] ||
            ! [[ $test =~ ^(unit|runtime|conformance|simulation)\ . ]]; then
            echo "planted: ${one##*/} needs Bug:, Breaks:, Test: and one changed line of lib/ or adapters/"
            failed=1
        fi
        covered+="$breaks "
    done
    for id in $rules; do
        [[ $covered == *" $id "* ]] || { echo "planted: no bug breaks $id"; failed=1; }
    done
    return $failed
}

# program TEST: the program that has the test, as a target and below the build folder.
program() {
    case $1 in
        unit\ *) echo hadr_unit ;;
        runtime\ *) echo hadr_runtime_tests ;;
        conformance\ *) echo hadr_conformance_tests ;;
        simulation\ [0-9]*) echo hadr_simulation ;;
        simulation\ *) echo hadr_simulation_tests ;;
    esac
}

# run LANE SECONDS TEST: the exit code of the test; 124 if it was still running.
run() {
    local kind=${3%% *} what=${3#* } words
    words=("--run_test=$what" --color_output=no)
    # shellcheck disable=SC2206
    [[ $what == [0-9]* ]] && words=(--seeds $what)
    timeout -k 1 "$2" "$1/build/tests/$kind/$(program "$3")" "${words[@]}" </dev/null >"$1/run.log" 2>&1 &
    working=$!
    wait "$working"
}

build() {
    CCACHE_BASEDIR=$1 CCACHE_NOHASHDIR=1 cmake --build "$1/build" -j "$2" --target "${@:3}" >"$1/build.log" 2>&1
}

prepare() {
    local lane=$1 launcher=()
    shift
    mkdir "$lane" && cp -R "$root"/{CMakeLists.txt,include,lib,adapters,tests} "$lane" || return
    command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    cmake -G Ninja -S "$lane" -B "$lane/build" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 \
        -DBUILD_SHARED_LIBS=OFF -DHADR_EXAMPLES=OFF -DHADR_INSTALL=OFF "${launcher[@]}" >"$lane.log" 2>&1 &&
        build "$lane" "$lanes" "$@" && return
    tail -n 40 "$lane.log" "$lane/build.log"
    return 1
}

# prove TEST, plant NAME: what a lane does, each in a process of its own.
prove() {
    local lane=$scratch/$lane_number code
    run "$lane" 300 "$1"
    code=$?
    [ $code -eq 0 ] && return
    printf '%s' "planted: '$1' is not green without a bug ($code), so that it proves nothing"$'\n'
    tail -n 20 "$lane/run.log"
    echo "$1" >>"$scratch/unproved"
}

plant() {
    local lane=$scratch/$lane_number patch=$here/$1.patch began=$EPOCHREALTIME limit=120
    local test hangs path code said
    test=$(field "$patch" Test)
    hangs=$(field "$patch" Hangs)
    [ -z "$hangs" ] || limit=5
    path=$(sed -n 's#^--- a/##p' "$patch")
    cp "$lane/$path" "$lane/before"
    if ! fits "$lane" <"$patch" >/dev/null 2>&1; then
        said='no longer fits'
    elif ! build "$lane" 1 "$(program "$test")"; then
        said='does not compile'
        tail -n 20 "$lane/build.log"
    else
        run "$lane" $limit "$test"
        code=$?
        said=caught
        [ $code -ne 0 ] || said=MISSED
        [ $code -ne 77 ] || said=SKIPPED
        [ $code -ne 124 ] || [ -n "$hangs" ] || said='test hangs'
    fi
    cp "$lane/before" "$lane/$path"
    printf '%-16s %-40s %6.1f s  %-7s %s\n' "$said" "$1" \
        "$((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}))e-6" "$(field "$patch" Breaks)" "$test" | tee -a "$scratch/table"
}

# each WHAT: one word per line from standard input, on whichever lane is free.
each() {
    set -m
    xargs -d '\n' -n 1 -P "$lanes" --process-slot-var=lane_number bash "$here/run.sh" "--$1" "$scratch" &
    working=$!
    wait "$working"
    working=
    set +m
}

working=
case ${1-} in
    --applies) applies; exit ;;
    --prove | --plant)
        scratch=$2
        trap 'kill $working 2>/dev/null; exit 130' INT TERM
        "${1#--}" "$3"
        exit
        ;;
    -*) sed -n '3,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac

least=0
[ $# -gt 0 ] || { set -- "$here"/*.patch; least=40; }
names=() tests=() targets=()
for one; do
    one=${one##*/}
    one=${one%.patch}
    [ -f "$here/$one.patch" ] || { echo "planted: there is no $one.patch"; exit 2; }
    test=$(field "$here/$one.patch" Test)
    names+=("$one")
    tests+=("$test")
    targets+=("$(program "$test")")
done

scratch=$(mktemp -d) || exit 1
# The lanes may still be writing for a moment after they were told to end.
leave() {
    [ -z "$working" ] || kill -- "-$working"
    until rm -rf "$scratch"; do sleep 0.1; done
} 2>/dev/null
trap leave EXIT
trap 'exit 130' INT TERM
mapfile -t targets < <(printf '%s\n' "${targets[@]}" | sort -u)
for ((lane = 0; lane < lanes; ++lane)); do
    prepare "$scratch/$lane" "${targets[@]}" || exit 1
done
echo "planted: built in $SECONDS s"
each prove < <(printf '%s\n' "${tests[@]}" | sort -u)
[ ! -f "$scratch/unproved" ] || exit 1
echo "planted: the tests are green without a bug, after $SECONDS s"
each plant < <(printf '%s\n' "${names[@]}")
caught=$(grep -c '^caught' "$scratch/table")
echo "figure planted_bugs ${#names[@]}"
echo "figure planted_bugs_missed $((${#names[@]} - caught))"
echo "planted: after $SECONDS s; one by hand: bash tests/planted/run.sh NAME"
[ ${#names[@]} -ge $least ] || echo "planted: fewer than $least bugs"
[ "$caught" -eq ${#names[@]} ] && [ ${#names[@]} -ge $least ]
