#!/bin/sh
# run.sh: build the library, find a Consul, and show one with the other.
#
# The Consul of CONSUL_HTTP_ADDR is used when that is set, and left as it was. Otherwise a real one
# is started for the demo: $CONSUL_BIN, the one on PATH, or Debian's package in .cache/consul.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
cd "$root"

cargo build --release --locked
CONSUL_FFI_LIBRARY=${CARGO_TARGET_DIR:-$root/target}/release/libconsul_ffi.so
LUA_PATH="$root/lua/?.lua;$here/?.lua;;"
export CONSUL_FFI_LIBRARY LUA_PATH

if [ -n "${CONSUL_HTTP_ADDR:-}" ]; then
    export DEMO_CONSUL="from CONSUL_HTTP_ADDR"
    exec luajit examples/demo/demo.lua
fi

consul=$(tests/support/get-consul.sh)
export CONSUL_BIN="$consul" DEMO_CONSUL="$consul, started for this demo"
exec tests/support/with-consul.sh luajit examples/demo/demo.lua
