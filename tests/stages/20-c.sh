#!/bin/sh
# The contract from C: as C99 and C17, by gcc and clang, against the library that is shipped.
set -eu
. tests/c/common.sh

variants='gcc-c99 gcc-c17 clang-c99 clang-c17'

if [ "${1:-}" != beside-consul ]; then
    make -s
    lib=$(library "$target/release")
    for variant in $variants; do
        programs "$variant" "${variant%-*}" "${variant#*-}" "$lib"
    done
    beside_consul "$0"
fi

for variant in $variants; do
    for program in tests/c/contract/*.c; do
        name=contract/$(basename "$program" .c)
        run "$variant $name" "$out/$variant/$name"
    done
done

CERTS=$(certificates)
export CERTS
for program in tests/c/process/*.c; do
    name=process/$(basename "$program" .c)
    run "$name" "$out/gcc-c99/$name" "$target/release/libconsul_ffi.so"
done
# As in a container that has one.
processor=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
run "process/shared_client on one processor" \
    taskset -c "$processor" "$out/gcc-c99/process/shared_client"
run operators tests/support/with-consul.sh --acl deny "$out/gcc-c99/operators"
run linkage tests/c/linkage.sh "$target/release/libconsul_ffi.so"
finish
