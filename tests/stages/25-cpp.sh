#!/bin/sh
# The C++ layer: as C++17 and C++20, by gcc and clang, with and without exceptions.
set -eu
suite=cpp
. tests/c/common.sh

# A name, a compiler, a standard, flags.
variants() {
    cat <<'END'
gcc-c++17 g++ c++17
clang-c++20 clang++ c++20
gcc-c++20-plain g++ c++20 -fno-exceptions -fno-rtti
address g++ c++17 -fsanitize=address
END
}

# Every function of the library is called by a test, but for those that C++ lacks.
reached() {
    grep -v '^#' tests/cpp/lacking >"$out/lacking" || :
    nm -D --defined-only "$target/release/libconsul_ffi.so" | sed -n 's/.* \(consul_[a-z0-9_]*\).*/\1/p' |
        grep -v -f "$out/lacking" | sort >"$out/declared"
    nm -u "$out"/gcc-c++17/* | sed -n 's/.* \(consul_[a-z0-9_]*\).*/\1/p' | sort -u >"$out/called"
    [ -s "$out/declared" ] && ! comm -23 "$out/declared" "$out/called" | grep .
}

[ "${1:-}" != reached ] || { reached; exit; }

# What needs an agent with access control.
operators() {
    for variant in $(variants | cut -d' ' -f1); do
        echo "$variant"
        "$out/$variant/operators"
    done
}

[ "${1:-}" != operators ] || { operators; exit; }

if [ "${1:-}" != beside-consul ]; then
    make -s
    lib=$(library "$target/release")
    variants | while read -r name compiler standard flags; do
        programs "$name" "$compiler" "$standard" "$lib" "$flags"
    done
    # The header alone, where no program is run.
    echo '#include <consul_ffi.hpp>' | clang++ -std=c++17 -Wall -Wextra -pedantic -Werror -Iinclude \
        -fno-exceptions -fno-rtti -fsyntax-only -x c++ -
    g++ -std=c++17 -Iinclude -fno-exceptions -c tests/cpp/mixed/plain.cpp -o "$out/plain.o"
    g++ -std=c++17 -Iinclude "$out/plain.o" tests/cpp/mixed/throwing.cpp -o "$out/mixed" -L"$lib" \
        -lconsul_ffi -Wl,-rpath,"$lib"
    gcc -shared -fPIC tests/cpp/other_abi.c -o "$out/other_abi.so"
    beside_consul "$0"
fi

for variant in $(variants | cut -d' ' -f1); do
    for program in tests/cpp/*.cpp; do
        name=$(basename "$program" .cpp)
        [ "$name" != operators ] || continue
        run "$variant $name" "$out/$variant/$name"
    done
done
run "another ABI" env LD_PRELOAD="$out/other_abi.so" "$out/gcc-c++17/results" refused
run "with and without exceptions" "$out/mixed"
run operators tests/support/with-consul.sh --acl deny "$0" operators
run "every function" "$0" reached
finish
