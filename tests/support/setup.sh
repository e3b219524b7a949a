#!/bin/sh
# setup.sh demo|test|chaos|bench|lint|dist: install what `make demo`, `make test`,
# `make chaos`, `make bench`, `make lint`, or `make dist` and `make deb`, needs and
# this machine lacks, by apt, on Debian 12 and 13 and Ubuntu 22.04 and 24.04.
#
# When nothing is missing it says nothing, calls no apt and is done at once.
# Exit: 0 all is there; 1 something is missing and cannot be installed here.
set -eu
LC_ALL=C; export LC_ALL

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

case ${1:-} in
    demo | test | chaos | bench | lint | dist) what=$1 ;;
    *) echo "usage: setup.sh demo|test|chaos|bench|lint|dist" >&2; exit 2 ;;
esac

# Both ends of a compiler: one that finds no libc headers is no help.
compiles() { # COMPILER [FLAGS...]
    has "$1" && echo '#include <stdio.h>
int main(void) { return puts("") < 0; }' | "$@" -x c - -o /dev/null 2>/dev/null
}

has_keyring() { dpkg -L debian-archive-keyring 2>/dev/null | grep -q '/debian-archive-keyring\.[gp]*$'; }

# A Consul that is there already.
has_consul() {
    [ -n "${CONSUL_BIN:-}" ] || has consul ||
        [ -x "$(dirname "$0")/../../.cache/consul/consul" ]
}

# The packages still missing, one a line.
missing() {
    has make || echo make
    has cc && compiles cc || printf '%s\n' gcc libc6-dev
    # cargo fetches over https.
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
    case $what in
        demo) has luajit || echo luajit ;;
        test) missing_to_run; missing_to_test; missing_for_chaos; missing_to_dist ;;
        chaos) missing_consul; missing_for_chaos ;;
        bench) missing_to_run; missing_to_count; missing_peers | available ;;
        dist) missing_consul; missing_to_dist ;;
        lint) has shellcheck || echo shellcheck ;;
    esac
}

missing_to_run() {
    has luajit || echo luajit
    missing_consul
}

missing_consul() { has_consul || has_keyring || echo debian-archive-keyring; }

missing_to_test() {
    # The header is for C++ too.
    has g++ || echo g++
    has clang || echo clang
    # Its own package in some releases; which one is known once clang is there.
    if has clang && ! compiles clang -fsanitize=address; then
        echo "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
    fi
    has busted || echo lua-busted
    missing_to_count
    # The event loops that a coroutine can await a call in.
    luajit -e 'require("luv")' 2>/dev/null || echo lua-luv
    luajit -e 'require("cqueues")' 2>/dev/null || echo lua-cqueues
    has cmake || echo cmake
    has pkg-config || echo pkg-config
    # Out of the path of who is not root.
    has debootstrap || [ -x /usr/sbin/debootstrap ] || echo debootstrap
}

missing_for_chaos() {
    has python3 || echo python3
    has openssl || echo openssl
    # Out of the path of who is not root.
    has iptables || [ -x /usr/sbin/iptables ] || echo iptables
}

missing_to_dist() {
    # Not every Python that runs can make an environment.
    has python3 && python3 -c 'import ensurepip' 2>/dev/null || printf '%s\n' python3 python3-venv
    has llvm-strip || echo llvm
    has xz || echo xz-utils
    # To run what was built for the other architecture.
    case $(uname -m) in
        x86_64) missing_to_emulate aarch64 arm64 ;;
        aarch64) missing_to_emulate x86_64 amd64 ;;
    esac
}

missing_to_emulate() { # ARCHITECTURE DEBIAN'S-NAME
    has "qemu-$1" || echo qemu-user
    [ -d "/usr/$1-linux-gnu/lib" ] || echo "libc6-$2-cross"
}

missing_to_count() {
    has valgrind || echo valgrind
    has strace || echo strace
    has python3 || echo python3
}

# What the peers of the benchmark are built with. Each may be missing in a release.
missing_peers() {
    echo '#include <curl/curl.h>' | cc -E - >/dev/null 2>&1 || echo libcurl4-openssl-dev
    luajit -e 'require("cjson")' >/dev/null 2>&1 || echo lua-cjson
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    has npm || printf '%s\n' nodejs npm
    has go || echo golang-go
    has wrk || echo wrk
    [ -d /usr/share/gocode/src/github.com/hashicorp/consul/api ] ||
        [ -d /usr/share/gocode/src/github.com/armon/consul-api ] ||
        printf '%s\n' golang-github-hashicorp-consul-dev golang-github-armon-consul-api-dev
}

# Of the packages that come in, those that this system's lists have.
available() {
    while read -r package; do
        # A fresh machine has no package lists.
        apt-cache show make >/dev/null 2>&1 || as_root apt-get -q update >/dev/null 2>&1 || :
        ! apt-cache show "$package" >/dev/null 2>&1 || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Quiet unless it fails.
apt() {
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1
}

install() {
    has apt-get ||
        die "missing: $* (Debian's names), and there is no apt-get here: install them by hand"
    [ "$(id -u)" = 0 ] || has sudo ||
        die "missing, and neither root nor sudo here; as root: apt-get install $*"
    say "installing $*"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # A fresh machine has no package lists, an old one has lists that are out of date.
    apt install --no-install-recommends "$@" ||
        { apt update && apt install --no-install-recommends "$@"; } ||
        { cat "$log" >&2; die "apt-get could not install $*"; }
}

check_cargo() {
    if ! has cargo; then
        [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ] ||
            die "cargo is installed and not on PATH: . \"${CARGO_HOME:-\$HOME/.cargo}/env\""
        die "cargo is missing: install Rust from https://rustup.rs"
    fi
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../../Cargo.toml")
    version=$(cargo --version | cut -d' ' -f2)
    oldest=$(printf '%s\n' "$wanted" "$version" | sort -V | head -n 1)
    [ "$oldest" = "$wanted" ] ||
        die "cargo is $version, $wanted or newer is needed: rustup update, or https://rustup.rs"
}

check_cargo
packages=$(missing)
[ -n "$packages" ] || exit 0
# The first round may bring the compiler that tells the second what it lacks.
for _ in 1 2; do
    # shellcheck disable=SC2086     # one word a package
    install $packages
    packages=$(missing)
    [ -n "$packages" ] || exit 0
done
die "still missing after installing: $(echo "$packages" | tr "\n" " ")"
