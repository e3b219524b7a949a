#!/bin/sh
# lint.sh: formatting, clippy, documentation, shell scripts, licenses and sources of dependencies.
set -eu

cd "$(dirname -- "$0")/.."
tests/support/setup.sh lint

# Built without optimisation, which saves most of the time and is fast enough for one graph.
deny_version=0.20.2
tools=.cache/tools
deny() { "$tools/bin/cargo-deny" --log-level error --locked "$@"; }

failures=
check() { # NAME COMMAND...
    name=$1
    shift
    printf '=== %s\n' "$name"
    "$@" || failures="$failures $name"
}

documentation() {
    RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps
}

scripts() {
    find . \( -name target -o -name .cache -o -name .git \) -prune -o \
        \( -name '*.sh' -o -path ./.ci/run \) -exec shellcheck {} +
}

dependencies() {
    "$tools/bin/cargo-deny" --version 2>/dev/null | grep -qx "cargo-deny $deny_version" ||
        env -u CARGO_TARGET_DIR cargo install cargo-deny --version "$deny_version" --locked \
            --quiet --debug --force --root "$tools" || return
    deny check bans licenses sources
}

# The database of advisories is a repository elsewhere, out of reach on many build machines.
advisories() {
    if GIT_TERMINAL_PROMPT=0 timeout 60 "$tools/bin/cargo-deny" --log-level off fetch db \
        >/dev/null 2>&1; then
        deny check --disable-fetch advisories
    else
        echo 'not checked: the database of advisories cannot be fetched from here'
    fi
}

check formatting cargo fmt --check
check clippy cargo clippy --quiet --locked --all-targets -- -D warnings
check documentation documentation
check scripts scripts
check dependencies dependencies
check advisories advisories

[ -z "$failures" ] || printf 'lint failed:%s\n' "$failures"
[ -z "$failures" ]
