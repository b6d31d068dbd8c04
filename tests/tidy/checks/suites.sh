# SPDX-License-Identifier: Apache-2.0
# Every suite of a folder of tests is one of ctest's (rulings 25): what nobody runs keeps no promise.
findings() {
    local folder
    files_in '^tests/[a-z_]+/[^/]*\.cpp$' | cut -d / -f 1,2 | sort -u | while IFS= read -r folder; do
        # Where no suite is named the programs are run as a whole.
        [ -f "$folder/CMakeLists.txt" ] && ! grep -q hadr_suites "$folder/CMakeLists.txt" && continue
        files_in "^$folder/.*\.cpp$" | xargs awk '
            FNR == 1 { depth = 0 }
            /^BOOST_AUTO_TEST_SUITE_END/ { --depth }
            sub(/^BOOST_(AUTO|FIXTURE)_TEST_SUITE\(/, "") { open = ++depth == 1 }
            open && match($0, /[A-Za-z0-9_]+/) {
                open = 0
                print substr($0, RSTART, RLENGTH) "\t" FILENAME ":" FNR
            }' | sort |
            join -t "$(printf '\t')" -v 1 - \
                <(cat "$folder/CMakeLists.txt" 2>/dev/null | grep -oE '[A-Za-z0-9_./]+' | sort -u) |
            sed -E "s#^([^\t]+)\t(.*)#\2: the suite \1 is none of ctest's#"
    done
}

proof() {
    plants tests/unit/a.cpp <<<'BOOST_AUTO_TEST_SUITE(forgotten)'
    plants tests/unit/a.cpp <<<'BOOST_FIXTURE_TEST_SUITE(forgotten, fixture, *label("C30"))'
    plants tests/unit/a.cpp <<<$'BOOST_FIXTURE_TEST_SUITE(\n    forgotten, fixture\n)'
    innocent tests/unit/a.cpp <<<'BOOST_AUTO_TEST_CASE(of_a_suite)'
}
