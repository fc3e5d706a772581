# the daemon's names begin with xs_, a module exports xs_plugin_entry alone
. tests/lint/lib.sh

{
    find "$build/src" -name '*.o' | while read -r object; do
        nm -g --defined-only "$object" | awk -v object="${object##*.dir/}" '
            NF == 3 && $3 !~ /^xs_/ && $3 != "main" { print object ": defines " $3 }'
    done
    for module in "$build"/modules/*.so; do
        nm -D --defined-only "$module" | awk -v module="${module##*/}" '
            $NF == "xs_plugin_entry" { found = 1; next }
            { print module ": exports " $NF }
            END { if (!found) print module ": does not export xs_plugin_entry" }'
    done
    # What modules may call is what the public headers declare, no more and no less.
    nm -D --defined-only "$build/xsocketsd" | awk '$NF ~ /^xs_/ { print $NF }' | sort >"$build/exported"
    cat include/xsockets/*.h | tr '\n' ' ' | grep -oE 'XS_API [^;{]*' |
        grep -oE 'xs_[a-z0-9_]+ *\(' | tr -d ' (' | grep -v '^xs_plugin_entry$' | sort -u >"$build/declared"
    grep '^xs_' tests/lint/awaited.txt | sort >"$build/awaited"
    comm -23 "$build/exported" "$build/declared" | sed 's/^/xsocketsd exports what no public header declares: /'
    sort "$build/exported" "$build/awaited" | comm -13 - "$build/declared" |
        sed 's/^/a public header declares what xsocketsd does not export: /'
    comm -12 "$build/exported" "$build/awaited" | sed 's/^/tests\/lint\/awaited.txt names what is exported: /'
} | none_may_be_left
