#!/bin/sh
# A real cluster of three servers under a few faults; `make chaos` is the long form. First the checker
# that judges what happened.
set -eu

if ! CONSUL_BIN=$(tests/support/get-consul.sh); then
    [ -z "${CI:-}" ] || exit 1
    echo "no Consul: skipped"
    exit 0
fi
export CONSUL_BIN PYTHONDONTWRITEBYTECODE=1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ python3 -W error -m unittest discover -s tests/chaos 2>&1 || : >"$log.failed"; } | tee "$log"
[ ! -e "$log.failed" ] || { rm "$log.failed"; exit 1; }
ran=$(sed -n 's/^Ran \([0-9]*\) tests.*/\1/p' "$log")

status=0
tests/chaos/run.sh --short || status=$?
passed=0
failed=0
read -r passed failed <"${STAGE_RESULT:-/dev/null}" || :
echo "$((ran + passed)) $failed" >"${STAGE_RESULT:-/dev/null}"
exit "$status"
