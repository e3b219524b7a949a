#!/bin/sh
# notices.sh ARCHITECTURE: the check of release libraries finds what is wrong with one that is not.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

# A function of glibc 2.30, debugging information, and links that are bound late.
printf '%s\n' '#include <pthread.h>' 'int consul_x(void) { return pthread_mutex_clocklock(0, 0, 0); }' >"$tmp/new.c"
cc -g -D_GNU_SOURCE -shared -fPIC -Wl,-soname,libconsul_ffi.so.1 -Wl,-z,lazy "$tmp/new.c" -o "$tmp/new.so"
if deploy/check.sh "$1" "$tmp/new.so" >"$tmp/log" 2>&1; then
    echo 'nothing was noticed'
    exit 1
fi
for word in 'it needs GLIBC_2.[3-9]' 'can be unloaded' 'not stripped' 'not bound at once' "holds the path"; do
    grep -q "$word" "$tmp/log" || { echo "not noticed: $word"; cat "$tmp/log"; exit 1; }
done
