# SPDX-License-Identifier: Apache-2.0
# README.md shows the first program as it is compiled, its links lead somewhere, and the version is
# the same everywhere.
between() {
    sed -n "/<!-- $1:begin -->/,/<!-- $1:end -->/p" README.md | sed '/^<!--/d; /^```/d'
}

findings() {
    if [ -f README.md ]; then
        if grep -q 'first_program:begin' README.md; then
            diff <(between first_program) <(sed 1d examples/first_program.cpp 2>&1 || echo missing) 2>&1 |
                sed 's#^#README.md against examples/first_program.cpp: #'
        fi
        grep -oE '\]\([^)#:]+\)' README.md | sed 's/^](//; s/)$//' | while IFS= read -r link; do
            [ -e "$link" ] || echo "README.md: $link is not there"
        done
    fi
    [ -f CMakeLists.txt ] || return
    local version major minor patch
    version=$(sed -nE 's/^project\(hadr VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
    IFS=. read -r major minor patch <<<"$version"
    for part in "MAJOR $major" "MINOR $minor" "PATCH $patch"; do
        grep -q "^#define HADR_VERSION_$part\$" include/hadr/version.hpp 2>/dev/null ||
            echo "include/hadr/version.hpp: not HADR_VERSION_$part"
    done
    grep -qE "^## $version( |\$)" CHANGELOG.md 2>/dev/null || echo "CHANGELOG.md: has no section '## $version'"
}

proof() {
    plants README.md <<<$'<!-- first_program:begin -->\nint main() {}\n<!-- first_program:end -->'
    plants README.md <<<'See [the guide](docs/guide.md).'
    plants CMakeLists.txt <<<'project(hadr VERSION 0.1.0 LANGUAGES CXX'
    innocent README.md <<<'See [itself](README.md) and [the web](https://example.org).'
}
