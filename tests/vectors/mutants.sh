#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: mutants.sh CXX
# Proves that each vector can fail (rulings 23): into a copy of core and adapters it plants many
# mutants, each of which turns one condition round, and runs all vectors against each. A mutant that
# fails nine tenths of them says nothing of any; each vector must be failed by another one.
set -u
export LC_ALL=C.UTF-8
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# All mutants in one build: HADR_MUTANT says which one is awake.
cat >"$scratch/mutants.hpp" <<'EOF'
#pragma once
#include <cstdlib>
namespace hadr_mutants {
inline const int awake = [] {
    const char* const chosen = std::getenv("HADR_MUTANT");
    return chosen == nullptr ? 0 : std::atoi(chosen);
}();
constexpr bool flip(int mutant, bool condition) {
    return __builtin_is_constant_evaluated() ? condition : (mutant == awake) != condition;
}
}
EOF

# plant FIRST: conditions of one line become mutants, numbered from FIRST; a last line tells how many.
plant() {
    awk -v n="$1" '
        function balanced(text,    i, c, depth) {
            depth = 0
            for (i = 1; i <= length(text); ++i) {
                c = substr(text, i, 1)
                if (c == "(") ++depth
                if (c == ")" && --depth < 0) return 0
            }
            return depth == 0
        }
        # Whether it compares or combines outside of all parentheses, so that it is a bool.
        function compares(text,    outside) {
            outside = text
            while (gsub(/\([^()]*\)/, "", outside) > 0);
            return outside ~ / (==|!=|<|>|<=|>=|&&|\|\|) /
        }
        function flip(condition) {
            return "hadr_mutants::flip(" ++n ", static_cast<bool>(" condition "))"
        }
        # The whole, and each part that it combines outside of all parentheses.
        function flipped(condition,    i, c, depth, part, made, two) {
            depth = 0; part = ""; made = ""
            for (i = 1; i <= length(condition); ++i) {
                c = substr(condition, i, 1)
                two = substr(condition, i, 4)
                if (depth == 0 && (two == " && " || two == " || ")) {
                    made = made flip(part) two
                    part = ""
                    i += 3
                    continue
                }
                if (c == "(" || c == "[") ++depth
                if (c == ")" || c == "]") --depth
                part = part c
            }
            return flip(made == "" ? part : made flip(part))
        }
        match($0, /^ *(\} )?(else )?if \(/) && /\)( \{)?$/ {
            head = substr($0, 1, RLENGTH)
            rest = substr($0, RLENGTH + 1)
            tail = rest ~ /\) \{$/ ? ") {" : ")"
            condition = substr(rest, 1, length(rest) - length(tail))
            begin = ""
            if (match(condition, /^.*; /)) {
                begin = substr(condition, 1, RLENGTH)
                condition = substr(condition, RLENGTH + 1)
            }
            if (begin !~ /[{}]/ && condition !~ / = / && balanced(begin condition)) {
                print head begin flipped(condition) tail
                next
            }
        }
        match($0, /^ *(return|const bool [a-z_]+ =) /) && /;$/ {
            head = substr($0, 1, RLENGTH)
            condition = substr($0, RLENGTH + 1, length($0) - RLENGTH - 1)
            if (condition !~ /[?{"]/ && (head ~ /bool/ || compares(condition)) && balanced(condition)) {
                print head flipped(condition) ";"
                next
            }
        }
        { print }
        END { print n >"/dev/stderr" }'
}

cp -R "$root"/{CMakeLists.txt,include,lib,adapters,tests} "$scratch" || exit 1
mutants=0
while IFS= read -r file; do
    mutants=$(plant "$mutants" <"$root/$file" 2>&1 >"$scratch/$file") || exit 1
done < <(cd "$root" && find lib/core adapters -name '*.[ch]pp' | sort)

cmake -G Ninja -S "$scratch" -B "$scratch/build" -DCMAKE_CXX_COMPILER="$1" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS="-O1 -include $scratch/mutants.hpp" -DCMAKE_CXX_FLAGS_DEBUG='' -DCMAKE_UNITY_BUILD=ON \
    -DHADR_EXAMPLES=OFF -DHADR_INSTALL=OFF >"$scratch/log" 2>&1 &&
    cmake --build "$scratch/build" -j "$(nproc)" --target hadr_vectors >"$scratch/log" 2>&1 ||
    { tail -n 40 "$scratch/log"; exit 1; }

# run MUTANT FILE: the names of the vectors it fails go to FILE. It may crash or hang.
run() {
    HADR_MUTANT=$1 timeout -k 1 5 "$scratch/build/tests/vectors/hadr_vectors" "$here" "$root/tests/tidy/rule_ids.txt" \
        --failed "$2" --log_level=nothing --report_level=no --catch_system_errors=no </dev/null >/dev/null 2>&1
}

run 0 "$scratch/none" && [ ! -s "$scratch/none" ] || { echo "mutants: the vectors fail where no mutant is awake"; exit 1; }
mkdir "$scratch/failed"
export -f run
export scratch here root
seq "$mutants" | xargs -P "$(nproc)" -I{} bash -c 'run {} "$scratch/failed/{}"; exit 0' 2>/dev/null

for file in "$here"/*.json; do
    suite=$(basename "$file" .json)
    sed -nE "s/^\{\"name\": \"([^\"]*)\".*/$suite: \1/p" "$file"
done | sort >"$scratch/all"
all=$(wc -l <"$scratch/all")
killers=()
for file in "$scratch"/failed/*; do
    count=$(wc -l <"$file")
    [ "$count" -gt 0 ] && [ "$count" -le $((all * 9 / 10)) ] && killers+=("$file")
done
[ ${#killers[@]} -gt 0 ] || { echo "mutants: not one fails a vector"; exit 1; }
sort -u "${killers[@]}" | comm -23 "$scratch/all" - >"$scratch/never"
sed 's/^/never failed: /' "$scratch/never"
never=$(wc -l <"$scratch/never")
echo "figure vector_mutants $mutants"
echo "figure vector_mutants_that_tell ${#killers[@]}"
echo "figure vectors_failed_by_a_mutant $((all - never))"
echo "figure vectors_never_failed $never"
[ "$never" -eq 0 ]
