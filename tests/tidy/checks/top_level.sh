# SPDX-License-Identifier: Apache-2.0
# What may lie at the top, and no script but the two commands outside of tests/ and examples/.
findings() {
    files | sed 's#/.*##' | sort -u |
        grep -vxE 'CMakeLists\.txt|include|lib|adapters|examples|tests|LICENSE|README\.md|CHANGELOG\.md|\..*' |
        sed 's#$#  <- the layout has no such name at the top#'
    files_in '\.(sh|py|pl)$' | grep -vE '^(tests|examples)/' | sed 's#$#  <- a script outside of tests/ and examples/#'
}

proof() {
    plants docs/guide.md <<<'text'
    plants CMakePresets.json <<<'{}'
    plants lib/generate.py <<<'pass'
    innocent lib/a.cpp <<<'int x;'
    innocent .ci/run <<<'bash tests/run.sh'
}
