#!/bin/sh
# count.sh PROGRAM...: the system calls and the user instructions of one get by each program.
#
# A program is one of benches/c: `PROGRAM get calls N`. What is printed is the difference of a long and
# a short run, divided. Counts are steady where times are not. Needs a Consul at CONSUL_HTTP_ADDR with the
# key bench/small. Prints a line each: the program, system calls, instructions.
set -eu
LC_ALL=C; export LC_ALL
short=200
long=1200

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

calls() { # all system calls of a run of $2 gets by $1
    strace -f -c -U calls,name -o "$tmp/strace" "$1" get calls "$2" >/dev/null
    awk '$2 == "total" { print $1 }' "$tmp/strace"
}

instructions() { # all user instructions of a run of $2 gets by $1
    valgrind --tool=callgrind --callgrind-out-file="$tmp/callgrind" "$1" get calls "$2" \
        >/dev/null 2>"$tmp/log" || { cat "$tmp/log" >&2; exit 1; }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$tmp/log"
}

per_get() { # $1 long, $2 short
    awk -v l="$1" -v s="$2" -v n=$((long - short)) 'BEGIN { printf "%.2f", (l - s) / n }'
}

for program; do
    many=$(calls "$program" $long)
    few=$(calls "$program" $short)
    calls=$(per_get "$many" "$few")
    many=$(instructions "$program" $long)
    few=$(instructions "$program" $short)
    echo "$program $calls $(per_get "$many" "$few")"
done
