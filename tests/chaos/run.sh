#!/bin/sh
# run.sh [OPTION]...: three real servers under faults. The options are main.py's: --help tells them.
#
# In namespaces of its own where rights allow: no port is taken from anybody, servers can be cut off
# from each other, and nothing outlives it. See docs/chaos.md.
set -eu

cd "$(dirname -- "$0")/../.."
CONSUL_BIN=$(tests/support/get-consul.sh)
CONSUL_FFI_LIBRARY=${CARGO_TARGET_DIR:-$PWD/target}/release/libconsul_ffi.so
PYTHONPATH=$PWD/python PYTHONDONTWRITEBYTECODE=1
PATH=$PATH:/usr/sbin:/sbin       # iptables
export CONSUL_BIN CONSUL_FFI_LIBRARY PYTHONPATH PYTHONDONTWRITEBYTECODE PATH
make -s

namespaces='unshare --user --map-root-user --net --pid --fork --kill-child --mount-proc'
# shellcheck disable=SC2086     # several words
if $namespaces python3 tests/chaos/loopback.py 2>/dev/null; then
    export CHAOS_NAMESPACE=yes
    # The shell hears of the end of those who lost their parents.
    # shellcheck disable=SC2016     # for that shell
    exec $namespaces sh -c 'python3 tests/chaos/loopback.py && python3 tests/chaos/main.py "$@"; exit $?' - "$@"
fi
exec python3 tests/chaos/main.py "$@"
