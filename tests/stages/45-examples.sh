#!/bin/sh
# The examples of every language, on the library that is shipped, compared with what they shall print.
set -eu
suite=examples
. tests/c/common.sh

if [ "${1:-}" != beside-consul ]; then
    cargo build --release --locked
    lib=$(library "$target/release")
    mkdir -p "$out/c" "$out/cpp"
    # As somebody would who copies one.
    for source in examples/c/*.c; do
        cc -Wall -Wextra -pedantic -Werror "$source" -Iinclude -L"$lib" -lconsul_ffi \
            -Wl,-rpath,"$lib" -o "$out/c/$(basename "$source" .c)"
    done
    for source in examples/cpp/*.cpp; do
        g++ -std=c++17 -Wall -Wextra -pedantic -Werror "$source" -Iinclude -L"$lib" -lconsul_ffi \
            -Wl,-rpath,"$lib" -o "$out/cpp/$(basename "$source" .cpp)"
    done
    exec tests/support/with-consul.sh --hcl 'acl { enabled = true default_policy = "allow" }' \
        "$0" beside-consul
fi

export CONSUL_FFI_LIBRARY="$target/release/libconsul_ffi.so"
export LUA_PATH="$PWD/lua/?.lua;;"
for expected in tests/examples/expected/*; do
    idea=$(basename "$expected")
    run "c $idea" tests/examples/check.sh "$idea" "$out/c/$idea"
    run "cpp $idea" tests/examples/check.sh "$idea" "$out/cpp/$idea"
    run "lua $idea" tests/examples/check.sh "$idea" luajit "examples/lua/$idea.lua"
done
finish
