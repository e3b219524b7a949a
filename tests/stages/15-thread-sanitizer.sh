#!/bin/sh
# The unit tests under ThreadSanitizer: locks, sessions, the lane, the I/O thread, handles,
# cancellation. Not those that fork: a child that starts threads is more than it supports.
set -eu

host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
export TSAN_OPTIONS="suppressions=$PWD/tests/support/thread-sanitizer.supp"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tsan"
exec tests/support/cargo-test.sh --lib --target "$host" -- --skip fork
