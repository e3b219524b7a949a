#!/bin/sh
# files.sh: `make install` into a DESTDIR puts there what it should, and `make uninstall` takes all of it away.
set -eu

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT TERM HUP
fail() { echo "$*"; exit 1; }

# Where Debian has its libraries, so that no folder is a default one.
set -- DESTDIR="$root" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu
[ ! -d python/consul_ffi ] || set -- "$@" WITH_PYTHON=1 PYTHONDIR=/usr/lib/python3/dist-packages
make -s install "$@"

for path in include/consul_ffi.h share/lua/5.1/consul_ffi.lua share/lua/5.1/consul_ffi/loader.lua \
    lib/x86_64-linux-gnu/libconsul_ffi.a lib/x86_64-linux-gnu/cmake/consul_ffi/consul_ffi-config.cmake \
    lib/x86_64-linux-gnu/cmake/consul_ffi/consul_ffi-config-version.cmake \
    lib/x86_64-linux-gnu/pkgconfig/consul_ffi.pc share/doc/consul-ffi/LICENSE; do
    [ -f "$root/usr/$path" ] || fail "no $path"
done
# Every source file that is for users.
for path in $(cd include && find . -name '*.h*'); do
    cmp "include/$path" "$root/usr/include/$path"
done
(cd lua && find . -name '*.lua') | while read -r path; do
    cmp "lua/$path" "$root/usr/share/lua/5.1/$path"
done

cd "$root/usr/lib/x86_64-linux-gnu"
[ "$(readlink libconsul_ffi.so)" = libconsul_ffi.so.1 ] || fail "libconsul_ffi.so leads to $(readlink libconsul_ffi.so)"
real=$(readlink libconsul_ffi.so.1)
case $real in
    libconsul_ffi.so.1.*.*) [ ! -L "$real" ] || fail "$real is no file" ;;
    *) fail "libconsul_ffi.so.1 leads to $real" ;;
esac
if grep -rF "$root" pkgconfig cmake; then fail "DESTDIR is in what is installed"; fi
if grep -r '@' pkgconfig cmake; then fail "a name was not filled in"; fi
# shellcheck disable=SC2016     # ${prefix} is pkg-config's
grep -qx 'libdir=${prefix}/lib/x86_64-linux-gnu' pkgconfig/consul_ffi.pc
cd - >/dev/null

# rustc says what its libraries need; the C compiler adds gcc_s and c itself.
rust=$(echo | rustc --crate-type staticlib --print native-static-libs -o "$root/empty.a" - 2>&1 |
    sed -n 's/.*native-static-libs: //p' | tr ' ' '\n' | grep -vx -e -lgcc_s -e -lc | sort)
ours=$(sed -n 's/^Libs.private: //p' "$root/usr/lib/x86_64-linux-gnu/pkgconfig/consul_ffi.pc" | tr ' ' '\n' | sort)
[ "$rust" = "$ours" ] || fail "Libs.private is $ours and rustc names $rust"
rm "$root/empty.a"

make -s install-strip "$@"
if readelf -W -S "$root/usr/lib/x86_64-linux-gnu/$real" | grep -q '\.debug_'; then fail "not stripped"; fi

touch "$root/usr/include/of_others.h"
make -s uninstall "$@"
left=$(find "$root" ! -type d)
[ "$left" = "$root/usr/include/of_others.h" ] || fail "left behind: $left"
left=$(find "$root" -name '*consul*')
[ -z "$left" ] || fail "left behind: $left"

# What cannot be is said.
refused() { # MESSAGE WORDS...
    message=$1
    shift
    if make -s install DESTDIR="$root" "$@" 2>"$root/log"; then fail "installed with $*"; fi
    grep -q "$message" "$root/log" || { cat "$root/log"; fail "not said: $message"; }
}
refused 'not an absolute path: relative' PREFIX=relative
refused 'run make first' CARGO_TARGET_DIR=/not/there
