#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: embedded.sh PROGRAM
# Runs the embedded example twice: the second run finds what the first has committed.
set -eu
folder=$(mktemp -d "${TMPDIR:-/tmp}/hadr-embedded-XXXXXX")
trap 'rm -rf "$folder"' EXIT
for visit in 1 2; do
    said=$("$1" "$folder/visits.db")
    echo "$said"
    [ "$said" = "visit $visit of $folder/visits.db" ]
done
