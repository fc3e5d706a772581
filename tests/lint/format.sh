# every C file is as clang-format would write it
. tests/lint/lib.sh

files '*.c' '*.h' | (xargs clang-format --dry-run -Werror 2>&1 || true) |
    awk -F: '/error:/ { count[$1]++; if (!($1 in line)) line[$1] = $2 }
        END { for (f in count) print f ":" line[f] ": not formatted (" count[f] " places): clang-format -i " f }' |
    sort | none_may_be_left
