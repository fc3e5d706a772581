# a module includes the public headers, C11, its own folder and what is named for it
. tests/lint/lib.sh

# shellcheck disable=SC2046
awk '
BEGIN {
    n = split("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal " \
              "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string " \
              "tgmath threads time uchar wchar wctype", names, " ")
    for (i = 1; i <= n; i++)
        c11[names[i] ".h"] = 1
}
FNR == NR {
    if ($0 !~ /^#/) {
        name = $1
        sub(/:$/, "", name)
        for (i = 2; i <= NF; i++)
            named[name, $i] = 1
    }
    next
}
match($0, /^#[ \t]*include[ \t]*[<"][^>"]+[>"]/) {
    what = substr($0, RSTART, RLENGTH)
    header = what
    gsub(/^[^<"]*[<"]|[>"]$/, "", header)
    split(FILENAME, path, "/")
    module = path[3]
    if (what ~ /"/) {
        if (header ~ /\//)
            print FILENAME ":" FNR ": \"" header "\" is not in the folder of " module
    } else if (header !~ /^xsockets\// && !(header in c11) && !((module, header) in named))
        print FILENAME ":" FNR ": " module " may not include <" header ">"
}' tests/lint/modules.txt $(files 'modules/*.c' 'modules/*.h') | none_may_be_left
