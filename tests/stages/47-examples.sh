#!/bin/sh
# The examples of every language, on the library that is shipped, compared with what they shall print;
# and what docs/cpp.md shows.
set -eu
suite=examples
. tests/c/common.sh

# The Nth piece of C++ that docs/cpp.md shows as a paragraph of its own.
shown() { awk -v n="$1" '/^```/ { inside = /^```cpp/ && ++seen == n; next } inside' docs/cpp.md; }

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
    shown 1 >"$out/program.cpp"
    cpp "$out/program.cpp" "$out/program"
    {
        echo '#include <consul_ffi.hpp>'
        echo 'static void work(std::uint64_t) {}'
        echo 'template <class T> static void show(const T &) {}'
        echo 'static void connect_to(std::string_view, int) {}'
        echo 'int main() { const auto client = consul::client::create().value();'
        shown 2
        shown 3
        shown 4
        shown 5
        shown 6
        echo '}'
    } >"$out/fragments.cpp"
    cpp "$out/fragments.cpp" "$out/fragments"
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
run "docs/cpp.md" sh -c "[ \"\$($out/program)\" = 5 ] && $out/fragments"
finish
