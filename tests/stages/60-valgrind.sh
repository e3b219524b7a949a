#!/bin/sh
# The contract programs and the random calls under valgrind's memcheck.
set -eu
. tests/c/common.sh

if [ "${1:-}" != beside-consul ]; then
    make -s
    programs gcc-c99 gcc c99 "$(library "$target/release")"
    beside_consul "$0"
fi

# Not what is "possibly lost": that is what a pointer into its middle holds, as of a hash table.
memcheck="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite"

for program in tests/c/contract/*.c; do
    name=contract/$(basename "$program" .c)
    # shellcheck disable=SC2086     # several words
    run "valgrind $name" $memcheck "$out/gcc-c99/$name"
done
limit=600
# shellcheck disable=SC2086     # several words
run_alone "valgrind random 50000" $memcheck "$out/gcc-c99/random" 50000
grep seed "$out/log"
finish
