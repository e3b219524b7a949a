#!/bin/sh
# cargo-test.sh WORD...: `cargo test WORD...` as a stage of the tests, with what it counts in STAGE_RESULT.
set -eu

log=$(mktemp)
trap 'rm -f "$log" "$log.failed"' EXIT
{ cargo test --locked "$@" 2>&1 || : >"$log.failed"; } | tee "$log"

awk '/^test result: / { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log" \
    >"${STAGE_RESULT:-/dev/null}"
[ ! -e "$log.failed" ]
