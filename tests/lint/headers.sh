# every header compiles alone: the public ones as C11 and C++17, with gcc and clang
. tests/lint/lib.sh

warnings='-Wall -Wextra -Wpedantic -Werror'

# alone HEADER COMPILER OPTION...
alone() {
    local header=$1 language=c
    shift
    case $1 in *++) language=c++ ;; esac
    printf '#include "%s"\n' "$header" |
        "$@" $warnings -x $language -fsyntax-only -Iinclude - 2>&1 |
        sed "s,^,$header: $1: ,"
}

{
    files 'include/*.h' | while read -r header; do
        name=${header#include/}
        alone "$name" gcc -std=c11 -Wshadow
        alone "$name" clang -std=c11 -Wshadow
        alone "$name" g++ -std=c++17
        alone "$name" clang++ -std=c++17
        # Nothing of what the daemon is made of may be needed to write a module.
        grep -nE '# *include *[<"](uv|openssl|wslay|cjson|cJSON|ini|http_parser)' "$header" |
            sed "s,^,$header:," || true
    done
    files 'src/*.h' | while read -r header; do
        alone "$header" gcc -std=c11 -D_GNU_SOURCE -Isrc -I.
    done
} | none_may_be_left
