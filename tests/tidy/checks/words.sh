# SPDX-License-Identifier: Apache-2.0
# First lines, paths of one machine, and words that promise a later. Patterns and samples are written
# so that they do not match themselves.
text='\.(cpp|hpp|h|c|sh|cmake|awk|in|py|txt|md|yml)$|(^|/)(CMakeLists\.txt|run)$'
code='\.(cpp|hpp|sh|awk|cmake|in)$|(^|/)(CMakeLists\.txt|run)$'

first_lines() {
    xargs -r awk '
        function judge() {
            if (last != "" && !licensed) print last ":1: the first line is not the licence'"'"'s"
            if (last ~ /\.hpp$/ && !once) print last ":2: not #pragma once"
        }
        FNR == 1 { judge(); last = FILENAME; licensed = 0; once = 0 }
        FNR <= 2 && /^(\/\/|#) SPDX-License-Identifier: Apache-2\.0$/ { licensed = 1 }
        FNR == 2 && /^#pragma once$/ { once = 1 }
        END { judge() }'
}

findings() {
    files_in "$code" | first_lines
    files_in "$text" | grep -v '^LICENSE' |
        lines_with '/w[o]rk/|/h[o]me/[a-z]|/r[o]ot/|/U[s]ers/|/\.libr[a]ry|/tmp/br[i]ef' 'a path of one machine'
    files_in "$text" | grep -v '^LICENSE' |
        lines_with '\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b|not (yet )?impl[e]mented|for n[o]w\b|placeh[o]lder|simpl[i]fied' 'finish it or leave it out' -i
    files_in "$text" | grep -v '^LICENSE' | lines_with '[[:blank:]]+$' 'blanks at the end'
    files_in '\.sh$|^\.ci/run$' | while IFS= read -r path; do
        bash -n "$path" 2>&1
    done
}

proof() {
    plants lib/a.cpp <<<'int x;'
    plants lib/a.hpp <<<'// SPDX-License-Identifier: Apache-2.0'
    plants tests/a.sh <<<'echo no licence'
    plants README.md <<<'See /w''ork/main for more.'
    plants README.md <<<'This is a TO''DO.'
    plants README.md <<<'A simpli''fied model.'
    plants README.md <<<'blank at the end '
    plants tests/b.sh <<<$'# SPDX-License-Identifier: Apache-2.0\nif true'
    innocent README.md <<<'The work of a placebo.'
    innocent lib/a.cpp <<<'// SPDX-License-Identifier: Apache-2.0'
}
