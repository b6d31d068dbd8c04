#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: planted.sh PROGRAM CORPUS
# Passes when the fuzzer finds the crash that was planted in PROGRAM.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/found"
"$1" -max_total_time=90 -max_len=256 -artifact_prefix="$scratch/" "$scratch/found" "$2" >"$scratch/log" 2>&1
[ $? -ne 0 ] && grep -q 'deadly signal\|ERROR: libFuzzer' "$scratch/log" && ls "$scratch"/crash-* && exit
tail -n 20 "$scratch/log"
echo "The planted crash was not found."
exit 1
