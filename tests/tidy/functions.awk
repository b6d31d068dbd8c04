# SPDX-License-Identifier: Apache-2.0
# Functions that are too long or take too much, in bare C++ text (see bare.awk). A brace opens a scope
# (namespace, class), a function (something with parentheses, at scope level) or anything else.
function kind(text) {
    gsub(/template *<[^{]*> */, "", text)
    gsub(/alignas *\([^)]*\)|__attribute__ *\(\([^)]*\)\)|\[\[[^\]]*\]\]/, "", text)
    gsub(/operator *(\( *\)|[^(]*)/, "call", text)
    if (text !~ /\(/)
        return text ~ /(^|[ \t])(namespace|class|struct|union|enum|extern)([ \t]|$)/ ? "scope" : "other"
    return text ~ /^[^(]*=/ ? "other" : "function"
}
# Parameters in the first parentheses outside of angle brackets; 0 for macros.
function parameters(text,    i, c, angle, depth, started, commas, any) {
    gsub(/operator *\( *\)/, "call", text)
    gsub(/operator *(<=>|<<|>>|<=|>=|->|<|>)/, "op", text)
    gsub(/->/, " ", text)
    gsub(/(noexcept|explicit|alignas|decltype|__attribute__) *\(/, "(", text)
    if (match(text, /[A-Za-z_0-9]+ *\(/) && substr(text, RSTART, RLENGTH) ~ /^[A-Z][A-Z_0-9]+ *\($/)
        return 0
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "<") angle++
        else if (c == ">") { if (angle > 0) angle-- }
        else if (c == "(" || c == "[" || c == "{") { if (c == "(" && angle == 0) started = 1; depth++ }
        else if (c == ")" || c == "]" || c == "}") { depth--; if (started && depth == 0) break }
        else if (started && c == "," && depth == 1 && angle == 0) commas++
        else if (started && c !~ /[ \t]/) any = 1
    }
    return started && any ? commas + 1 : 0
}
function judge_parameters(text, at,    count) {
    if (text ~ /^[ \t\n]*SQLRETURN SQL[A-Za-z]+\(/) return # ODBC's own; not ours to choose.
    count = parameters(text)
    if (count > 4) print path ":" at ": " count " parameters; at most 4"
}
FNR == 1 { path = FILENAME; text = ""; depth = 0; inside = 0 }
/^[ \t]*#/ { next }
{
    for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "{") {
            # clang-format writes no blank before the brace of an initializer.
            what = inside ? "other" : text ~ /[A-Za-z_0-9>]$/ ? "initializer" : kind(text)
            stack[++depth] = what
            begun[depth] = FNR
            before[depth] = text
            if (what == "function") judge_parameters(text, FNR)
            if (what != "scope") inside++
            text = ""
        } else if (c == "}") {
            what = stack[depth]
            if (what != "scope") inside--
            if (what == "function" && FNR - begun[depth] + 1 > 60 && path !~ /^examples\/demo\//)
                print path ":" begun[depth] ": a function of " FNR - begun[depth] + 1 " lines; at most 60"
            text = what == "initializer" ? before[depth] : ""
            depth--
        } else if (c == ";") {
            if (inside == 0 && path ~ /^include\// && kind(text) == "function")
                judge_parameters(text, FNR)
            text = ""
        } else text = text c
    }
    text = text " "
}
