# SPDX-License-Identifier: Apache-2.0
# clang-format would change nothing.
command -v clang-format >/dev/null || { echo "skipped: clang-format is not installed"; exit 77; }

findings() {
    [ -f .clang-format ] || cp "$root/.clang-format" .
    files_in '\.(cpp|hpp)$' | xargs -r clang-format --dry-run -Werror --style=file 2>&1 |
        grep -E 'error:|warning:'
}

proof() {
    plants lib/a.cpp <<<'int  x ;'
    plants lib/b.cpp <<<'void b(int *x) { return; }'
    innocent lib/c.cpp <<<'int x = 0;'
}
