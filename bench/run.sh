#!/usr/bin/env bash
# run.sh - measures xsocketsd beside the yardstick bench/limit and prints one table.
#
# Server and load generator have a core each. The two servers take turns, so that what else
# happens on the machine happens to both; what counts is their ratio. Nothing is asserted.
set -euo pipefail

usage() {
    cat <<'EOF'
bench/run.sh - xsocketsd beside the yardstick bench/limit

  bench/run.sh [options]

  --build DIR      where xsocketsd, modules/ and bench/ were built (build/release)
  --rounds N       turns of each figure; the medians are printed (5)
  --seconds TIME   measured time of each turn (2s)
  --idle N         clients of the memory figure (10000); 0 leaves it out
  --only WORD      figures whose name holds the word, such as echo, fan-out, native
  --json FILE      keep every single result, one JSON object a line
  --limit-only     only the yardstick
  --help           this
EOF
}

fail() {
    echo "bench/run.sh: $1" >&2
    exit "${2:-1}"
}

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build/release
rounds=5
seconds=2s
idle=10000
only=
json=
limit_only=

while [ $# -gt 0 ]; do
    case $1 in
    --help) usage; exit 0 ;;
    --limit-only) limit_only=yes; shift; continue ;;
    --build | --rounds | --seconds | --idle | --only | --json) ;;
    *) fail "\"$1\" is not understood; see --help" 64 ;;
    esac
    [ $# -gt 1 ] || fail "$1 wants a value; see --help" 64
    case $1 in
    --build) build=$2 ;;
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --idle) idle=$2 ;;
    --only) only=$2 ;;
    --json) json=$2 ;;
    esac
    shift 2
done
[[ $rounds =~ ^[1-9][0-9]?$ ]] || fail "--rounds wants a number from 1 to 99" 64
[[ $idle =~ ^[0-9]+$ ]] || fail "--idle wants a number" 64

limit=$build/bench/limit
bench=$build/bench/xsockets-bench
mallocs=$build/bench/mallocs.so
daemon=$build/xsocketsd
for file in "$limit" "$bench"; do
    [ -x "$file" ] || fail "$file is not there: build first, or name the folder with --build"
done
[ -n "$limit_only" ] || [ -x "$daemon" ] || fail "$daemon is not there; --limit-only does without"

# Where nothing can be pinned the figures still come, with more noise.
on_server=() on_load=()
if [ "$(nproc)" -gt 1 ] && taskset -c 0 true 2>/dev/null && taskset -c 1 true 2>/dev/null; then
    on_server=(taskset -c 0)
    on_load=(taskset -c 1)
fi

work=$(mktemp -d)
results=$work/results
: >"$results"
running=()

