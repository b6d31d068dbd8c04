#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: total.sh COUNTS TEST...
# Adds up what the tests of this run have counted, takes the counts away, and prints the sums as figures. Fails
# where one of them has counted nothing, or all together less than a million.
set -u
counts=$1 inputs=0 crashes=0 missing=0
shift
for test in "$@"; do
    if read -r some bad 2>/dev/null <"$counts/$test"; then
        inputs=$((inputs + some)) crashes=$((crashes + bad))
    else
        echo "$test has counted nothing"
        missing=1
    fi
done
rm -rf "$counts"
echo "figure fuzz_inputs $inputs"
echo "figure fuzz_crashes $crashes"
[ "$inputs" -ge 1000000 ] || echo "fuzzed with $inputs inputs, of 1000000 at least"
[ "$missing" -eq 0 ] && [ "$crashes" -eq 0 ] && [ "$inputs" -ge 1000000 ]
