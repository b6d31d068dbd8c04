# SPDX-License-Identifier: Apache-2.0
# Every source file is named in a CMakeLists.txt: a test that nobody builds keeps no promise.
findings() {
    local named
    # Every word of them, with and without its ending.
    named=$(files_in '(^|/)CMakeLists\.txt$' | xargs -r cat | grep -oE '[A-Za-z0-9_.-]+' | sed 'p; s/\.cpp$//' | sort -u)
    files_in '\.cpp$' | awk -F/ '{ stem = $NF; sub(/\.cpp$/, "", stem); print stem "\t" $0 }' | sort |
        join -t "$(printf '\t')" -v 1 - <(sort <<<"$named") | cut -f 2 | sed 's#$#: in no CMakeLists.txt#'
}

proof() {
    plants tests/unit/forgotten.cpp <<<'int x;'
    innocent tests/unit/CMakeLists.txt <<<'hadr_test_program(hadr_unit main.cpp)'
}
