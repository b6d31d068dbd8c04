#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: exports.sh COMPILER LIBRARY...
# A shared library exports names of hadr::v0 only, none of them from a private namespace, and what the
# standard library's own templates export by their visibility. Proved first on libraries that do more.
set -u
compiler=$1
shift
public='(vtable for |VTT for |typeinfo for |typeinfo name for |guard variable for |(non-virtual|virtual) thunk to |construction vtable for )?hadr::v0::'
private='core|runtime|platform|standalone|mirroring|availability_group|failover_cluster_instance|failover_cluster|postgresql|sql_server|detail'
standard='[VWu] (vtable for |typeinfo for |typeinfo name for |guard variable for )?(void |bool |auto |[a-z_:]+ )?(std|__gnu_cxx|__sanitizer|__asan|__ubsan|__tsan)'

leaks() {
    local library
    for library in "$@"; do
        nm -DC --defined-only "$library" | sed -E 's/^[0-9a-f]+ +//' |
            grep -vE "^$standard" |
            awk -v public="$public" -v private="$private" '{
                name = $0
                sub(/^[A-Za-z] /, "", name)
                own = name ~ ("^(.* )?" public) && name !~ ("^(.* )?" public "(" private ")::")
                if (!own) print name
            }' | sed "s#^#$(basename "$library"): #"
    done
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
number=0
plants() {
    number=$((number + 1))
    local library=$scratch/planted$number.so found
    "$compiler" -std=c++20 -O1 -fPIC -shared -fvisibility=hidden -o "$library" -x c++ - || exit 1
    found=$(leaks "$library")
    if [ "$1" = guilty ] && [ -z "$found" ]; then
        echo "exports: planted library $number was not found"
        exit 1
    elif [ "$1" = innocent ] && [ -n "$found" ]; then
        echo "exports: an innocent library was found: $found"
        exit 1
    fi
}
show='__attribute__((visibility("default")))'
plants guilty <<<"$show int stray() { return 1; }"
plants guilty <<<"extern \"C\" $show int stray() { return 1; }"
plants guilty <<<"namespace hadr { $show int stray() { return 1; } }"
plants guilty <<<"namespace fmt { template <class T> struct $show a { T f(T x) { return x; } }; template struct $show a<int>; }"
plants guilty <<<"namespace hadr::inline v0::core { struct $show a { virtual ~a(); }; a::~a() {} }"
plants innocent <<<"#include <string>
#include <vector>
namespace hadr::inline v0 { struct $show a { virtual ~a(); std::vector<std::string> b; }; a::~a() { b.push_back(\"x\"); }
namespace core { int c() { return 1; } } $show int d() { return core::c(); } template <class T> $show T e(T x) { return x; } template int e(int); }"

[ $# -gt 0 ] || { echo "exports: no library given"; exit 1; }
found=$(leaks "$@")
[ -z "$found" ] || { printf '%s\n' "$found" | sed 's/$/  <- exported, but not public/'; exit 1; }
echo "exports: proved on $number libraries; $# libraries export hadr::v0 only"
