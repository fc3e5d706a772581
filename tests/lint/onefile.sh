# a library stands behind one file
. tests/lint/lib.sh

# shellcheck disable=SC2046
awk '
FNR == NR { if ($0 !~ /^#/) may[$1] = $2; next }
match($0, /^#[ \t]*include[ \t]*<[^>]+>/) {
    header = $0
    gsub(/^[^<]*<|>.*$/, "", header)
    if (!(header in may)) {
        if (header ~ /^(openssl|cjson|wslay|hiredis|sqlite)/ && !(header in said))
            print FILENAME ":" FNR ": <" header "> is not in tests/lint/third-party.txt"
        said[header] = 1
    } else if (!((header, FILENAME) in seen)) {
        seen[header, FILENAME] = 1
        where[header] = where[header] " " FILENAME
        if (++count[header] > may[header])
            print FILENAME ":" FNR ": <" header "> is in" where[header] ", and may be in " may[header]
    }
}' tests/lint/third-party.txt $(files 'src/*.c' 'src/*.h' 'modules/*.c' 'modules/*.h') | none_may_be_left
