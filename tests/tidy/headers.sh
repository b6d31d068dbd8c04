#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: headers.sh CMAKE GENERATOR COMPILER BUILD
# Every installed header compiles alone. Proved first on a library whose header does not.
set -u
cmake=$1
generator=$2
compiler=$3
build=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/include"
echo 'inline std::string planted() { return {}; }' >"$scratch/include/planted.hpp"
echo 'int planted;' >"$scratch/planted.cpp"
cat >"$scratch/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.24)
project(planted CXX)
add_library(planted STATIC planted.cpp)
target_sources(planted PUBLIC FILE_SET HEADERS BASE_DIRS include FILES include/planted.hpp)
set_target_properties(planted PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
EOF
"$cmake" -G "$generator" -DCMAKE_CXX_COMPILER="$compiler" -S "$scratch" -B "$scratch/build" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log"; exit 1; }
if "$cmake" --build "$scratch/build" --target all_verify_interface_header_sets >"$scratch/log" 2>&1; then
    echo "headers: the planted header, which needs <string>, was accepted"
    exit 1
fi
grep -q 'planted.hpp' "$scratch/log" || { cat "$scratch/log"; exit 1; }
"$cmake" --build "$build" --target all_verify_interface_header_sets
