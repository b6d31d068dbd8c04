# SPDX-License-Identifier: Apache-2.0
# Every label of a test names a rule that exists (rule_ids.txt), and a test that has labels has them in
# a form that --run_test=@ID finds.
findings() {
    files_in '^tests/.*\.(cpp|hpp)$' | xargs -r grep -noHE '\b(label|rule)\("[^"]*"\)' -- /dev/null |
        awk -F'"' '
            NR == FNR { known[$0] = 1; next }
            !($2 in known) {
                sub(/(label|rule)\($/, "", $1)
                print $1 " " $2 " is no rule (tests/tidy/rule_ids.txt)"
            }' "$here/rule_ids.txt" -
}

proof() {
    plants tests/unit/a.cpp <<<'BOOST_AUTO_TEST_CASE(claim, *boost::unit_test::label("C99")) {}'
    plants tests/unit/a.cpp <<<'BOOST_AUTO_TEST_CASE(claim, *label("C30") * label("C-30")) {}'
    innocent tests/unit/a.cpp <<<'BOOST_AUTO_TEST_CASE(claim, *label("C30") * rule("P11")) {}'
}
