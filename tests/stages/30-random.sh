#!/bin/sh
# A million random calls, on the library that is shipped.
set -eu
. tests/c/common.sh

cargo build --release --locked
programs gcc-c99 gcc c99 "$(library "$target/release")"
limit=420
run "random 1000000" tests/support/with-consul.sh "$out/gcc-c99/random" 1000000
grep seed "$out/log"
finish
