#!/bin/sh
# A real nginx with the Lua module, on the library that is shipped and a real Consul.
set -eu
suite=nginx
. tests/c/common.sh

if ! nginx=$(tests/support/get-nginx.sh); then
    [ -z "${CI:-}" ] || { echo "nginx: no nginx with the Lua module, and CI is set" >&2; exit 1; }
    echo "nginx: skipped, no nginx with the Lua module can be had here"
    exit 0
fi

if [ "${1:-}" != beside-consul ]; then
    make -s
    mkdir -p "$out"
    # The agent's own limit of connections, which what is left behind would reach.
    exec tests/support/with-consul.sh "$0" beside-consul
fi

export NGINX_RUN="$nginx/run" CONSUL_FFI_LIBRARY="$target/release/libconsul_ffi.so"
export PYTHONPATH="$PWD/tests/nginx" PYTHONDONTWRITEBYTECODE=1
for test in routing fork waiting reload exit shared no_socket; do
    run "nginx $test" python3 "tests/nginx/$test.py"
done
finish
