#!/bin/sh
# Counts the system calls and the user instructions of one blocking get through the C ABI, answer
# decoded: the difference of a long and a short run, divided. Counts are steady where times are not.
# Needs a Consul at CONSUL_HTTP_ADDR and the release library; fails above the limits.
#
#   sh tests/support/with-consul.sh sh benches/count/count.sh
set -eu
LC_ALL=C; export LC_ALL
max_calls=4
max_instructions=40500
short=200
long=1200

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
lib=${CONSUL_FFI_TARGET:-${CARGO_TARGET_DIR:-$root/target}/release}
: "${CONSUL_HTTP_ADDR:?a Consul agent must answer there}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# The library is found by its soname.
ln -s "$lib/libconsul_ffi.so" "$tmp/libconsul_ffi.so.1"
${CC:-cc} -O2 -I"$root/include" "$root/benches/count/get.c" -L"$lib" -lconsul_ffi \
    -Wl,-rpath,"$tmp" -o "$tmp/get"

calls() { # all system calls of a run of $1 gets
    strace -f -c -U calls,name -o "$tmp/strace" "$tmp/get" "$1"
    awk '$2 == "total" { print $1 }' "$tmp/strace"
}

instructions() { # all user instructions of a run of $1 gets
    valgrind --tool=callgrind --callgrind-out-file="$tmp/callgrind" "$tmp/get" "$1" 2>"$tmp/log" ||
        { cat "$tmp/log" >&2; exit 1; }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$tmp/log"
}

per_get() { # $1 long, $2 short
    awk -v l="$1" -v s="$2" -v n=$((long - short)) 'BEGIN { printf "%.2f", (l - s) / n }'
}

many=$(calls $long)
few=$(calls $short)
calls=$(per_get "$many" "$few")
many=$(instructions $long)
few=$(instructions $short)
instructions=$(per_get "$many" "$few")
echo "a get: $calls system calls (at most $max_calls), $instructions user instructions (at most $max_instructions)"
awk -v c="$calls" -v i="$instructions" -v mc=$max_calls -v mi=$max_instructions \
    'BEGIN { exit !(c <= mc && i <= mi) }'
