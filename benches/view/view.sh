#!/bin/sh
# Times the reading of live views and rings from C and LuaJIT, and says what watches cost: lines of four words with
# tabs between, which benches/runner/views.py reads. Needs a Consul at CONSUL_HTTP_ADDR and the release
# library.
#
#   sh tests/support/with-consul.sh sh benches/view/view.sh
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
lib=${CONSUL_FFI_TARGET:-${CARGO_TARGET_DIR:-$root/target}/release}
: "${CONSUL_HTTP_ADDR:?a Consul agent must answer there}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# The library is found by its soname.
ln -s "$lib/libconsul_ffi.so" "$tmp/libconsul_ffi.so.1"
run() { # the C program $1
    ${CC:-cc} -O2 -I"$root/include" "$root/benches/view/$1.c" -L"$lib" -lconsul_ffi \
        -Wl,-rpath,"$tmp" -o "$tmp/$1"
    "$tmp/$1"
}

lua() { # the LuaJIT program $1
    command -v luajit >/dev/null || return 0
    CONSUL_FFI_LIBRARY=$lib/libconsul_ffi.so LUA_PATH="$root/lua/?.lua;;" luajit "$root/benches/view/$1.lua"
}

run view
lua view
run ring
lua ring
run many
