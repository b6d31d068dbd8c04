# SPDX-License-Identifier: Apache-2.0
# C++ text without comments and without the contents of string and character literals. An #include
# keeps its name. Writes a file of the same path below `into` for each file read.
function raw_end(text, from,    at) {
    at = index(substr(text, from), closer)
    return at ? from + at + length(closer) - 1 : 0
}
FNR == 1 {
    if (copy != "") close(copy)
    copy = into "/" FILENAME
    mode = ""
}
{
    line = $0
    out = ""
    i = 1
    if (mode == "" && line ~ /^[ \t]*#[ \t]*include/) {
        sub(/[ \t]*\/\/.*/, "", line)
        print line > copy
        next
    }
    while (i <= length(line)) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (mode == "comment") {
            if (two == "*/") { mode = ""; i += 2 } else i++
        } else if (mode == "raw") {
            at = raw_end(line, i)
            if (at) { mode = ""; out = out "\""; i = at } else break
        } else if (mode == "string" || mode == "char") {
            quote = mode == "string" ? "\"" : "'"
            if (c == "\\") i += 2
            else { if (c == quote) { mode = ""; out = out quote } i++ }
        } else if (two == "//") {
            break
        } else if (two == "/*") {
            mode = "comment"; i += 2
        } else if (c == "\"") {
            out = out c
            if (substr(line, i - 1, 1) == "R" && match(substr(line, i), /^"[^(]*\(/)) {
                closer = ")" substr(line, i + 1, RLENGTH - 2) "\""
                mode = "raw"; i += RLENGTH
            } else { mode = "string"; i++ }
        } else if (c == "'" && substr(line, i - 1, 1) !~ /[0-9a-zA-Z]/) {
            out = out c; mode = "char"; i++
        } else { out = out c; i++ }
    }
    if (mode == "string" || mode == "char") mode = ""
    print out > copy
}
