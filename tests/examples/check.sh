#!/bin/sh
# check.sh IDEA COMMAND...: runs an example of any language as its idea wants it, beside a Consul with
# ACLs, and compares what it prints with expected/IDEA, an extended regular expression a line.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
idea=$1
shift
output=$(mktemp)
started=
end() {
    for process in $started; do
        kill "$process" 2>/dev/null || :
    done
    rm -f "$output" "$output".*
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# Several processes write to one file here: a Python that does not buffer writes the end of a line by
# itself, and a line of another may come between.
unset PYTHONUNBUFFERED

consul_kv() { "${CONSUL_BIN:?}" kv "$@" >/dev/null; }

# What follows returns on the first thing that fails: within `||` the shell does not do it.

# Waits until the file $1 has $2 lines, while the process $3 lives.
lines() {
    until [ "$(wc -l <"$1")" -ge "$2" ]; do
        kill -0 "$3" 2>/dev/null || return
        sleep 0.02
    done
}

# Somebody else changes the key, each time that the example has shown the change before.
polling() {
    consul_kv put app/limit 10
    "$@" >"$output" 2>&1 &
    example=$!
    started=$example
    lines "$output" 1 "$example" && consul_kv put app/limit 20 &&
        lines "$output" 2 "$example" && consul_kv delete app/limit &&
        lines "$output" 3 "$example" && consul_kv put app/limit stop && wait "$example" || return
    started=
    consul_kv delete app/limit
}

# Two processes, of which one waits for the other: their lines do not mix, and the tokens grow.
lock() {
    "$@" >>"$output" 2>&1 &
    first=$!
    "$@" >>"$output" 2>&1 &
    second=$!
    started="$first $second"
    wait "$first" && wait "$second" || return
    started=
    awk '/token/ { if ($NF <= last) exit 1; last = $NF }' "$output"
}

# Three processes: never more than two are at work.
semaphore() {
    while [ "$(echo "$started" | wc -w)" -lt 3 ]; do
        "$@" >>"$output" 2>&1 &
        started="$started $!"
    done
    for process in $started; do
        wait "$process" || return
    done
    started=
    awk '/^one/ { if (++working > 2) exit 1 } /^done/ { working-- }' "$output"
}

# Once as it is, and once with a proxy between that keeps the answer to the payment to itself.
errors() {
    "$@" >"$output" 2>&1 && grep -q '^outcome: written$' "$output" || return
    : >"$output.address"        # the shell that looks may be faster than the one that starts it
    python3 "$here/lossy.py" "${CONSUL_HTTP_ADDR:?}" >"$output.address" &
    started=$!
    lines "$output.address" 1 "$started" || return
    CONSUL_HTTP_ADDR=$(cat "$output.address") "$@" >"$output" 2>&1 &&
        grep -q '^outcome: no answer' "$output"
}

# Beside an agent that denies what no rule allows.
access_control() {
    "$here/../support/with-consul.sh" --acl deny "$@" >"$output" 2>&1
}

case $idea in
    2_polling) polling "$@" ;;
    3_lock) lock "$@" ;;
    6_errors) errors "$@" ;;
    13_backup) "$@" restore >"$output" 2>&1 ;;
    15_access_control) access_control "$@" ;;
    11_semaphore) semaphore "$@" ;;
    *) "$@" >"$output" 2>&1 ;;
esac || { cat "$output"; echo "did not end as it should"; exit 1; }

awk '
    NR == FNR { wanted[++count] = $0; next }
    { if ($0 !~ "^(" wanted[++seen] ")$") wrong = 1 }
    END { exit wrong || seen != count }
' "$here/expected/$idea" "$output" || { cat "$output"; echo "is not as expected/$idea"; exit 1; }
