#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: example.sh PROGRAM
# The example of a test that kills the primary takes less than 50 ms, its start included: of the processor, and
# the best of several runs, so that a busy machine does not fail it.
set -u
export LC_ALL=C
TIMEFORMAT='%3U %3S'
best=
for _ in 1 2 3 4 5 6 7; do
    took=$({ time "$1" --color_output=no >/dev/null 2>&1; } 2>&1) || { echo "example: it fails"; exit 1; }
    took=$(awk '{ print int(($1 + $2) * 1000 + 0.5) }' <<<"$took")
    [ -n "$best" ] && [ "$best" -le "$took" ] || best=$took
done
echo "figure example_ms $best"
[ "$best" -le 50 ]
