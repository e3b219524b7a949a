#!/bin/sh
# Every test that cargo knows: units, behaviour on a real Consul, the ABI, the rules of the house.
set -eu

log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ cargo test --locked --no-fail-fast 2>&1 || : >"$log.failed"; } | tee "$log"

awk '/^test result: / { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log" \
    >"${STAGE_RESULT:-/dev/null}"
[ ! -e "$log.failed" ] || { rm "$log.failed"; exit 1; }
