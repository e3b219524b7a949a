#!/bin/sh
# The programs of tests/c under AddressSanitizer with its search for leaks, and under ThreadSanitizer.
# Rust and C share the runtime that comes with rustc, whatever clang's own version.
set -eu
. tests/c/common.sh

host=$(rustc -vV | sed -n 's/^host: //p')
runtimes=$(rustc --print sysroot)/lib/rustlib/$host/lib
export RUSTC_BOOTSTRAP=1

# Library and programs with a sanitizer in both: sanitized NAME KIND FLAGS-OF-RUSTC; in $out/NAME
sanitized() {
    # Not $host's usual folder, so that nothing else is built anew; optimised a little, or a million
    # calls take minutes; with the function that panics, which no shipped library has.
    RUSTFLAGS="-Zsanitizer=$2 $3" cargo build --locked --target "$host" --features test-panic \
        --target-dir "$target/$1" --config profile.dev.opt-level=1
    set -- "$1" "$2" "$target/$1/$host/debug"
    nm -D "$3/libconsul_ffi.so" | grep -q "U __$1_" || { echo "no $2 sanitizer in the library"; exit 1; }
    set -- "$1" "$2" "$(library "$3")" "$(echo "$runtimes"/librustc-*_rt."$1".a)"
    programs "$1" clang c17 "$3" "-fsanitize=$2 -fno-sanitize-link-runtime -rdynamic \
        -Wl,--whole-archive $4 -Wl,--no-whole-archive -ldl -lm -lrt"
}

# A mistake must be found: caught NAME COMMAND...
caught() {
    # shellcheck disable=SC2016     # for the inner shell
    run "$1 is found" sh -c 'name=$1; shift; "$@" 2>&1 | grep "$name"' sh "$@"
}

if [ "${1:-}" != beside-consul ]; then
    sanitized asan address ''
    sanitized tsan thread -Cunsafe-allow-abi-mismatch=sanitizer
    beside_consul "$0"
fi

CERTS=$(certificates)
export CERTS ASAN_OPTIONS=detect_leaks=1
caught heap-use-after-free "$out/asan/mistake" row
caught "detected memory leaks" "$out/asan/mistake" leak
for program in tests/c/contract/*.c tests/c/process/*.c; do
    name=$(basename "$(dirname "$program")")/$(basename "$program" .c)
    # A process that ends with work in flight leaks by intent.
    leaks=1
    [ "$name" != process/exit ] || leaks=0
    ASAN_OPTIONS=detect_leaks=$leaks
    run "address $name" "$out/asan/$name" "$target/asan/$host/debug/libconsul_ffi.so"
done
run "address panic" "$out/asan/panic" "$target/asan/$host/debug/libconsul_ffi.so"
run "address operators" tests/support/with-consul.sh --acl deny "$out/asan/operators"
limit=600
run_alone "address random 1000000" "$out/asan/random" 1000000
grep seed "$out/log"

export TSAN_OPTIONS="suppressions=$PWD/tests/c/tsan.supp"
caught "data race" "$out/tsan/mistake" race
for name in process/shared_client process/free_in_flight process/locks contract/queue \
    process/queued_locks; do
    run "thread $name" "$out/tsan/$name"
done
run_alone "thread random 200000" "$out/tsan/random" 200000
grep seed "$out/log"
finish
