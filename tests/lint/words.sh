# nothing is left for later without the number of an issue, and no test sleeps
. tests/lint/lib.sh

{
    files '*.c' '*.h' '*.mjs' '*.js' '*.sh' '*.cmake' '*CMakeLists.txt' 'scripts/*' |
        grep -v '^tests/lint/words.sh$' |
        xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b' | grep -vE '\b(TODO|FIXME|XXX|HACK) ?\(?#[0-9]+' || true
    # (A module of a test may be slow on purpose.)
    files 'tests/*.c' | grep -v '/modules/' | xargs grep -nE '\b(sleep|usleep|nanosleep|uv_sleep) *\(' |
        sed 's/$/   (wait for what is to happen, not for a time)/' || true
} | none_may_be_left
