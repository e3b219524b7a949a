#!/bin/sh
# The behaviour tests once more, with the embedded agent for their Consul: all but those that
# tests/behaviour/real-only names, each with the reason why it needs a real one.
set -eu

log=$(mktemp)
names=$(mktemp)
trap 'rm -f "$log" "$names"' EXIT
export CONSUL_TEST_AGENT=embedded
cargo test --locked --test behaviour -- --list >"$names"

# A name that no test has any more would hide that its test now runs, or is gone.
skips=
while read -r name; do
    case $name in [a-z]*::*) ;; *) continue ;; esac
    grep -q "^$name" "$names" || { echo "real-only: there is no test $name" >&2; exit 1; }
    skips="$skips --skip $name"
done <tests/behaviour/real-only

# Most of them wait for something, and none for a processor.
# shellcheck disable=SC2086     # several words
{ cargo test --locked --no-fail-fast --test behaviour -- --test-threads=8 $skips 2>&1 || : >"$log.failed"; } |
    tee "$log"

awk '/^test result: / { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log" \
    >"${STAGE_RESULT:-/dev/null}"
[ ! -e "$log.failed" ] || { rm "$log.failed"; exit 1; }
