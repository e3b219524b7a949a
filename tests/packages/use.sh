#!/bin/sh
# use.sh WAY PREFIX: a program uses what is installed under PREFIX, beside the Consul that
# CONSUL_HTTP_ADDR names. The ways:
#
#   pkg-config    C and C++, the shared library
#   static        C by pkg-config, the static library
#   fully-static  the same, libc too
#   cmake         C and C++ by find_package, shared and static
#   luajit        LuaJIT, with the module on its path
#   python        Python, with the package on its path
#   as-it-is      LuaJIT, and nothing said of where anything is
#
# It needs nothing of the project but the folder that it is in.
set -eu

way=$1
prefix=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
cd "$tmp"
# Nothing that could help.
unset CONSUL_FFI_LIBRARY LUA_PATH LUA_CPATH LD_LIBRARY_PATH PYTHONPATH CARGO_TARGET_DIR

config() { pkg-config "$@" consul_ffi; }
if [ "$prefix" != /usr ]; then
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig
    export PKG_CONFIG_PATH
fi

refuse() { if "$@"; then echo "use: should have failed: $*" >&2; exit 1; fi; }
needs_library() { readelf -d "$1" | grep -q 'NEEDED.*libconsul_ffi\.so\.1'; }

# No rpath where the system's loader is to find it.
rpath() { [ "$prefix" = /usr ] || echo "-Wl,-rpath,$(config --variable=libdir)"; }

shared() {
    # shellcheck disable=SC2046     # several words
    cc "$here/smoke.c" $(config --cflags --libs) $(rpath) -o c
    ./c
    command -v c++ >/dev/null || return 0
    # shellcheck disable=SC2046
    c++ -std=c++17 "$here/smoke.cpp" $(config --cflags --libs) $(rpath) -o cpp
    ./cpp
}

static() { # FLAGS...
    # pkg-config cannot name the static library while the shared one is beside it.
    libraries=$(config --static --libs | sed "s|-lconsul_ffi|$(config --variable=libdir)/libconsul_ffi.a|")
    # shellcheck disable=SC2046,SC2086
    cc "$here/smoke.c" $(config --cflags) $libraries "$@" -o c
    refuse needs_library c
    ./c
}

configure() { # VERSION FOLDER
    cmake -S "$here" -B "$2" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED="$1" >log 2>&1
}

by_cmake() {
    configure "$(config --modversion)" build || { cat log; exit 1; }
    cmake --build build >log || { cat log; exit 1; }
    cd build
    for program in shared static cpp; do ./$program; done
    needs_library shared
    refuse needs_library static
    # What is not there is not promised.
    cd ..
    refuse configure 999.0 other
    grep -q 'consul_ffi-config.cmake, version' log
}

case $way in
    pkg-config) shared ;;
    static) static ;;
    fully-static) static -static 2>log || { cat log; exit 1; } ;;
    cmake) by_cmake ;;
    luajit) LUA_PATH="$prefix/share/lua/5.1/?.lua" luajit "$here/smoke.lua" ;;
    python)
        for folder in "$prefix"/lib/python3*/site-packages "$prefix/share/python"; do
            [ ! -d "$folder" ] || PYTHONPATH=$folder
        done
        PYTHONPATH=$PYTHONPATH python3 "$here/smoke.py"
        ;;
    as-it-is)
        luajit "$here/smoke.lua"
        # Also after a change of the folder, which is on LuaJIT's path.
        cd / && luajit "$here/smoke.lua"
        ;;
    *) echo "use: no way $way" >&2; exit 2 ;;
esac
