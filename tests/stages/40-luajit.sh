#!/bin/sh
# The LuaJIT module, by busted under LuaJIT, on the built library and a real Consul.
set -eu

if ! command -v luajit >/dev/null || ! command -v busted >/dev/null; then
    [ -z "${CI:-}" ] || { echo "luajit: luajit or busted is not installed" >&2; exit 1; }
    echo "luajit: skipped, luajit or busted is not installed"
    exit 0
fi

# With a test, the smallest: that makes it the library that the tests of cargo have built.
cargo build --locked --lib --test house
CONSUL_FFI_LIBRARY=${CARGO_TARGET_DIR:-$PWD/target}/debug/libconsul_ffi.so
LUA_PATH="$PWD/lua/?.lua;$PWD/tests/lua/?.lua;;"
export CONSUL_FFI_LIBRARY LUA_PATH

# Without a Consul, the specs that need none.
set --
if [ -n "${CONSUL_BIN:-}" ]; then
    # A session that is not renewed ends soon.
    set -- tests/support/with-consul.sh --hcl enable_script_checks=true --hcl 'session_ttl_min = "2s"'
else
    unset CONSUL_HTTP_ADDR
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ "$@" luajit "$(command -v busted)" tests/lua 2>&1 || : >"$log.failed"; } | tee "$log"

awk '/ success(es)? \/ / { passed = $1; failed = $4 + $7 } END { print passed + 0, failed + 0 }' "$log" \
    >"${STAGE_RESULT:-/dev/null}"
[ ! -e "$log.failed" ] || { rm "$log.failed"; exit 1; }
