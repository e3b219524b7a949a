#!/bin/sh
# run.sh: build the library, and show it with a Consul.
#
# The Consul of CONSUL_HTTP_ADDR is used when that is set, and left as it was. Otherwise a real one
# is started for the demo where there is one, as $CONSUL_BIN or on PATH. Otherwise the library's own
# embedded agent will do, which needs nothing.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
cd "$root"

make -s
CONSUL_FFI_LIBRARY=${CARGO_TARGET_DIR:-$root/target}/release/libconsul_ffi.so
LUA_PATH="$root/lua/?.lua;$here/?.lua;;"
export CONSUL_FFI_LIBRARY LUA_PATH

if [ -n "${CONSUL_HTTP_ADDR:-}" ]; then
    export DEMO_CONSUL="from CONSUL_HTTP_ADDR"
    exec luajit examples/demo/demo.lua
fi

consul=${CONSUL_BIN:-$(command -v consul || :)}
if [ -z "$consul" ]; then
    export CONSUL_HTTP_ADDR=embedded:demo DEMO_CONSUL="in this process's memory: no server is needed"
    exec luajit examples/demo/demo.lua
fi
export CONSUL_BIN="$consul" DEMO_CONSUL="$consul, started for this demo"
exec tests/support/with-consul.sh luajit examples/demo/demo.lua
