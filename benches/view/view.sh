#!/bin/sh
# Times the reading of live views from C, and says what watches cost. Needs a Consul at CONSUL_HTTP_ADDR and the release library.
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
for program in view many; do
    ${CC:-cc} -O2 -I"$root/include" "$root/benches/view/$program.c" -L"$lib" -lconsul_ffi \
        -Wl,-rpath,"$tmp" -o "$tmp/$program"
    "$tmp/$program"
done
