# SPDX-License-Identifier: Apache-2.0
# Files of 500 lines, public headers of 200, functions of 60 with four parameters, at most. The demo is
# exempt from the length of functions.
findings() {
    local list
    list=$(files_in '\.(cpp|hpp)$')
    [ -n "$list" ] || return
    xargs -r wc -l <<<"$list" | while read -r lines path; do
        case $path in
            total) continue ;;
            include/*) most=200 ;;
            *) most=500 ;;
        esac
        [ "$lines" -le "$most" ] || echo "$path: $lines lines; at most $most"
    done
    (cd "$(bare)" && xargs -r awk -f "$here/functions.awk" <<<"$list")
}

lines() {
    local i
    for ((i = 0; i < $1; i++)); do echo "    step($i);"; done
}

proof() {
    plants lib/a.cpp < <(lines 501)
    plants include/hadr/a.hpp < <(lines 201)
    plants lib/b.cpp < <(echo 'void run(int x) {'; lines 59; echo '}')
    plants lib/c.cpp < <(echo 'namespace a { class b { void run() const {'; lines 60; echo '} }; }')
    plants lib/d.cpp < <(echo 'a::a(int x)'; echo '    : x_{x} {'; lines 60; echo '}')
    plants tests/e.cpp < <(echo 'BOOST_AUTO_TEST_CASE(claim) {'; lines 60; echo '}')
    plants lib/f.cpp <<<'void f(int a, int b, int c, int d, int e) {}'
    plants include/hadr/g.hpp <<<'void g(int a, int b, std::map<int, int> c, int d, int e);'
    plants lib/m.cpp < <(echo 'bool a::operator==(const a& b) const {'; lines 60; echo '}')
    innocent tests/o.cpp <<<'SQLRETURN SQLSetStmtAttr(int a, int b, int c, int d, int e) {}'
    innocent lib/n.hpp < <(echo '// padding'; echo 'struct alignas(64) n {'; lines 70 | sed 's/step(/int x(/'; echo '};')
    innocent lib/h.cpp < <(echo 'void run(int x) {'; lines 58; echo '}')
    innocent lib/i.cpp < <(echo 'const int table[] = {'; lines 100; echo '};')
    innocent lib/j.cpp <<<'std::map<int, std::tuple<a, b, c, d>> j(std::function<void(int, int)> x, int y) {}'
    innocent examples/demo/k.cpp < <(echo 'void run(int x) {'; lines 70; echo '}')
    innocent tests/l.cpp <<<'BOOST_AUTO_TEST_CASE(claim, *label(1) * label(2) * label(3), 4, 5, 6) {}'
}
