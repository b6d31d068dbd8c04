#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: tidy.sh CHECK ROOT
# Runs one check of tests/tidy/checks over the tree at ROOT, after the check has proved itself: it must
# find every violation that it plants, and nothing in what it calls innocent.
#
# A check defines two functions. `findings` runs inside a tree and prints one line per violation;
# `proof` calls `plants PATH` and `innocent PATH` with a file's text on standard input.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
check=$1
root=$(cd "$2" && pwd) || exit 1
seen=0
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Paths below the current folder: what git tracks or would, else all that is there.
files() {
    local list=$scratch/files$PWD/list
    if [ ! -f "$list" ]; then
        mkdir -p "$(dirname "$list")"
        git ls-files -co --exclude-standard -- . 2>/dev/null | while IFS= read -r path; do
            [ -f "$path" ] && printf '%s\n' "$path"
        done | sort -u >"$list"
        [ -s "$list" ] ||
            find . \( -path ./.git -o -path './.build' \) -prune -o -type f -print | sed 's#^\./##' |
            sort -u >"$list"
    fi
    cat "$list"
}

# files_in PATTERN: those whose path matches an extended regular expression.
files_in() {
    files | grep -E -- "$1"
}

# bare: names a copy of the tree without comments and without the contents of literals; lines keep
# their numbers, files their paths.
bare() {
    local copy=$scratch/bare$PWD
    if [ ! -d "$copy" ]; then
        mkdir -p "$copy"
        files | sed -n 's#/[^/]*$##p' | sort -u | (cd "$copy" && xargs -r mkdir -p)
        files_in '\.(cpp|hpp|h|in)$' | xargs -r awk -v into="$copy" -f "$here/bare.awk" --
    fi
    printf '%s\n' "$copy"
}

# lines_with PATTERN WHY [GREP-OPTION...]: reads paths, prints each line that matches.
lines_with() {
    local pattern=$1 why=$2
    shift 2
    xargs -r grep -nHE "$@" -e "$pattern" -- /dev/null | sed "s#\$#  <- $why#"
}

# forbid PATTERN WHY: reads paths, prints each line of bare text that matches.
forbid() {
    local list
    list=$(grep -E '\.(cpp|hpp|h|in)$')
    [ -z "$list" ] || (cd "$(bare)" && lines_with "$1" "$2" <<<"$list")
}

in_new_tree() {
    local tree=$scratch/tree$seen
    mkdir -p "$tree/$(dirname "$1")"
    cat >"$tree/$1"
    (cd "$tree" && findings)
}

# Samples of C++ share two trees, since a run of a check costs far more than a file; each has a name
# of its own there. The others have each a tree to themselves.
in_shared_tree() {
    local path=$2
    [ ! -e "$scratch/$1/$path" ] || path=${2%.*}$seen.${2##*.}
    mkdir -p "$scratch/$1/$(dirname "$path")"
    cat >"$scratch/$1/$path"
    printf '%s\n' "$path" >>"$scratch/$1.list"
}

plants() {
    seen=$((seen + 1))
    if [[ $1 == *.[ch]pp ]]; then
        in_shared_tree planted "$1"
    elif [ -z "$(in_new_tree "$1")" ]; then
        echo "$check: the violation planted in $1 (number $seen) was not found"
        failed=1
    fi
}

innocent() {
    local found
    seen=$((seen + 1))
    if [[ $1 == *.[ch]pp ]]; then
        in_shared_tree innocent "$1"
        return
    fi
    found=$(in_new_tree "$1")
    if [ -n "$found" ]; then
        echo "$check: found something in innocent text (number $seen): $found"
        failed=1
    fi
}

judge_shared_trees() {
    local found path
    if [ -d "$scratch/planted" ]; then
        found=$(cd "$scratch/planted" && findings)
        while IFS= read -r path; do
            [[ $found == *"$path"* ]] && continue
            echo "$check: the violation planted in $path was not found"
            failed=1
        done <"$scratch/planted.list"
    fi
    [ -d "$scratch/innocent" ] || return
    found=$(cd "$scratch/innocent" && findings)
    if [ -n "$found" ]; then
        echo "$check: found something in innocent text: $found"
        failed=1
    fi
}

. "$here/checks/$check.sh"
proof
judge_shared_trees
[ "$seen" -gt 0 ] || { echo "$check: planted nothing"; exit 1; }
[ "$failed" -eq 0 ] || exit 1

cd "$root" || exit 1
[ -n "$(files_in '\.(cpp|hpp)$')" ] || { echo "$check: no source file below $root"; exit 1; }
found=$(findings)
[ -z "$found" ] || { printf '%s\n' "$found"; exit 1; }
echo "$check: proved on $seen samples; nothing found"