end_all() {
    for pid in "${running[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in "${running[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
    running=()
}
trap 'end_all; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# All of these leave the new server's $pid and $port.
start_limit() {
    "${on_server[@]}" "$limit" --seconds 3600 >"$work/limit.port" &
    pid=$!
    running+=("$pid")
    for _ in $(seq 100); do
        port=$(sed -n 's/^port //p' "$work/limit.port")
        [ -n "$port" ] && return
        sleep 0.02
    done
    fail "limit does not start"
}

free_port() {
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
    done
    fail "no free port is found"
}

start_daemon() { # options...
    for _ in 1 2 3; do
        free_port
        "${on_server[@]}" "${preload[@]}" "$daemon" -c "$here/bench.ini" \
            -D "server.module_path=$build/modules" -D "endpoint bench.port=$port" "$@" \
            >"$work/daemon.log" 2>&1 &
        pid=$!
        for _ in $(seq 200); do
            kill -0 "$pid" 2>/dev/null || break
            if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
                running+=("$pid")
                return
            fi
            sleep 0.05
        done
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    cat "$work/daemon.log" >&2
    fail "xsocketsd does not start"
}
preload=()

progress() {
    if [ -t 2 ]; then
        printf '\r\033[K%s' "$1" >&2
    fi
}

measure() { # figure, server kind, pid, port, options...
    local figure=$1 kind=$2 its_pid=$3 its_port=$4 line
    shift 4
    progress "$turn: $figure, $kind"
    if line=$("${on_load[@]}" "$bench" "$@" --server "$kind" --server-pid "$its_pid" --port "$its_port" \
        --duration "$seconds" --json 2>"$work/error"); then
        printf '%s\t%s\t%s\n' "$figure" "$kind" "$line" >>"$results"
    else
        progress ''
        printf '%s, %s: %s\n' "$figure" "$kind" "$(cat "$work/error")" >&2
        printf '%s\t%s\t{"failed":true}\n' "$figure" "$kind" >>"$results"
    fi
}

# The figures: name; options.
figures=(
    'echo 64 B x1;echo'
    'echo 64 B x16;echo --in-flight 16'
    'echo 64 B object x16;echo --in-flight 16 --object'
    'native echo 64 B x16;echo --in-flight 16 --protocol native'
    'native echo 1 KiB x16;echo --in-flight 16 --protocol native --size 1KiB'
    'fan-out 1000 x 64 B x1;fanout'
    'fan-out 1000 x 64 B x16;fanout --in-flight 16'
    'fan-out 1000 x 512 B x16;fanout --in-flight 16 --size 512'
)
mixed='fan-out mixed 64 B x16'

wanted() {
    [[ $1 == *"$only"* ]]
}

run_figures() {
    local limit_pid limit_port our_pid our_port figure name options
    start_limit
    limit_pid=$pid limit_port=$port
    if [ -z "$limit_only" ]; then
        start_daemon
        our_pid=$pid our_port=$port
    fi
    for round in $(seq "$rounds"); do
        turn="round $round of $rounds"
        for figure in "${figures[@]}"; do
            name=${figure%%;*}
            wanted "$name" || continue
            read -ra options <<<"${figure#*;}"
            measure "$name" limit "$limit_pid" "$limit_port" "${options[@]}"
            [ -n "$limit_only" ] ||
                measure "$name" xsocketsd "$our_pid" "$our_port" "${options[@]}"
        done
    done
    end_all
}

# The subscribers speak xsocketsnet, native, text and mcu in turn, so native clients are on chat here.
run_mixed() {
    local limit_pid limit_port
    { [ -z "$limit_only" ] && wanted "$mixed"; } || return 0
    start_limit
    limit_pid=$pid limit_port=$port
    start_daemon -D 'subprotocol native.controller=chat' -D 'subprotocol native.topic=news' \
        -D 'subprotocol native.subscribe=news'
    for round in $(seq "$rounds"); do
        turn="round $round of $rounds"
        measure "$mixed" limit "$limit_pid" "$limit_port" fanout --in-flight 16
        measure "$mixed" xsocketsd "$pid" "$port" fanout --in-flight 16 --protocol mixed
    done
    end_all
}

run_idle() {
    { [ "$idle" -gt 0 ] && wanted idle; } || return 0
    turn='memory'
    start_limit
    measure idle limit "$pid" "$port" idle --connections "$idle"
    end_all
    [ -z "$limit_only" ] || return 0
    start_daemon
    measure idle xsocketsd "$pid" "$port" idle --connections "$idle"
    end_all
}

run_mallocs() {
    { [ -z "$limit_only" ] && [ -f "$mallocs" ] && wanted mallocs; } || return 0
    turn='heap'
    preload=(env "LD_PRELOAD=$mallocs" "XS_MALLOCS=$work/mallocs")
    start_daemon
    measure mallocs xsocketsd "$pid" "$port" echo --in-flight 16 --mallocs "$work/mallocs"
    measure 'mallocs 1 KiB' xsocketsd "$pid" "$port" echo --in-flight 16 --size 1KiB \
        --mallocs "$work/mallocs"
    end_all
    preload=()
}

# One field of every result of a figure, line by line; "-" for what is not there.
values() { # figure, server kind, field
    awk -F'\t' -v figure="$1" -v kind="$2" -v field="$3" '
        $1 == figure && $2 == kind {
            print match($3, "\"" field "\":[-0-9.]+") \
                ? substr($3, RSTART + length(field) + 3, RLENGTH - length(field) - 3) : "-"
        }' "$results"
}

median() {
    grep -v -- - | sort -g | awk '{ v[NR] = $1 }
        END { print NR == 0 ? "-" : NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

measured() { # figure
    awk -F'\t' -v figure="$1" '$1 == figure { found = 1 } END { exit !found }' "$results"
}

thousands() {
    awk '{ print $1 == "-" ? $1 : sprintf("%.1f", $1 / 1000) }'
}

# The share of each round, not of the medians: the two of one round saw the same machine.
shares() { # figure
    paste <(values "$1" limit per_second) <(values "$1" xsocketsd per_second) |
        awk '$1 > 0 && $2 > 0 { printf "%.4f\n", $2 / $1 }'
}

print_figure() { # figure
    printf '%-26s %10s %10s %7s %10s %10s\n' "$1" \
        "$(values "$1" limit per_second | median | thousands)" \
        "$(values "$1" xsocketsd per_second | median | thousands)" \
        "$(shares "$1" | median | awk '{ print $1 == "-" ? $1 : sprintf("%.2f", $1) }')" \
        "$(values "$1" limit server_user_us | median)" \
        "$(values "$1" xsocketsd server_user_us | median)"
}

print_table() {
    local figure name
    printf '%-26s %29s %21s\n' '' 'thousand messages a second' 'user us a message'
    printf '%-26s %10s %10s %7s %10s %10s\n' '' limit xsocketsd share limit xsocketsd
    for figure in "${figures[@]}" "$mixed;"; do
        name=${figure%%;*}
        if measured "$name"; then
            print_figure "$name"
        fi
    done
    if measured idle; then
        printf '%-26s %10s %10s   resident bytes for each\n' "idle, $idle clients" \
            "$(values idle limit bytes_per_connection | median)" \
            "$(values idle xsocketsd bytes_per_connection | median)"
        printf '%-26s %10s %10s   clients a second\n' 'opened for that' \
            "$(values idle limit per_second | median)" \
            "$(values idle xsocketsd per_second | median)"
    fi
    if measured mallocs; then
        printf '%-26s %10s %10s   heap calls for each echoed message\n' \
            'malloc, echo 64 B x16' - "$(values mallocs xsocketsd mallocs_per_message | median)" \
            'malloc, echo 1 KiB x16' - "$(values 'mallocs 1 KiB' xsocketsd mallocs_per_message | median)"
    fi
}

run_figures
run_mixed
run_idle
run_mallocs
progress ''
if [ -n "$json" ]; then
    awk -F'\t' '{ sub(/^\{/, "{\"figure\":\"" $1 "\",", $3); print $3 }' "$results" >"$json"
fi
print_table
