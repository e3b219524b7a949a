#!/bin/sh
# The unit tests under ThreadSanitizer: locks, sessions, the lane, the I/O thread, handles,
# cancellation. Not those that fork: a child that starts threads is more than it supports.
set -eu

log=$(mktemp)
trap 'rm -f "$log"' EXIT
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
export TSAN_OPTIONS="suppressions=$PWD/tests/support/thread-sanitizer.supp"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/tsan"
{ cargo test --locked --lib --target "$host" -- --skip fork 2>&1 || : >"$log.failed"; } | tee "$log"

awk '/^test result: / { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log" \
    >"${STAGE_RESULT:-/dev/null}"
[ ! -e "$log.failed" ] || { rm "$log.failed"; exit 1; }
