#!/bin/sh
# load.sh x86_64|aarch64 LIBRARY: run a program with a release library, beside a real Consul.
#
# For the other architecture under qemu, with the libc of Debian's cross compilers. Where something of
# this is missing it says that nothing was loaded, and fails when CI is set.
set -eu

cd "$(dirname -- "$0")/.."
. deploy/versions.sh
architecture=$1
library=$2

not_loaded() {
    echo "load: $architecture not loaded: $*"
    [ -z "${CI:-}" ]
    exit
}

emulator=
if [ "$(uname -m)" != "$architecture" ]; then
    emulator="qemu-$architecture -L /usr/$architecture-linux-gnu"
    if ! command -v "qemu-$architecture" >/dev/null || [ ! -d "/usr/$architecture-linux-gnu/lib" ]; then
        not_loaded "no qemu-$architecture with a libc here"
    fi
fi
tests/support/get-consul.sh >/dev/null || not_loaded "no Consul can be had here"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

cp "$library" "$tmp/$soname"
ZIG_GLOBAL_CACHE_DIR=$PWD/.cache/zig/objects .cache/zig/venv/bin/python -m ziglang cc \
    -target "$architecture-linux-gnu.2.17" -Iinclude tests/packages/smoke.c "$tmp/$soname" \
    -Wl,-rpath,"$tmp" -o "$tmp/smoke"
# shellcheck disable=SC2086     # several words, or none
printf 'load: %s: ' "$architecture" && tests/support/with-consul.sh $emulator "$tmp/smoke"
