#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: fuzz.sh NAME SECONDS PROGRAM CORPUS COUNTS
# Fuzzes for that time, from the corpus, and prints how many inputs were tried and what they covered. Writes the
# number of inputs and of crashes to COUNTS/fuzz.NAME.
set -u
name=$1 seconds=$2 program=$3 corpus=$4 counts=$5
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/found"

"$program" -max_total_time="$seconds" -max_len=1024 -timeout=10 -print_final_stats=1 -artifact_prefix="$scratch/" \
    "$scratch/found" "$corpus" >"$scratch/log" 2>&1
result=$?
grep -v '^#' "$scratch/log" | tail -n 60
crashes=0
for crash in "$scratch"/{crash,leak,timeout,oom}-*; do
    [ -e "$crash" ] && { crashes=$((crashes + 1)); echo "The input, in base64:"; base64 "$crash"; }
done
inputs=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)$/\1/p' "$scratch/log")
edges=$(sed -nE 's/^#[0-9]+.* cov: ([0-9]+) .*/\1/p' "$scratch/log" | tail -n 1)
echo "figure fuzz_inputs_$name ${inputs:-0}"
echo "figure fuzz_edges_$name ${edges:-0}"
mkdir -p "$counts" && echo "${inputs:-0} $crashes" >"$counts/fuzz.$name"
[ "$result" -eq 0 ] && [ "${inputs:-0}" -gt 0 ] && [ "${edges:-0}" -gt 0 ]
