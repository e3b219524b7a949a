#!/bin/sh
# run.sh [WORD]...: set up, then run the stages of the tests: all, or those with a WORD in their name.
#
# A stage is an executable tests/stages/NN-name.sh. It runs in the project's
# folder with no input, and fails by its exit status. It finds
#
#   CONSUL_BIN     a real Consul, unset where none can be had
#   CI             set: what it needs must be there; unset: it may skip
#   STAGE_RESULT   a file to write "PASSED FAILED" into, two numbers; a stage
#                  that leaves it empty counts as one test
#
# Tests wait more than they compute. What the later stages build is built meanwhile, with what the
# earlier ones leave of the processor: a stage that is called with the word `build` only builds.
#
# The last line is `N passed, N failed`, of all stages together.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
limit=900       # seconds for one stage, against one that hangs

tests/support/setup.sh test
if consul=$(tests/support/get-consul.sh); then
    export CONSUL_BIN="$consul"
elif [ -n "${CI:-}" ]; then
    echo "run: no Consul, and CI is set" >&2
    exit 1
fi

STAGE_RESULT=$(mktemp)
export STAGE_RESULT
turns=$(mktemp -d)
running=
building=
end() {
    # timeout hands the signal on to all that its stage has started.
    [ -z "$running" ] || kill "$running" 2>/dev/null || :
    [ -z "$building" ] || kill "$building" 2>/dev/null || :
    rm -rf "$STAGE_RESULT" "$turns"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

chosen() { # NAME WORDS...
    name=$1
    shift
    [ $# -gt 0 ] || return 0
    for word; do
        case $name in *"$word"*) return 0 ;; esac
    done
    return 1
}

ahead=
for stage in 15-thread-sanitizer 20-c 25-cpp 47-examples 50-sanitizers 80-packages; do
    ! chosen "$stage" "$@" || ahead="$ahead $stage"
done
# shellcheck disable=SC2086     # several words
nice -n 19 timeout -k 10 1800 tests/build-ahead.sh "$turns" $ahead &
building=$!

# From now on nobody else builds for this stage.
begin() { # NAME
    : >"$turns/$1.begun"
    flock "$turns/$1" true
}

total_passed=0
total_failed=0
failures=
for stage in tests/stages/[0-9]*.sh; do
    name=$(basename "$stage" .sh)
    chosen "$name" "$@" || continue
    printf '\n=== %s\n' "$name"
    : >"$STAGE_RESULT"
    begin "$name"
    began=$(date +%s)
    # A shell starts what runs beside it with SIGINT and SIGQUIT ignored.
    timeout -k 10 "$limit" env --default-signal=INT,QUIT "$stage" </dev/null &
    running=$!
    status=0
    wait "$running" || status=$?
    running=
    [ "$status" != 124 ] || echo "$name: stopped after $limit s"

    passed=0
    failed=0
    read -r passed failed <"$STAGE_RESULT" || :
    if [ "$status" != 0 ]; then
        failures="$failures $name"
        [ "${failed:-0}" -gt 0 ] || failed=1
    elif [ "${passed:-0}${failed:-0}" = 00 ]; then
        passed=1
    fi
    printf -- '--- %s: %d passed, %d failed (%d s)\n' \
        "$name" "${passed:-0}" "${failed:-0}" "$(($(date +%s) - began))"
    total_passed=$((total_passed + ${passed:-0}))
    total_failed=$((total_failed + ${failed:-0}))
done

[ -z "$failures" ] || printf '\nfailed:%s\n' "$failures"
printf '\n%d passed, %d failed\n' "$total_passed" "$total_failed"
[ -z "$failures" ] && [ "$((total_passed + total_failed))" -gt 0 ]
