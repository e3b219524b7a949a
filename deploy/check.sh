#!/bin/sh
# check.sh x86_64|aarch64 LIBRARY: complain about what keeps a release library from old systems, or
# tells of the machine that built it, also in the static library beside it. The last line says what
# it needs.
set -eu
LC_ALL=C; export LC_ALL

cd "$(dirname -- "$0")/.."
floor=2.17

complain() { echo "check: $*" >&2; failed=1; }
failed=0
architecture=$1
library=$2

# Soname, NODELETE, needed libraries, exported symbols.
tests/c/linkage.sh "$library" || failed=1

readelf -h "$library" | grep -qi "machine:.*$(echo "$architecture" | tr _ -)" ||
    complain "it is not for $architecture"

# Every version that the loader insists on, also those that only weak symbols have.
needed=$(readelf -W -V "$library" | sed -n 's/.*Name: \([A-Z_]*_[0-9.]*\) .*/\1/p' | sort -uV)
[ -n "$needed" ] || complain "it needs no version of libc, which cannot be"
highest=0
for name in $needed; do
    case $name in
        GLIBC_*) highest=${name#GLIBC_} ;;
        *) complain "it needs $name" ;;
    esac
done
[ "$(printf '%s\n' "$floor" "$highest" | sort -V | tail -n 1)" = "$floor" ] ||
    complain "it needs GLIBC_$highest, and $floor is the limit"

dynamic=$(readelf -W -d "$library")
# The short form of relocations, which loaders before glibc 2.36 pass over in silence.
case $dynamic in *RELR*) complain "it has relocations that old loaders do not know" ;; esac
case $dynamic in *RPATH* | *RUNPATH*) complain "it has a search path" ;; esac
case $dynamic in *BIND_NOW*) ;; *) complain "its functions are not bound at once" ;; esac
readelf -W -l "$library" | grep GNU_STACK | grep -q 'RW ' || complain "its stack is executable"

case $(readelf -W -S "$library") in
    *.symtab* | *.debug_*) complain "it is not stripped" ;;
esac
for folder in "$PWD" "${CARGO_HOME:-$HOME/.cargo}" "$HOME/"; do
    for file in "$library" "${library%.so}.a"; do
        [ ! -e "$file" ] || ! grep -aqF "$folder" "$file" || complain "$file holds the path $folder"
    done
done

echo "$architecture: glibc $highest or newer, $(stat -c %s "$library") bytes"
exit "$failed"
