# lib.sh - what the lint tests share. Sourced, never run.
#
# A lint test prints what is wrong, a line each (file:line: sentence), and fails if it printed
# anything. It runs in the root of the repository, with $build set to a release build.
set -eu

# files PATTERN...: those files of the work tree that git knows or would take, one a line.
files() {
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done
}

# Reads the findings and fails if there is one.
none_may_be_left() {
    ! grep .
}
