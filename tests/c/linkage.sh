#!/bin/sh
# linkage.sh LIBRARY: what the loader and other libraries of a process see of it.
set -eu
LC_ALL=C; export LC_ALL

complain() { echo "$*" >&2; failed=1; }
failed=0

dynamic=$(readelf -d "$1")
case $dynamic in *"soname: [libconsul_ffi.so.1]"*) ;; *) complain "no soname libconsul_ffi.so.1" ;; esac
# Its threads' ends must find its code, whoever closes it.
case $dynamic in *NODELETE*) ;; *) complain "it can be unloaded" ;; esac

# Nothing that a host may bring in another version.
needed=$(echo "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
for name in $needed; do
    case $name in
    libc.so.6 | libm.so.6 | libgcc_s.so.1 | libpthread.so.0 | libdl.so.2 | ld-linux-*) ;;
    *) complain "it needs $name" ;;
    esac
done

exported=$(nm -D --defined-only "$1" | awk '{ print $NF }')
[ -n "$exported" ] || complain "it exports nothing"
for name in $exported; do
    case $name in
    consul_test_*) complain "it exports $name, which is for tests" ;;
    consul_*) ;;
    *) complain "it exports $name" ;;
    esac
done
exit "$failed"
