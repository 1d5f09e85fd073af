# What ./run and ./check share: finding Rust, installing Debian packages. Sourced by bash. All words go to stderr, as
# stdout belongs to what is run.

say() { printf 'tine: %s\n' "$*" >&2; }
die() {
    say "$@"
    exit 1
}

need_cargo() {
    command -v cargo >/dev/null || PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null || die "Rust is missing: install it (rustup, stable), then run this again"
}

# missing PACKAGE...: those that are not installed, as far as Debian's records say.
missing() {
    local package
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
    done
}

# install PACKAGE...: true if all are there afterwards. Says in one line what could not be installed, and how.
install() {
    local wanted as=() apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "this is not Debian: install what these stand for yourself: $*"
        return 1
    fi
    mapfile -t wanted < <(missing "$@")
    ((${#wanted[@]})) || return 0
    if ((EUID != 0)); then
        if sudo -n true 2>/dev/null; then
            as=(sudo -n)
        else
            say "missing: sudo apt-get install -y --no-install-recommends ${wanted[*]}"
            return 1
        fi
    fi
    say "installing ${wanted[*]}"
    if ! { "${as[@]}" "${apt[@]}" update && "${as[@]}" "${apt[@]}" install -y --no-install-recommends "${wanted[@]}"; } >&2; then
        say "could not install: apt-get install -y --no-install-recommends ${wanted[*]}"
        return 1
    fi
}
