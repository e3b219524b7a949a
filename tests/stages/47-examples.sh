#!/bin/sh
# The examples of every language, on the library that is shipped, compared with what they shall print;
# and what the documentation shows.
set -eu
suite=examples
. tests/c/common.sh

# As somebody would who copies it.
cpp() { # SOURCE PROGRAM
    g++ -std=c++17 -Wall -Wextra -pedantic -Werror "$1" -Iinclude -L"$lib" -lconsul_ffi \
        -Wl,-rpath,"$lib" -o "$2"
}

if [ "${1:-}" != beside-consul ]; then
    make -s
    lib=$(library "$target/release")
    mkdir -p "$out/c" "$out/cpp"
    for source in examples/c/*.c; do
        cc -Wall -Wextra -pedantic -Werror "$source" -Iinclude -L"$lib" -lconsul_ffi \
            -Wl,-rpath,"$lib" -o "$out/c/$(basename "$source" .c)"
    done
    for source in examples/cpp/*.cpp; do
        cpp "$source" "$out/cpp/$(basename "$source" .cpp)"
    done
    for language in c cpp; do
        python3 tests/documentation/shown.py build "$language" "$lib" "$out/documentation"
    done
    [ "$part" != build ] || exit 0
    exec tests/support/with-consul.sh --acl allow "$0" beside-consul
fi

export CONSUL_FFI_LIBRARY="$target/release/libconsul_ffi.so"
export LUA_PATH="$PWD/lua/?.lua;;" PYTHONPATH="$PWD/python" PYTHONDONTWRITEBYTECODE=1
for expected in tests/examples/expected/*; do
    idea=$(basename "$expected")
    # In the languages that have it.
    for example in examples/*/"$idea".*; do
        case $example in
            *.c) run "c $idea" tests/examples/check.sh "$idea" "$out/c/$idea" ;;
            *.cpp) run "cpp $idea" tests/examples/check.sh "$idea" "$out/cpp/$idea" ;;
            *.lua) run "lua $idea" tests/examples/check.sh "$idea" luajit "$example" ;;
            *.py) run "python $idea" tests/examples/check.sh "$idea" python3 "$example" ;;
        esac
    done
done
# shellcheck disable=SC2016     # for the shell that runs it
run "examples/README.md" sh -c '(cd examples && ls ?*/[0-9]*) >"$1.there" &&
    grep -o "([a-z]*/[0-9][^)]*)" examples/README.md | tr -d "()" | sort >"$1.listed" &&
    diff "$1.there" "$1.listed"' - "$out/readme"
run "cluster" tests/examples/cluster.sh
for language in c cpp lua python sh; do
    run "documentation, $language" \
        python3 tests/documentation/shown.py run "$language" "$out/documentation"
done
finish
