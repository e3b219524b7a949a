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
# earlier ones leave of the processor: a stage that is called with the word `build` only builds. And
# the stages that only wait run beside the others, and are told of in the end.
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

turns=$(mktemp -d)
building=
end() {
    # timeout hands the signal on to all that its stage has started.
    for pid in $building $(cat "$turns"/*.pid 2>/dev/null); do
        kill "$pid" 2>/dev/null || :
    done
    rm -rf "$turns"
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

# Runs a stage; how it went is in its file `result` then: passed, failed.
run_stage() { # NAME
    printf '\n=== %s\n' "$1"
    # From now on nobody else builds for it.
    : >"$turns/$1.begun"
    flock "$turns/$1" true
    : >"$turns/$1.counts"
    began=$(date +%s)
    # A shell starts what runs beside it with SIGINT and SIGQUIT ignored.
    STAGE_RESULT="$turns/$1.counts" timeout -k 10 "$limit" \
        env --default-signal=INT,QUIT "tests/stages/$1.sh" </dev/null &
    running=$!
    echo "$running" >"$turns/$1.pid"
    status=0
    wait "$running" || status=$?
    rm "$turns/$1.pid"
    [ "$status" != 124 ] || echo "$1: stopped after $limit s"

    passed=0
    failed=0
    read -r passed failed <"$turns/$1.counts" || :
    if [ "$status" != 0 ]; then
        [ "${failed:-0}" -gt 0 ] || failed=1
    elif [ "${passed:-0}${failed:-0}" = 00 ]; then
        passed=1
    fi
    printf -- '--- %s: %d passed, %d failed (%d s)\n' \
        "$1" "${passed:-0}" "${failed:-0}" "$(($(date +%s) - began))"
    echo "${passed:-0} ${failed:-0}" >"$turns/$1.result"
}

run_stages() { # NAME...
    for each; do
        run_stage "$each"
    done
}

first=      # what builds the library that is shipped, and what comes before
second=
waiting=    # what only waits
ahead=
for stage in tests/stages/[0-9]*.sh; do
    stage=$(basename "$stage" .sh)
    chosen "$stage" "$@" || continue
    case $stage in
        40-luajit | 45-python | 47-examples | 48-nginx) waiting="$waiting $stage" ;;
        1* | 20-c) first="$first $stage" ;;
        *) second="$second $stage" ;;
    esac
    case $stage in
        20-c | 25-cpp | 47-examples | 50-sanitizers | 80-packages) ahead="$ahead $stage" ;;
    esac
done
# shellcheck disable=SC2086     # several words
nice -n 19 timeout -k 10 1800 tests/build-ahead.sh "$turns" $ahead &
building=$!

# shellcheck disable=SC2086     # several words
run_stages $first
beside=
if [ -n "$second" ]; then
    # shellcheck disable=SC2086     # several words
    run_stages $waiting >"$turns/waiting.log" 2>&1 &
    beside=$!
    # shellcheck disable=SC2086     # several words
    run_stages $second
    wait "$beside" || :
    cat "$turns/waiting.log"
else
    # shellcheck disable=SC2086     # several words
    run_stages $waiting
fi

total_passed=0
total_failed=0
failures=
for stage in $first $second $waiting; do
    passed=0
    failed=1
    read -r passed failed <"$turns/$stage.result" || :
    [ "$failed" = 0 ] || failures="$failures $stage"
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
done

[ -z "$failures" ] || printf '\nfailed:%s\n' "$failures"
printf '\n%d passed, %d failed\n' "$total_passed" "$total_failed"
[ -z "$failures" ] && [ "$((total_passed + total_failed))" -gt 0 ]
