# lib.sh - what the scripts share: words on the terminal, Debian packages, the number of jobs.
# Sourced, never run.

if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
else
    bold='' green='' red='' dim='' plain=''
fi

say() {
    printf '%s\n' "${bold}$*${plain}"
}

die() {
    printf '%s\n' "${red}$*${plain}" >&2
    exit 1
}

jobs_here() {
    nproc 2>/dev/null || echo 2
}

may_install() {
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null
}

# need_packages NAME...: installs the Debian packages that are missing, if any.
need_packages() {
    local missing=() name root=()

    command -v dpkg-query >/dev/null ||
        die "This script installs what is missing with Debian's apt-get. Without it, install these yourself: $*"
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    say "Missing Debian packages: ${missing[*]}"
    if [ "$(id -u)" != 0 ]; then
        echo "Root is needed to install them, and for nothing else: building and running is done as you."
        may_install || die "There is no sudo here. As root, run:
apt-get update && apt-get install --no-install-recommends ${missing[*]}"
        root=(sudo)
    fi
    echo "Fetching Debian's lists of packages ..."
    "${root[@]}" apt-get update -qq
    # (An interruption is for apt-get: it ends when it can, and says so.)
    (
        set -o pipefail
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
            --no-install-recommends "${missing[@]}" |
            (trap '' INT && sed -un -E 's/\r//g; /^(Need to get|Get:|Unpacking|Setting up)/p')
    )
}

build_packages=(gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libinih-dev
    libwslay-dev libhttp-parser-dev libssl-dev zlib1g-dev)
