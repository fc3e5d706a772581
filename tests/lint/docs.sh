# the documentation names files and functions that exist
. tests/lint/lib.sh

{
    files '*.md' | while read -r page; do
        folder=$(dirname "$page")
        # Links within the repository.
        grep -noE '\]\([^)#: ]+[)#]' "$page" | sed -E 's/\]\(//; s/[)#]$//' | while IFS=: read -r line target; do
            [ -e "$folder/$target" ] || echo "$page:$line: there is no $target"
        done || true
        # Files of ours, and in the walk also functions.
        grep -noE '`(src|modules|include|tests|config|scripts|docs|bench)/[A-Za-z0-9_./-]+`' "$page" | tr -d '`' |
            while IFS=: read -r line target; do
                [ -e "$target" ] || echo "$page:$line: there is no $target"
            done || true
    done
    grep -noE '`[a-z_0-9]+\(\)`' docs/ARCHITECTURE.md | tr -d '`()' | while IFS=: read -r line name; do
        grep -rqE "\b$name\)?\(" src modules include || echo "docs/ARCHITECTURE.md:$line: there is no function $name()"
    done || true
} | none_may_be_left
