#!/bin/sh
# What a get costs, counted: system calls and instructions.
set -eu
. tests/c/common.sh

cargo build --release --locked
CONSUL_FFI_TARGET=$(library "$target/release")
export CONSUL_FFI_TARGET
run counts tests/support/with-consul.sh sh benches/count/count.sh
cat "$out/log"
finish
