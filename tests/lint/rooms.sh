# a room includes only itself, the public headers and the rooms named for it
. tests/lint/lib.sh

# shellcheck disable=SC2046
awk '
function allowed(header, may,    i, n, list) {
    n = split(may, list, " ")
    for (i = 1; i <= n; i++)
        if (list[i] == header)
            return 1
    return 0
}
FNR == NR {
    if ($0 ~ /^[a-z]+:/) {
        split($0, parts, /[:|]/)
        rooms[parts[1]] = parts[1] " " parts[2]
        headers[parts[1]] = parts[3]
    }
    next
}
FILENAME ~ /^tests\/lint\/third-party/ { if ($0 !~ /^#/) third[$1] = 1; next }
match($0, /^#[ \t]*include[ \t]*[<"][^>"]+[>"]/) {
    what = substr($0, RSTART, RLENGTH)
    header = what
    gsub(/^[^<"]*[<"]|[>"]$/, "", header)
    split(FILENAME, path, "/")
    room = path[2]
    if (!(room in rooms)) {
        if (!(room in said)) print FILENAME ":1: src/" room " is not in tests/lint/rooms.txt"
        said[room] = 1
    } else if (what ~ /"/) {
        split(header, step, "/")
        if (step[2] == "" || !allowed(step[1], rooms[room]))
            print FILENAME ":" FNR ": " room " may not include \"" header "\""
    } else if (header in third && !allowed(header, headers[room]))
        print FILENAME ":" FNR ": " room " may not include <" header ">"
}' tests/lint/rooms.txt tests/lint/third-party.txt $(files 'src/*.c' 'src/*.h') | none_may_be_left
