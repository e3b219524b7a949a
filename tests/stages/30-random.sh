#!/bin/sh
# A million random calls, on the library that is shipped.
set -eu
. tests/c/common.sh

if [ "${1:-}" != beside-consul ]; then
    make -s
    programs gcc-c99 gcc c99 "$(library "$target/release")"
    beside_consul "$0"
fi

limit=600
run "random 1000000" "$out/gcc-c99/random" 1000000
grep seed "$out/log"
finish
